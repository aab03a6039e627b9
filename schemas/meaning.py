"""Does an event that could be read make sense? Whatever does not is refused here, before it touches any state.

Not refused: a ``rows`` that differs from the length of the columns, an empty batch, a clock ahead of time, infinities
in a column. Those are findings about the data, and the detectors' to make.
"""

from collections.abc import Iterable
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from schemas.events import (
    BatchRef,
    Change,
    Codes,
    Column,
    DataBatch,
    Event,
    Histogram,
    Micros,
    Numbers,
    Outcome,
    Part,
    Prediction,
    Quantiles,
    Run,
    Sketch,
    Texts,
    Window,
)
from schemas.malformed import MalformedEvent, Reason

EARLIEST: Micros = 0  # 1970-01-01T00:00:00Z
LATEST: Micros = 7_258_118_400_000_000  # 2200-01-01T00:00:00Z
# Milliseconds of 2001 to 2286 read as microseconds fall into January to April 1970, where no event is.
MILLISECONDS: range = range(10**12, 10**13)
MAX_NAME = 1_024  # characters: names become keys, labels and state


def check(event: Event) -> None:
    """Raises ``MalformedEvent(BAD_VALUE)`` where the fields of ``event`` contradict each other or mean nothing."""
    if isinstance(event, DataBatch):
        _check_batch(event)
    elif isinstance(event, Prediction):
        _check_prediction(event)
    elif isinstance(event, Outcome):
        _check_outcome(event)
    else:
        _check_change(event)


def _refuse(message: str) -> NoReturn:
    raise MalformedEvent(Reason.BAD_VALUE, message)


def _check_batch(batch: DataBatch) -> None:
    _check_name("pipeline", batch.pipeline)
    _check_name("dataset", batch.dataset)
    _check_time("produced_at", batch.produced_at)
    if batch.rows < 0:
        _refuse("rows is negative")
    if batch.part is not None:
        _check_part(batch.part)
    if batch.window is not None:
        _check_window(batch.window)
    if batch.run is not None:
        _check_run(batch.run)
    if batch.sampling is not None and not 0 < (1 if (share := batch.sampling.fraction) is None else share) <= 1:
        _refuse("sampling.fraction is not in (0, 1]")
    _check_parents(batch.parents)
    _check_columns("columns", batch.columns)


def _check_prediction(prediction: Prediction) -> None:
    _check_name("pipeline", prediction.pipeline)
    _check_name("model", prediction.model)
    _check_time("scored_at", prediction.scored_at)
    rows = len(prediction.scores)
    if np.isinf(prediction.scores).any():
        _refuse("scores has an infinite value")
    failed = prediction.error is not None and rows == 0  # a failed call names its rows but has no scores
    if not failed:
        _check_length("prediction_ids", prediction.prediction_ids or None, rows, "scores")
        _check_length("entity_ids", prediction.entity_ids, rows, "scores")
        _check_length("predicted", prediction.predicted, rows, "scores")
    if prediction.intervals is not None:
        _check_length("intervals.lower", prediction.intervals.lower, rows, "scores")
        _check_length("intervals.upper", prediction.intervals.upper, rows, "scores")
        if not 0 < prediction.intervals.level < 1:
            _refuse("intervals.level is not in (0, 1)")
    _check_parents(prediction.batches)
    length = _check_columns("features", prediction.features)
    if length is not None and length != rows and not failed:
        _refuse(f"features have {length} values, scores has {rows}")
    for read in prediction.feature_reads:
        _check_name("feature_reads.feature_view", read.feature_view)
        if read.event_time is not None:
            _check_time("feature_reads.event_time", read.event_time)


def _check_outcome(outcome: Outcome) -> None:
    _check_name("pipeline", outcome.pipeline)
    _check_name("model", outcome.model)
    _check_time("observed_at", outcome.observed_at)
    if outcome.as_of is not None:
        _check_time("as_of", outcome.as_of)
    keys = outcome.prediction_ids or outcome.entity_ids or ()
    if not keys:
        _refuse("neither prediction_ids nor entity_ids say what the outcomes are of")
    if not outcome.prediction_ids and outcome.as_of is None:
        _refuse("entity_ids need as_of")
    if not len(outcome.outcomes) and outcome.actual is None:
        _refuse("neither outcomes nor actual say what happened")
    if len(outcome.outcomes):
        _check_length("outcomes", outcome.outcomes, len(keys), "the ids")
    _check_length("actual", outcome.actual, len(keys), "the ids")
    if np.isinf(outcome.outcomes).any():
        _refuse("outcomes has an infinite value")


def _check_change(change: Change) -> None:
    _check_name("pipeline", change.pipeline)
    _check_name("component", change.component)
    _check_time("at", change.at)


def _check_name(field: str, name: str) -> None:
    if not name.strip():
        _refuse(f"{field} is empty")
    if len(name) > MAX_NAME:
        _refuse(f"{field} has {len(name)} characters, more than {MAX_NAME}")
    if field == "pipeline" and "/" in name:
        _refuse("pipeline holds a '/', which separates it from dataset, model or component in keys")


def _check_time(field: str, time: Micros) -> None:
    if not EARLIEST <= time < LATEST:
        _refuse(f"{field} is not between the years 1970 and 2200, in microseconds")
    if time in MILLISECONDS:
        _refuse(f"{field} looks like milliseconds; microseconds are expected")


def _check_part(part: Part) -> None:
    if not 0 <= part.index < part.of:
        _refuse("part.index is not in 0 to part.of - 1")


def _check_window(window: Window) -> None:
    _check_time("window.start", window.start)
    _check_time("window.end", window.end)
    if window.start > window.end:
        _refuse("window.start is after window.end")


def _check_run(run: Run) -> None:
    for field, time in (("run.started_at", run.started_at), ("run.finished_at", run.finished_at)):
        if time is not None:
            _check_time(field, time)


def _check_parents(parents: Iterable[BatchRef]) -> None:
    for parent in parents:
        _check_name("the dataset of a parent", parent.dataset)
        if parent.window is not None:
            _check_window(parent.window)


def _check_length(field: str, values: NDArray[np.float64] | tuple[str, ...] | None, rows: int, other: str) -> None:
    if values is not None and len(values) != rows:
        _refuse(f"{field} has {len(values)} values, {other} has {rows}")


def _check_columns(field: str, columns: tuple[Column, ...]) -> int | None:
    """The common length of the columns sent row by row; ``None`` where there are none."""
    if len({column.name for column in columns}) < len(columns):
        _refuse(f"{field} has two columns of one name")
    length = None
    for column in columns:
        _check_name(f"the name of one of {field}", column.name)
        rows = _rows(column.values)
        if rows is not None and length is not None and rows != length:
            _refuse(f"{field} have {length} and {rows} values")
        length = length if rows is None else rows
    return length


def _rows(values: Numbers | Texts | Codes | Sketch) -> int | None:
    if isinstance(values, Sketch):
        _check_sketch(values)
        return None
    if isinstance(values, Codes):
        codes = values.codes
        if codes.size and (int(codes.min()) < -1 or int(codes.max()) >= len(values.dictionary)):
            _refuse("codes point outside their dictionary")
        return len(codes)
    return len(values.values)


def _check_sketch(sketch: Sketch) -> None:
    counts = (sketch.count, sketch.missing, sketch.non_finite, sketch.other, sketch.distinct or 0)
    if min(counts) < 0 or any(one.count < 0 for one in sketch.top):
        _refuse("a sketch has a negative count")
    moments = (sketch.minimum, sketch.maximum, sketch.sum, sketch.sum_squares)
    if not all(one is None or np.isfinite(one) for one in moments):
        _refuse("a sketch has a moment that is not finite")
    if sketch.minimum is not None and sketch.maximum is not None and sketch.minimum > sketch.maximum:
        _refuse("the minimum of a sketch is above its maximum")
    shape = sketch.shape
    if isinstance(shape, Histogram):
        if len(shape.edges) != len(shape.counts) + 1 or not len(shape.counts):
            _refuse("a histogram needs one more edge than counts")
        if not _ascending(shape.edges) or not np.isfinite(shape.counts).all() or (shape.counts < 0).any():
            _refuse("a histogram needs ascending edges and counts that are not negative")
    elif isinstance(shape, Quantiles):
        if len(shape.p) != len(shape.v) or not _ascending(shape.p) or not _ascending(shape.v):
            _refuse("quantiles need as many values as probabilities, both ascending")
        if len(shape.p) and not (shape.p[0] >= 0 and shape.p[-1] <= 1):
            _refuse("probabilities are not in [0, 1]")


def _ascending(values: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(values).all() and (values[1:] >= values[:-1]).all())
