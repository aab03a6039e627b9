"""Summaries of numeric columns: one sort per column, everything else follows from it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats, Reference
from detectors.summary import ColumnSummary

POINTS = 128  # quantiles kept of a batch while there is no reference: 1 KB, and 1 KB of weights


def summarise_numbers(
    values: Floats, references: Sequence[Reference | None], types: Sequence[str | None]
) -> list[ColumnSummary]:
    """Summarise ``values``, float64 of shape ``(columns, rows)``, each column against its own reference.

    NaN is missing; infinities are counted and otherwise left out. Values near the largest float make ``mean`` and
    ``squares`` infinite or NaN, never a count wrong.
    """
    ordered = np.sort(values, axis=1)  # NaN last
    rows = ordered.shape[1]
    missing = np.isnan(ordered).sum(axis=1)
    infinite = np.isinf(ordered)
    below = (infinite & (ordered < 0)).sum(axis=1)
    non_finite = infinite.sum(axis=1)
    mean, squares = _moments(ordered, infinite, rows - missing - non_finite)
    distinct = _distinct(ordered, missing, non_finite, below)
    summaries = []
    for i, reference in enumerate(references):
        finite = ordered[i, below[i] : rows - missing[i] - non_finite[i] + below[i]]
        counts, points, weights = _shape(finite, reference)
        summaries.append(
            ColumnSummary(
                kind="number",
                type=types[i],
                count=rows,
                missing=int(missing[i]),
                non_finite=int(non_finite[i]),
                minimum=float(finite[0]) if len(finite) else None,
                maximum=float(finite[-1]) if len(finite) else None,
                mean=float(mean[i]),
                squares=float(squares[i]),
                distinct=int(distinct[i]),
                reference=reference.identity if reference else 0,
                counts=counts,
                points=points,
                weights=weights,
            )
        )
    return summaries


def _moments(ordered: Floats, infinite: NDArray[np.bool_], present: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Mean and summed squared deviations of the finite values of each row."""
    absent = infinite | np.isnan(ordered)
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.where(absent, 0.0, ordered) if absent.any() else ordered
        mean = finite.sum(axis=1) / np.maximum(present, 1)
        deviation = finite - mean[:, None]
        deviation[absent] = 0.0
        return mean, np.einsum("ij,ij->i", deviation, deviation)


def _distinct(
    ordered: Floats, missing: NDArray[np.int64], non_finite: NDArray[np.int64], below: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Different finite values of each sorted row: value changes, less those that infinities and NaNs make."""
    rows = ordered.shape[1]
    if rows == 0:
        return np.zeros(len(ordered), np.int64)
    changes = (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1) + 1 - missing + (missing == rows)
    extra = (below > 0).astype(np.int64) + (non_finite > below)
    return np.where(missing == rows, 0, changes - extra)


def _shape(finite: Floats, reference: Reference | None) -> tuple[Floats, Floats, Floats]:
    """Counts per reference bin, or quantile points and weights where there is no reference yet."""
    nothing = np.empty(0)
    if reference is None:
        return nothing, *compress(finite, np.ones(len(finite)))
    return bin_counts(finite, reference), nothing, nothing


def bin_counts(ordered: Floats, reference: Reference) -> Floats:
    """Rows of sorted ``ordered`` per reference bin, shape ``(34,)``."""
    edges = np.searchsorted(ordered, reference.cuts, side="right")
    return np.diff(edges, prepend=0, append=len(ordered)).astype(np.float64)


def weighted_bin_counts(points: Floats, weights: Floats, reference: Reference) -> Floats:
    """Weight per reference bin of a quantile sketch, shape ``(34,)``."""
    bins = np.searchsorted(reference.cuts, points, side="left")
    return np.bincount(bins, weights=weights, minlength=len(reference.cuts) + 1)


def compress(points: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Reduce sorted points to at most 128 with the same total weight; exact while no more are different.

    Otherwise the points stand for equal slices of the weight, so that ranks are off by less than 1/128; the extremes
    are kept.
    """
    if len(points) == 0:
        return points, weights
    first = np.flatnonzero(np.concatenate([[True], points[1:] != points[:-1]]))
    points, weights = points[first], np.add.reduceat(weights, first)
    if len(points) <= POINTS:
        return points, weights
    cumulative = np.cumsum(weights)
    slices = (np.arange(POINTS) + 0.5) / POINTS * cumulative[-1]
    chosen = np.searchsorted(cumulative, slices)
    chosen[0], chosen[-1] = 0, len(points) - 1
    kept, held = np.unique(chosen, return_counts=True)
    return points[kept], held * (cumulative[-1] / POINTS)


def merge_points(a: ColumnSummary, b: ColumnSummary) -> tuple[Floats, Floats]:
    """The quantile sketch of two summaries together."""
    points = np.concatenate([a.points, b.points])
    order = np.argsort(points, kind="stable")
    return compress(points[order], np.concatenate([a.weights, b.weights])[order])
