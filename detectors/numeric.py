"""Summaries of numeric columns: one sort per column, everything else follows from it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.distinct import registers_of_numbers
from detectors.reference import CUTS, Floats, Reference
from detectors.summary import ColumnSummary

HUGE, TINY = 1e150, float(np.finfo(np.float64).tiny)  # beyond: squares overflow, digits are lost
POINTS = 128  # quantiles kept of a batch while there is no reference: 1 KB, and 1 KB of weights


def summarise_numbers(
    values: Floats, references: Sequence[Reference | None], types: Sequence[str | None], *, piece: bool
) -> list[ColumnSummary]:
    """Summarise ``values``, float64 of shape ``(columns, rows)``, each column against its own reference.

    piece: of something that more will be added to.

    NaN is missing; infinities are counted and otherwise left out. Values near the largest float make ``mean`` and
    ``squares`` infinite or NaN, never a count wrong.
    """
    ordered = np.sort(values, axis=1)  # NaN last
    rows = ordered.shape[1]
    missing = np.isnan(ordered).sum(axis=1)
    infinite = np.isinf(ordered)
    below = (infinite & (ordered < 0)).sum(axis=1)
    non_finite = infinite.sum(axis=1)
    present = rows - missing - non_finite
    mean, squares = _moments(ordered, infinite, present)
    distinct = [None] * len(ordered) if piece else _distinct(ordered, missing, non_finite, below).tolist()
    registers = registers_of_numbers(ordered) if piece else np.empty((len(ordered), 0), np.uint8)
    finite = [row[start : start + length] for row, start, length in zip(ordered, below, present, strict=True)]
    counts = _bin_counts(finite, references)
    basics = zip(missing.tolist(), non_finite.tolist(), mean.tolist(), squares.tolist(), distinct, strict=True)
    nothing = np.empty(0)
    summaries = []
    for i, (absent, infinities, centre, spread, different) in enumerate(basics):
        reference, kept = references[i], finite[i]
        points, weights = (nothing, nothing) if reference else compress(kept, np.ones(len(kept)))
        summaries.append(
            ColumnSummary(
                kind="number",
                type=types[i],
                count=rows,
                missing=absent,
                non_finite=infinities,
                extreme=_extreme(kept),
                minimum=float(kept[0]) if len(kept) else None,
                maximum=float(kept[-1]) if len(kept) else None,
                mean=centre,
                squares=spread,
                distinct=different,
                registers=registers[i],
                reference=reference.identity if reference else 0,
                counts=counts[i] if reference else nothing,
                points=points,
                weights=weights,
            )
        )
    return summaries


def _bin_counts(ordered: Sequence[Floats], references: Sequence[Reference | None]) -> Floats:
    """Rows of each sorted column per bin of its reference, shape ``(columns, 46)``."""
    edges = np.zeros((len(ordered), CUTS + 2))
    for i, (values, reference) in enumerate(zip(ordered, references, strict=True)):
        if reference is not None:
            edges[i, 1:-1] = values.searchsorted(reference.cuts, side="right")
            edges[i, -1] = len(values)
    return edges[:, 1:] - edges[:, :-1]


def _moments(ordered: Floats, infinite: NDArray[np.bool_], present: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Mean and summed squared deviations of the finite values of each row."""
    absent = infinite | np.isnan(ordered)
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.where(absent, 0.0, ordered) if absent.any() else ordered
        mean = finite.sum(axis=1) / np.maximum(present, 1)
        deviation = finite - mean[:, None]
        deviation[absent] = 0.0
        return mean, np.einsum("ij,ij->i", deviation, deviation)


_SOUND = np.array([-HUGE, np.nextafter(-TINY, 0), 0.0, np.nextafter(0, 1), TINY, np.nextafter(HUGE, np.inf)])


def _extreme(ordered: Floats) -> int:
    """How many of the sorted finite values are huge or subnormal."""
    negative, zero, positive = ordered.searchsorted(_SOUND).reshape(3, 2).tolist()
    sound = negative[1] - negative[0] + zero[1] - zero[0] + positive[1] - positive[0]
    return len(ordered) - sound


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


def weighted_bin_counts(points: Floats, weights: Floats, reference: Reference) -> Floats:
    """Weight per reference bin of a quantile sketch, shape ``(46,)``."""
    bins = np.searchsorted(reference.cuts, points, side="left")
    return np.bincount(bins, weights=weights, minlength=CUTS + 1).astype(np.float64)


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
