"""Alerts as long as they get: thirty hops, as many symptoms as are listed, suspects and what was ruled out."""

from collections.abc import Iterator
from hashlib import blake2b

from benchmarks.index.world import HOPS, PIPELINE, batch_id
from detectors.finding import Finding
from diagnosis.alert import (
    Alert,
    Cause,
    CauseKind,
    Hop,
    Impact,
    Match,
    Onset,
    Rejected,
    Rejection,
    Severity,
    StageOfDiagnosis,
    Status,
    Verdict,
)
from diagnosis.policy import Policy
from streams.index.keys import Micros

MINUTE: Micros = 60_000_000


def alerts(number: int, at: Micros) -> Iterator[Alert]:
    """So many of them."""
    for i in range(number):
        yield _alert(alert_id(i), at)


def alert_id(number: int) -> str:
    """The id of one of them."""
    return blake2b(str(number).encode(), digest_size=16).hexdigest()


def _alert(name: str, at: Micros) -> Alert:
    cause = Cause(kind=CauseKind.CODE_CHANGE, component="step_1", column="amount", confidence=0.9)
    return Alert(
        alert_id=name,
        revision=4,
        status=Status.FIRING,
        stage_of_diagnosis=StageOfDiagnosis.DIAGNOSED,
        environment="benchmark",
        pipeline=PIPELINE,
        severity=Severity.CRITICAL,
        kind=CauseKind.CODE_CHANGE,
        title="Code change in step_1 broke column amount (1.4.1 → 1.4.2)",
        summary="Since 10:01 the mean of amount in step_1 is 3,204 instead of 3.2.",
        next_steps=("Roll step_1 back to 1.4.1.", "Score the affected predictions again."),
        onset=Onset(earliest=at - 2 * MINUTE, latest=at - MINUTE, batch_id=batch_id("step_1", 7)),
        detected_at=at,
        cause=cause,
        cause_key=f"{PIPELINE}/step_1/CODE_CHANGE",
        suspects=tuple(Cause(kind=CauseKind.SOURCE_DATA, component=f"side_{i}", confidence=0.02) for i in range(5)),
        rejected=tuple(
            Rejected(kind=CauseKind.MODEL_CHANGE, component="fraud", reason=Rejection.AFTER_ONSET, detail="later")
            for _ in range(5)
        ),
        path=tuple(_hop(i) for i in range(HOPS)),
        symptoms=tuple(_symptom(i, at) for i in range(Policy().max_symptoms)),
        impact=Impact(models=("fraud",), predictions_affected=10_000_000, share_of_predictions=1.0),
    )


def _hop(number: int) -> Hop:
    verdict = Verdict.HEALTHY if number == 0 else Verdict.INTRODUCED if number == 1 else Verdict.INHERITED
    name = f"step_{number}"
    return Hop(
        pipeline=PIPELINE,
        dataset=name,
        stage=name,
        batch_id=batch_id(name, 7),
        match=Match.EXACT,
        topic="data-batches",
        partition=3,
        offset=number,
        verdict=verdict,
    )


def _symptom(number: int, at: Micros) -> Finding:
    return Finding(
        subject=f"{PIPELINE}/step_{1 + number % (HOPS - 1)}",
        statistic="location",
        column=f"amount_{number}",
        observed=3_204.0,
        expected=3.2,
        effect=4.1,
        evidence_nats=54.0,
        alarm_batch_id=batch_id("step_1", 7),
        alarm_at=at,
        onset_earliest=at - 2 * MINUTE,
        onset_latest=at - MINUTE,
        sentence=f"mean of `amount_{number}` is 3,204, a thousand times its baseline 3.2",
    )
