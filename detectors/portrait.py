"""Columns in their own units: what healthy ones look like, and how a batch compares, for people and for gauges."""

from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from detectors.column import against
from detectors.comparing import Compared
from detectors.evidence import height
from detectors.judgement import ColumnProfile
from detectors.reference import CUTS, Floats
from detectors.state import BatchSummary, DatasetState, Portrait
from detectors.summary import ColumnSummary
from detectors.table import MOST, statistics_of

MEMORY = 256.0  # batches


def learn_portrait(state: DatasetState, weighed: Compared, healthy: NDArray[np.bool_]) -> Portrait:
    """The portraits with the columns that have no unhealthy statistic taken into theirs."""
    held = [(state.columns[name], summary) for name, summary in weighed.columns.items()]
    if not held:
        return state.portrait
    first = np.array([column.offset for column, _ in held])
    at = np.array([column.position for column, _ in held])
    basics = np.array([(summary.present, summary.mean, summary.squares) for _, summary in held])
    present, mean, squares = basics.T
    last = np.array([column.offset + len(statistics_of(column.reference)) - 1 for column, _ in held])
    rows = np.minimum(first[:, None] + np.arange(MOST), last[:, None])
    with np.errstate(invalid="ignore"):  # squares overflow on absurd values
        deviation = np.sqrt(squares / np.maximum(present, 1))
    sound = np.isfinite(mean) & np.isfinite(deviation)
    taught = (present > 0) & sound & (healthy[rows] | ~weighed.live[rows]).all(axis=1)
    portrait = state.portrait
    weight = portrait.weight[at]
    gain = taught / np.minimum(weight + 1, MEMORY)
    share = shares([summary.counts for _, summary in held])
    fresh = Portrait(
        mean=portrait.mean.copy(),
        deviation=portrait.deviation.copy(),
        share=portrait.share.copy(),
        weight=portrait.weight.copy(),
    )
    fresh.mean[at] += gain * (np.where(taught, mean, 0) - portrait.mean[at])
    fresh.deviation[at] += gain * (np.where(taught, deviation, 0) - portrait.deviation[at])
    fresh.share[at] += gain[:, None] * (share - portrait.share[at])
    fresh.weight[at] += taught
    return fresh


def shares(counts: Sequence[Floats]) -> Floats:
    """Counts of many columns side by side as shares, shape ``(columns, 46)``, padded with zeros."""
    padded = np.zeros((len(counts), CUTS + 1))
    for row, held in zip(padded, counts, strict=True):
        row[: len(held)] = held
    padded /= np.maximum(padded.sum(axis=1, keepdims=True), 1.0)
    return padded


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
        reference = column.reference
        fitting = summary if summary.reference == reference.identity else against(summary, reference)
        if fitting.reference == reference.identity:
            counts, edges = fitting.counts, reference.cuts
            expected = state.portrait.share[column.position][: len(counts)]
            categories = reference.categories
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
        distinct=None if (different := summary.different) is None else round(different),
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
        bins = np.array([len(held) for held in counts])
        rows = np.array([held.sum() for held in counts])
        index = stability_index(shares(counts), rows, state.portrait.share[np.array(positions)], bins)
        numbers |= zip((f"drift_psi:{name}" for name in names), index.tolist(), strict=True)
    return numbers


def stability_index(observed: Floats, rows: Floats, expected: Floats, bins: NDArray[np.int64]) -> Floats:
    """Population stability index of ``observed`` against ``expected`` shares, both ``(columns, 46)``.

    rows: behind the observed shares. bins: how many of the 46 each column uses. Half a row is added to every bin.
    """
    used = np.arange(observed.shape[1]) < bins[:, None]
    rows = np.maximum(rows, 1.0)[:, None]
    smoothed = rows + 0.5 * bins[:, None]
    now = (observed * rows + 0.5) / smoothed
    usual = (expected * rows + 0.5) / smoothed
    index: Floats = np.where(used, (now - usual) * np.log(now / usual), 0.0).sum(axis=1)
    return index
