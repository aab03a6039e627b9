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


def summarise_sketch(column: SketchColumn, reference: Reference | None) -> ColumnSummary:
    """Summarise a producer's sketch as if its rows had been seen; ``noise`` says how wrong a bin's share may be."""
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
    points, weights, noise = _points(column, present)
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
        noise=noise,
    )


def _tally(top: tuple[tuple[str, int], ...]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for name, held in ((storable(name), held) for name, held in top):
        rows[name] = rows.get(name, 0) + held
    return rows


def _points(column: SketchColumn, present: int) -> tuple[Floats, Floats, float]:
    """Sorted points with weights that sum to ``present``, and the variance of a bin's share; none from a bad sketch."""
    ranks = (np.arange(GRID) + 0.5) / GRID
    points, error = np.empty(0), 0.0
    if present and column.kll is not None:
        points, error = _kll_quantiles(column.kll, ranks)
    elif present and column.p is not None and column.v is not None and _rises(column.p) and _rises(column.v):
        points, error = np.interp(ranks, column.p, column.v), 0.5 / len(column.p)
    elif present and column.edges is not None and column.counts is not None and _rises(column.edges):
        held = np.maximum(column.counts, 0.0)
        if len(held) == len(column.edges) - 1 and 0 < held.sum() < np.inf:
            cumulative = np.concatenate([[0.0], np.cumsum(held)]) / held.sum()
            points, error = np.interp(ranks, cumulative, column.edges), 0.5 / len(held)
    points = np.sort(points[np.isfinite(points)])
    return points, np.full(len(points), present / max(1, len(points))), error * error


def _rises(values: Floats) -> bool:
    return len(values) > 1 and bool(np.isfinite(values).all()) and bool((values[1:] >= values[:-1]).all())


def _kll_quantiles(serialised: bytes, ranks: Floats) -> tuple[Floats, float]:
    if not is_kll(serialised):  # the library would trust its offsets, and end the process
        return np.empty(0), 0.0
    try:
        sketch = kll_doubles_sketch.deserialize(serialised)
        if sketch.is_empty():
            return np.empty(0), 0.0
        return np.asarray(sketch.get_quantiles(ranks)), float(sketch.normalized_rank_error(False))
    except (RuntimeError, ValueError, IndexError):  # what pybind makes of the library's exceptions
        return np.empty(0), 0.0
