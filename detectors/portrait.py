"""Columns in their own units: what healthy ones look like, and how a batch compares, for people and for gauges."""

from dataclasses import replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from detectors.alarms import Weighed
from detectors.column import against
from detectors.evidence import height
from detectors.finding import ColumnProfile
from detectors.reference import CUTS, Floats
from detectors.state import BatchSummary, ColumnState, DatasetState, Portrait
from detectors.summary import ColumnSummary

MEMORY = 256.0  # batches


def learn_portrait(state: DatasetState, weighed: Weighed, healthy: NDArray[np.bool_]) -> DatasetState:
    """Take the columns without any unhealthy statistic into their portraits."""
    names = [
        name
        for name, summary in weighed.columns.items()
        if summary.present and _all_healthy(state.columns[name], healthy, weighed.live)
    ]
    if not names:
        return state
    at = np.array([state.columns[name].position for name in names])
    summaries = [weighed.columns[name] for name in names]
    present = np.array([summary.present for summary in summaries], np.float64)
    mean = np.array([summary.mean for summary in summaries])
    deviation = np.sqrt(np.array([summary.squares for summary in summaries]) / present)
    share = np.zeros((len(names), CUTS + 1))
    for i, summary in enumerate(summaries):
        share[i, : len(summary.counts)] = summary.counts / max(1.0, summary.counts.sum())
    portrait = state.portrait
    gain = 1 / np.minimum(portrait.weight[at] + 1, MEMORY)
    sound = np.isfinite(mean) & np.isfinite(deviation)
    fresh = Portrait(
        mean=portrait.mean.copy(),
        deviation=portrait.deviation.copy(),
        share=portrait.share.copy(),
        weight=portrait.weight.copy(),
    )
    fresh.mean[at] += np.where(sound, gain * (np.where(sound, mean, 0) - portrait.mean[at]), 0)
    fresh.deviation[at] += np.where(sound, gain * (np.where(sound, deviation, 0) - portrait.deviation[at]), 0)
    fresh.share[at] += gain[:, None] * (share - portrait.share[at])
    fresh.weight[at] += 1
    return replace(state, portrait=fresh)


def _all_healthy(column: ColumnState, healthy: NDArray[np.bool_], live: NDArray[np.bool_]) -> bool:
    rows = slice(column.offset, column.offset + 5)
    return bool((healthy[rows] | ~live[rows]).all())


def profiles(state: DatasetState, batch: BatchSummary) -> tuple[ColumnProfile, ...]:
    """The public face of each column of ``batch``."""
    return tuple(_profile(state, name, summary) for name, summary in batch.columns.items())


def _profile(state: DatasetState, name: str, summary: ColumnSummary) -> ColumnProfile:
    column = state.columns.get(name)
    present = summary.present
    deviation = (summary.squares / present) ** 0.5 if present and summary.squares >= 0 else None
    number = summary.kind == "number" and present > 0
    edges = counts = expected = np.empty(0)
    categories: tuple[str, ...] = ()
    if column is not None:
        fitting = against(summary, column.reference)
        if fitting.reference == column.reference.identity:
            counts, edges = fitting.counts, column.reference.cuts
            expected = state.portrait.share[column.position][: len(counts)]
            categories = column.reference.categories
    return ColumnProfile(
        name=name,
        kind=summary.kind,
        count=summary.count,
        missing=summary.missing,
        non_finite=summary.non_finite,
        minimum=summary.minimum,
        maximum=summary.maximum,
        mean=summary.mean if number and isfinite(summary.mean) else None,
        standard_deviation=deviation if number and deviation is not None and isfinite(deviation) else None,
        distinct=summary.distinct,
        edges=edges,
        counts=counts,
        expected_share=expected,
        categories=categories,
    )


def gauges(state: DatasetState, batch: BatchSummary) -> dict[str, float]:
    """Numbers for ``/metrics``: ``rows``, and ``missing_ratio:column``, ``drift_psi:column``, ``evidence:column``."""
    numbers = {"rows": float(batch.rows)}
    numbers |= {f"missing_ratio:{name}": held.missing / max(1, held.count) for name, held in batch.columns.items()}
    if not state.columns:
        return numbers
    offsets = np.array([column.offset for column in state.columns.values()])
    highest = np.maximum.reduceat(height(state.bank), offsets)
    numbers |= zip((f"evidence:{name}" for name in state.columns), highest.tolist(), strict=True)
    compared = [
        (name, column.position, held.counts)
        for name, column in state.columns.items()
        if (held := batch.columns.get(name)) is not None and held.reference == column.reference.identity
    ]
    if compared:
        names, positions, counts = zip(*compared, strict=True)
        padded = np.zeros((len(names), CUTS + 1))
        for i, held in enumerate(counts):
            padded[i, : len(held)] = held
        bins = np.array([len(held) for held in counts])
        index = stability_index(padded, state.portrait.share[np.array(positions)], bins)
        numbers |= zip((f"drift_psi:{name}" for name in names), index.tolist(), strict=True)
    return numbers


def stability_index(counts: Floats, expected: Floats, bins: NDArray[np.int64]) -> Floats:
    """Population stability index of ``counts`` against the ``expected`` shares, both ``(columns, 34)``.

    bins: how many of the 34 each column uses. Half a row is added to every bin.
    """
    rows = counts.sum(axis=1, keepdims=True)
    used = np.arange(counts.shape[1]) < bins[:, None]
    smoothed = rows + 0.5 * bins[:, None]
    observed = (counts + 0.5) / smoothed
    usual = (expected * rows + 0.5) / smoothed
    index: Floats = np.where(used, (observed - usual) * np.log(observed / usual), 0.0).sum(axis=1)
    return index
