"""Summaries of columns that their producer reduced already: histogram, KLL sketch, quantiles or frequent values."""

from math import isfinite, nan

import numpy as np
from datasketches import kll_doubles_sketch

from detectors.batch import SketchColumn
from detectors.categorical import from_rows, storable
from detectors.kll_format import is_kll
from detectors.numeric import HUGE, compress, weighted_bin_counts
from detectors.reference import Floats, Reference
from detectors.summary import ColumnSummary

GRID = 512  # points a shape is spread over before it is counted against bins
UNEVEN = 1 / 6  # of a bin, by which the mean rank in it may be off: its density may fall to zero at one end
SURE = 2.576  # standard errors of a rank that the error of a KLL sketch stands for: 99 in a hundred are within


def summarise_sketch(column: SketchColumn, reference: Reference | None) -> ColumnSummary:
    """Summarise a producer's sketch as if its rows had been seen; ``error`` says how wrong that may be."""
    present = max(0, column.count - column.missing - column.non_finite)
    if column.top or column.other:
        return from_rows(
            _tally(column.top),
            column.other,
            reference if reference and reference.kind == "category" else None,
            type_=column.type,
            count=column.count,
            missing=column.missing,
            distinct=column.distinct,
        )
    points, weights, error = _points(column, present)
    usable = reference if reference and reference.kind == "number" and len(points) else None
    mean = (nan if column.sum is None else column.sum / present) if present else 0.0
    squares = (column.sum_squares or 0.0) - mean * mean * present
    kept = (np.empty(0), np.empty(0)) if usable else compress(points, weights)
    return ColumnSummary(
        kind="number",
        type=column.type,
        count=column.count,
        missing=column.missing,
        non_finite=column.non_finite,
        extreme=sum(end is not None and abs(end) > HUGE for end in (column.minimum, column.maximum)),
        minimum=column.minimum,
        maximum=column.maximum,
        mean=mean if isfinite(mean) else nan,
        squares=max(0.0, squares) if isfinite(squares) else 0.0,
        distinct=column.distinct,
        reference=usable.identity if usable else 0,
        counts=weighted_bin_counts(points, weights, usable) if usable else np.empty(0),
        points=kept[0],
        weights=kept[1],
        error=round(1000 * error),
    )


def _tally(top: tuple[tuple[str, int], ...]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for name, held in ((storable(name), held) for name, held in top):
        rows[name] = rows.get(name, 0) + held
    return rows


def _points(column: SketchColumn, present: int) -> tuple[Floats, Floats, float]:
    """Sorted points with weights that sum to ``present``, and the standard error of their mean rank; none if bad."""
    ranks = (np.arange(GRID) + 0.5) / GRID
    points, error = np.empty(0), 0.0
    if present and column.kll is not None:
        points, error = _kll_quantiles(column.kll, ranks)
    elif present and (curve := _quantiles(column) or _histogram(column)):
        points, error = np.interp(ranks, *curve), UNEVEN * float(np.sqrt(np.sum(np.diff(curve[0]) ** 4)))
    points = np.sort(points[np.isfinite(points)])
    return points, np.full(len(points), present / max(1, len(points))), error


def _quantiles(column: SketchColumn) -> tuple[Floats, Floats] | None:
    """Probabilities from 0 to 1 and their values: outside as steep as beside it, but not beyond the ends if told."""
    p, v = column.p, column.v
    if p is None or v is None or len(p) != len(v) or not (_rises(p) and _rises(v) and p[0] >= 0 and p[-1] <= 1):
        return None
    ends = []
    for end, told, next_to, sign in ((0, column.minimum, 1, -1), (-1, column.maximum, -2, 1)):
        slope = (v[end] - v[next_to]) / (p[end] - p[next_to]) if p[end] != p[next_to] else 0.0
        beyond = v[end] + slope * ((0.0, 1.0)[end] - p[end])
        ends.append(beyond if told is None else sign * max(sign * v[end], min(sign * beyond, sign * told)))
    return np.concatenate([[0.0], p, [1.0]]), np.concatenate([ends[:1], v, ends[1:]])


def _histogram(column: SketchColumn) -> tuple[Floats, Floats] | None:
    """Probabilities and values at the edges of the bins."""
    edges, counts = column.edges, column.counts
    if edges is None or counts is None or not _rises(edges) or len(counts) != len(edges) - 1:
        return None
    held = np.maximum(counts, 0.0)
    if not 0 < held.sum() < np.inf:
        return None
    return np.concatenate([[0.0], np.cumsum(held)]) / held.sum(), edges


def _rises(values: Floats) -> bool:
    return len(values) > 1 and bool(np.isfinite(values).all()) and bool((values[1:] >= values[:-1]).all())


def _kll_quantiles(serialised: bytes, ranks: Floats) -> tuple[Floats, float]:
    if not is_kll(serialised):  # the library would trust its offsets, and end the process
        return np.empty(0), 0.0
    try:
        sketch = kll_doubles_sketch.deserialize(serialised)
        if sketch.is_empty():
            return np.empty(0), 0.0
        error = sketch.normalized_rank_error(False) / SURE if sketch.is_estimation_mode() else 0.0
        return np.asarray(sketch.get_quantiles(ranks)), error
    except (RuntimeError, ValueError, IndexError):  # what pybind makes of the library's exceptions
        return np.empty(0), 0.0
