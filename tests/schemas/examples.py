"""One full and one minimal event of every kind, the classes behind the schemas, and equality that knows numpy."""

import dataclasses
from typing import Any

import numpy as np

from detectors.finding import Finding
from detectors.judgement import ColumnProfile, Readings
from diagnosis import alert as a
from diagnosis import observation as o
from schemas import events as e

NOW = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
HOUR = 3_600_000_000

CLASSES: dict[str, type] = {
    "data_batch": e.DataBatch,
    "prediction": e.Prediction,
    "outcome": e.Outcome,
    "change": e.Change,
    "observation": o.Observation,
    "alert": a.Alert,
}


def same(left: Any, right: Any) -> bool:
    """Equality by value all the way down; NaN equals NaN, and arrays must agree in dtype."""
    if type(left) is not type(right) and not (isinstance(left, dict) or isinstance(right, dict)):
        return False
    if dataclasses.is_dataclass(left):
        return all(same(getattr(left, field.name), getattr(right, field.name)) for field in dataclasses.fields(left))
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return left == right or (left != left and right != right)
    if hasattr(left, "keys"):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def doubles(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


WINDOW = e.Window(start=NOW - HOUR, end=NOW)
PARENT = e.BatchRef(
    dataset="orders", pipeline="shop", batch_id="orders-7", partition="2026-01-01", version="v3", window=WINDOW
)
COLUMNS = (
    e.Column(name="age", values=e.Numbers(values=doubles(31.0, float("nan"), 58.5)), type="double"),
    e.Column(name="country", values=e.Texts(values=("DE", None, "Österreich"))),
    e.Column(
        name="email",
        values=e.Codes(dictionary=("a@x", "b@x"), codes=np.array([1, -1, 0], np.int32)),
        sensitivity=e.Sensitivity.SENSITIVE,
    ),
    e.Column(
        name="amount",
        values=e.Sketch(
            count=3,
            missing=1,
            non_finite=0,
            minimum=0.5,
            maximum=9.0,
            sum=9.5,
            sum_squares=81.25,
            shape=e.Histogram(edges=doubles(0.0, 5.0, 10.0), counts=doubles(1.0, 1.0)),
            distinct=2,
        ),
    ),
    e.Column(name="weight", values=e.Sketch(count=3, shape=e.Kll(sketch=b"\x00\xff\x10"))),
    e.Column(
        name="height",
        values=e.Sketch(
            count=3,
            shape=e.Quantiles(p=doubles(0.0, 0.5, 1.0), v=doubles(1.5, 1.7, 1.9)),
            top=(e.TopValue(value="1.7", count=2),),
            other=1,
        ),
    ),
)
FINDING = Finding(
    subject="shop/features",
    statistic="missing_rate",
    column="age",
    segment="country=DE",
    observed=0.032,
    expected=0.01,
    effect=2.2,
    evidence_nats=float("inf"),
    alarm_batch_id="features-9",
    alarm_at=NOW,
    onset_earliest=NOW - 2 * HOUR,
    onset_latest=NOW - HOUR,
    onset_batch_id="features-8",
    sentence="missing rate of age rose from 1.0 % to 3.2 %",
    held_by="country = DE",
    held_share=0.97,
)
CAUSE = a.Cause(
    kind=a.CauseKind.CODE_CHANGE,
    component="join",
    column="age",
    segment="country=DE",
    change_id="deploy-4",
    before="v1",
    after="v2",
    confidence=0.9,
    grounding=a.Grounding.PATH_AND_MECHANISM,
    evidence=("the first deviating hop is join",),
)

FULL: dict[str, Any] = {
    "data_batch": e.DataBatch(
        pipeline="shop",
        dataset="features",
        produced_at=NOW,
        rows=3,
        batch_id="features-9",
        part=e.Part(index=0, of=2),
        partition="2026-01-01",
        stage="join",
        source="postgres",
        parents=(PARENT, e.BatchRef(dataset="customers")),
        scope=e.Scope.SNAPSHOT,
        replaces="features-8",
        run=e.Run(
            run_id="run-1",
            kind=e.RunKind.SCHEDULED,
            attempt=2,
            started_at=NOW - HOUR,
            finished_at=NOW,
            status="success",
            error="none",
            code_version="abc",
            config_version="c1",
            host="node-1",
            toggles={"fast": "on"},
            parameters={"day": "2026-01-01"},
        ),
        data_version="d1",
        schema_version="s1",
        feature_version="f1",
        window=WINDOW,
        join_keys=("customer_id",),
        sampling=e.Sampling(method="bernoulli", fraction=0.5),
        segments={"country": "DE"},
        owner="team-shop",
        trace_id="0af7",
        columns=COLUMNS,
    ),
    "prediction": e.Prediction(
        pipeline="shop",
        model="fraud",
        scored_at=NOW,
        scores=doubles(0.25, 0.75, float("nan")),
        prediction_ids=("p1", "p2", "p3"),
        entity_ids=("c1", "c2", "c3"),
        task=e.Task.BINARY,
        predicted=("no", "yes", "no"),
        intervals=e.Intervals(level=0.9, lower=doubles(0.1, 0.6, 0.0), upper=doubles(0.4, 0.9, 1.0)),
        model_version="m1",
        code_version="abc",
        feature_version="f1",
        host="node-2",
        batches=(PARENT,),
        features=COLUMNS[:3],
        feature_reads=(
            e.FeatureRead(feature_view="customer", version="v1", event_time=NOW - HOUR, latency_ms=3.5, hit=True),
        ),
        latency_ms=12.5,
        error="none",
        segments={"channel": "web"},
        trace_id="0af7",
    ),
    "outcome": e.Outcome(
        pipeline="shop",
        model="fraud",
        observed_at=NOW,
        prediction_ids=("p1", "p2"),
        entity_ids=("c1", "c2"),
        as_of=NOW - HOUR,
        outcomes=doubles(0.0, 1.0),
        actual=("no", "yes"),
    ),
    "change": e.Change(
        pipeline="shop",
        component="join",
        kind=e.ChangeKind.CODE,
        at=NOW,
        change_id="deploy-4",
        before="v1",
        after="v2",
        by="ci",
        reason="release",
        url="https://ci.example/4",
    ),
    "observation": o.Observation(
        kind=o.ObservationKind.BATCH,
        pipeline="shop",
        name="features",
        stage="join",
        batch_id="features-9",
        at=NOW,
        arrived_at=NOW + 1,
        origin=o.Origin(topic="headwater.data-batches", partition=3, offset=2**40),
        rows=3,
        source="postgres",
        partition="2026-01-01",
        replaces="features-8",
        window_start=NOW - HOUR,
        window_end=NOW,
        parents=(o.Parent(dataset="orders", pipeline="shop", batch_id="orders-7", window_start=1, window_end=2),),
        join_keys=("customer_id",),
        run_id="run-1",
        run_kind="SCHEDULED",
        run_status="success",
        host="node-1",
        owner="team-shop",
        trace_id="0af7",
        versions={"code": "abc", "data": "d1"},
        toggles={"fast": "on"},
        parameters={"day": "2026-01-01"},
        segments={"country": "DE"},
        findings=(FINDING,),
        readings=Readings(
            column=("", "age"),
            statistic=("rows", "missing_rate"),
            observed=doubles(3.0, 0.032),
            expected=doubles(3.0, 0.01),
            scale=doubles(1.0, 0.001),
            z=doubles(float("nan"), 22.0),
            evidence=doubles(0.0, 40.0),
        ),
        profiles=(
            ColumnProfile(
                name="age",
                kind="numeric",
                count=3,
                missing=1,
                minimum=31.0,
                maximum=58.5,
                mean=44.75,
                standard_deviation=13.75,
                distinct=2,
                edges=doubles(40.0),
                counts=doubles(1.0, 1.0),
                expected_share=doubles(0.5, 0.5),
                categories=("x",),
            ),
        ),
        gauges={"psi": 0.25, "worst": float("inf")},
        warming_up=True,
        late=True,
        predictions=(
            o.PredictionRef(
                origin=o.Origin(topic="headwater.predictions", partition=0, offset=1),
                at=NOW,
                rows=2,
                ids=("p1", "p2"),
                parents=(0, 0),
                trace_id="0af7",
            ),
        ),
        change=o.Deliberate(component="join", kind="CODE", at=NOW, change_id="deploy-4", after="v2"),
        tick=29_453_760,
        reader="risk",
        told=o.Told(
            alert_id="9f86d081884c7d65",
            revision=2,
            datasets=("features",),
            columns=("age",),
            onset_earliest=NOW - 2 * HOUR,
            onset_latest=NOW,
            resolved_at=NOW + HOUR,
            superseded_by="other",
            root=o.Root(pipeline="lake", dataset="orders", since=NOW, deliberate=True, findings=("lake/orders",)),
        ),
        harm=o.Harm(
            alert_id="9f86d081884c7d65",
            revision=3,
            severity=a.Severity.CRITICAL,
            models=("risk",),
            affected=4_210,
            total=5_000,
            first_at=NOW,
            first_id="p1",
            match=a.Match.EXACT,
            performance_change=-0.05,
            interval=a.Interval(lower=-0.08, upper=-0.02),
        ),
    ),
    "alert": a.Alert(
        alert_id="9f86d081884c7d65",
        revision=2,
        status=a.Status.FIRING,
        superseded_by="other",
        stage_of_diagnosis=a.StageOfDiagnosis.DIAGNOSED,
        environment="production",
        pipeline="shop",
        severity=a.Severity.CRITICAL,
        kind=a.CauseKind.CODE_CHANGE,
        title="fraud: missing ages since the deploy of join v2",
        summary="Ages are missing since 23:00.",
        next_steps=("roll join back to v1",),
        onset=a.Onset(earliest=NOW - 2 * HOUR, latest=NOW - HOUR, batch_id="features-8"),
        last_good=a.LastGood(batch_id="features-7", at=NOW - 3 * HOUR),
        detected_at=NOW,
        resolved_at=NOW + HOUR,
        cause=CAUSE,
        cause_key="join/age",
        suspects=(a.Cause(kind=a.CauseKind.JOIN, component="join"),),
        rejected=(
            a.Rejected(
                kind=a.CauseKind.MODEL_CHANGE,
                component="fraud",
                column="age",
                change_id="deploy-5",
                reason=a.Rejection.AFTER_ONSET,
                detail="came two hours later",
            ),
        ),
        path=(
            a.Hop(
                pipeline="shop",
                stage="join",
                dataset="features",
                batch_id="features-8",
                match=a.Match.EXACT,
                topic="headwater.data-batches",
                partition=3,
                offset=17,
                verdict=a.Verdict.INTRODUCED,
            ),
        ),
        symptoms=(FINDING,),
        context=a.Context(source="postgres", code_version="v2", toggles={"fast": "on"}, parameters={"day": "1"}),
        impact=a.Impact(
            models=("fraud",),
            predictions_affected=1_204,
            share_of_predictions=0.31,
            first_prediction_id="p1",
            match=a.Match.WINDOW,
            performance_change=-0.03,
            interval=a.Interval(lower=-0.05, upper=-0.01),
            attribution=(a.Contribution(column="age", share=0.8),),
            elsewhere=(
                a.Elsewhere(
                    pipeline="marketing",
                    models=("churn",),
                    predictions_affected=204,
                    first_prediction_id="c1",
                    performance_change=-0.03,
                    interval=a.Interval(lower=-0.05, upper=-0.01),
                ),
            ),
        ),
        owner="team-shop",
        runbook_url="https://runbooks.example/join",
        links=a.Links(
            console="https://c", dashboard="https://d", run="https://r", change="https://h", trace="https://t"
        ),
        previous_alert_id="b5bb9d8014a0f9b1",
    ),
}

MINIMAL: dict[str, Any] = {
    "data_batch": e.DataBatch(pipeline="shop", dataset="orders", produced_at=NOW, rows=0),
    "prediction": e.Prediction(pipeline="shop", model="fraud", scored_at=NOW, scores=doubles(0.5)),
    "outcome": e.Outcome(pipeline="shop", model="fraud", observed_at=NOW),
    "change": e.Change(pipeline="shop", component="join", kind=e.ChangeKind.CODE, at=NOW),
    "observation": o.Observation(kind=o.ObservationKind.TICK, pipeline="shop", at=NOW, arrived_at=NOW),
    "alert": a.Alert(
        alert_id="9f86d081884c7d65",
        revision=1,
        status=a.Status.FIRING,
        stage_of_diagnosis=a.StageOfDiagnosis.SUSPECTED,
        environment="production",
        pipeline="shop",
        severity=a.Severity.INFO,
        kind=a.CauseKind.UNKNOWN,
        title="something moved",
        summary="It is not known why.",
        onset=a.Onset(earliest=NOW, latest=NOW),
        detected_at=NOW,
        cause=a.Cause(kind=a.CauseKind.UNKNOWN, component=""),
        cause_key="unknown",
    ),
}
