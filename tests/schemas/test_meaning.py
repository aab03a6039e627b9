"""Events that can be read but make no sense."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from schemas import events as e
from schemas.malformed import MalformedEvent, Reason
from schemas.meaning import LATEST, check
from tests.schemas.examples import FULL, NOW, doubles

BATCH: e.DataBatch = FULL["data_batch"]
PREDICTION: e.Prediction = FULL["prediction"]
OUTCOME: e.Outcome = FULL["outcome"]
CHANGE: e.Change = FULL["change"]


def numbers(name: str, *values: float) -> e.Column:
    return e.Column(name=name, values=e.Numbers(values=doubles(*values)))


def sketch(**fields: Any) -> tuple[e.Column, ...]:
    return (e.Column(name="x", values=e.Sketch(**({"count": 1} | fields))),)


@pytest.mark.parametrize("name", ["data_batch", "prediction", "outcome", "change"])
def test_a_sensible_event_passes(name: str) -> None:
    check(FULL[name])


@pytest.mark.parametrize(
    "event",
    [
        replace(BATCH, rows=1_000_000),
        replace(BATCH, rows=0),
        replace(BATCH, columns=(numbers("x", float("inf")),)),
        replace(PREDICTION, scores=doubles(), intervals=None, error="timeout"),
        replace(PREDICTION, prediction_ids=()),
        replace(OUTCOME, actual=None),
        replace(OUTCOME, outcomes=doubles()),
    ],
)
def test_what_detectors_judge_is_let_through(event: e.Event) -> None:
    check(event)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (replace(BATCH, pipeline=" "), "pipeline is empty"),
        (replace(BATCH, dataset="d" * 2_000), "dataset has 2000 characters"),
        (replace(BATCH, rows=-1), "rows is negative"),
        (replace(BATCH, produced_at=-1), "produced_at is not between"),
        (replace(BATCH, produced_at=LATEST), "produced_at is not between"),
        (replace(BATCH, produced_at=NOW // 1_000), "produced_at looks like milliseconds"),
        (replace(BATCH, part=e.Part(index=2, of=2)), "part.index"),
        (replace(BATCH, part=e.Part(index=-1, of=2)), "part.index"),
        (replace(BATCH, window=e.Window(start=2, end=1)), "window.start is after"),
        (replace(BATCH, run=e.Run(run_id="r", started_at=-5)), "run.started_at"),
        (replace(BATCH, sampling=e.Sampling(method="m", fraction=0.0)), "sampling.fraction"),
        (replace(BATCH, sampling=e.Sampling(method="m", fraction=float("nan"))), "sampling.fraction"),
        (replace(BATCH, parents=(e.BatchRef(dataset=""),)), "the dataset of a parent is empty"),
        (replace(BATCH, columns=(numbers("", 1.0),)), "the name of one of columns is empty"),
        (replace(BATCH, columns=(numbers("x", 1.0), numbers("x", 1.0))), "two columns of one name"),
        (replace(BATCH, columns=(numbers("x", 1.0), numbers("y"))), "columns have 1 and 0 values"),
        (replace(PREDICTION, model=""), "model is empty"),
        (replace(PREDICTION, scores=doubles(1.0, float("inf"), 0.0)), "scores has an infinite"),
        (replace(PREDICTION, prediction_ids=("p1",)), "prediction_ids has 1 values, scores has 3"),
        (replace(PREDICTION, predicted=("yes",)), "predicted has 1"),
        (replace(PREDICTION, features=(numbers("x", 1.0),)), "features have 1 values, scores has 3"),
        (
            replace(PREDICTION, intervals=e.Intervals(level=0.9, lower=doubles(0.0), upper=doubles(1.0))),
            "intervals.lower has 1",
        ),
        (replace(PREDICTION, feature_reads=(e.FeatureRead(feature_view=""),)), "feature_view is empty"),
        (replace(OUTCOME, prediction_ids=(), entity_ids=None), "neither prediction_ids nor entity_ids"),
        (replace(OUTCOME, prediction_ids=(), as_of=None), "entity_ids need as_of"),
        (replace(OUTCOME, outcomes=doubles(), actual=None), "neither outcomes nor actual"),
        (replace(OUTCOME, outcomes=doubles(1.0)), "outcomes has 1 values"),
        (replace(OUTCOME, outcomes=doubles(1.0, float("inf"))), "outcomes has an infinite"),
        (replace(CHANGE, component=""), "component is empty"),
        (replace(CHANGE, at=LATEST), "at is not between"),
    ],
)
def test_an_event_that_contradicts_itself_is_refused(event: e.Event, message: str) -> None:
    with pytest.raises(MalformedEvent, match=message) as refused:
        check(event)
    assert refused.value.reason is Reason.BAD_VALUE


@pytest.mark.parametrize("code", [-2, 1])
def test_codes_must_point_into_their_dictionary(code: int) -> None:
    codes = e.Codes(dictionary=("a",), codes=np.array([0, code], np.int32))

    with pytest.raises(MalformedEvent, match="outside their dictionary"):
        check(replace(BATCH, columns=(e.Column(name="x", values=codes),)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"missing": -1}, "negative count"),
        ({"top": (e.TopValue(value="a", count=-1),)}, "negative count"),
        ({"sum": float("nan")}, "not finite"),
        ({"minimum": 2.0, "maximum": 1.0}, "minimum of a sketch"),
        ({"shape": e.Histogram(edges=doubles(0.0), counts=doubles(1.0))}, "one more edge"),
        ({"shape": e.Histogram(edges=doubles(1.0, 0.0), counts=doubles(1.0))}, "ascending edges"),
        ({"shape": e.Histogram(edges=doubles(0.0, 1.0), counts=doubles(-1.0))}, "ascending edges"),
        ({"shape": e.Quantiles(p=doubles(0.5), v=doubles())}, "as many values"),
        ({"shape": e.Quantiles(p=doubles(0.5, 1.5), v=doubles(1.0, 2.0))}, r"not in \[0, 1\]"),
    ],
)
def test_a_sketch_must_be_one(fields: Any, message: str) -> None:
    with pytest.raises(MalformedEvent, match=message):
        check(replace(BATCH, columns=sketch(**fields)))


def test_an_event_at_this_very_moment_is_within_bounds() -> None:
    check(replace(CHANGE, at=NOW))


def test_a_pipeline_cannot_be_mistaken_for_a_pipeline_and_a_dataset():
    with pytest.raises(MalformedEvent, match="separates"):
        check(e.DataBatch(pipeline="a/b", dataset="c", produced_at=1_700_000_000_000_000, rows=0))
    check(e.DataBatch(pipeline="a", dataset="b/c", produced_at=1_700_000_000_000_000, rows=0))
