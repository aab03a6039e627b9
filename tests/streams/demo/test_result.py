"""Right or wrong: an alert against the fault it should have found."""

from dataclasses import replace

import pytest

from diagnosis.alert import Alert, Cause, CauseKind, Onset, Severity, StageOfDiagnosis, Status
from simulation.catalogue import FAULTS
from streams.demo.result import expected_of, is_right

RIGHT = Alert(
    alert_id="a",
    revision=2,
    status=Status.FIRING,
    stage_of_diagnosis=StageOfDiagnosis.DIAGNOSED,
    environment="demo",
    pipeline="checkout",
    severity=Severity.CRITICAL,
    kind=CauseKind.CODE_CHANGE,
    title="",
    summary="",
    onset=Onset(earliest=1, latest=2),
    detected_at=10,
    cause=Cause(kind=CauseKind.CODE_CHANGE, component="fraud_features", column="amount_per_item"),
    cause_key="k",
)


def test_kind_place_and_column_make_it_right() -> None:
    assert is_right(FAULTS["code-deploy"], [RIGHT])


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RIGHT, cause=replace(RIGHT.cause, kind=CauseKind.SOURCE_DATA)),
        replace(RIGHT, cause=replace(RIGHT.cause, component="orders")),
        replace(RIGHT, cause=replace(RIGHT.cause, column="amount_log")),
        replace(RIGHT, stage_of_diagnosis=StageOfDiagnosis.SUSPECTED),
        replace(RIGHT, status=Status.RESOLVED),
    ],
)
def test_anything_else_is_wrong(wrong: Alert) -> None:
    assert not is_right(FAULTS["code-deploy"], [wrong])


def test_no_alert_is_wrong() -> None:
    assert not is_right(FAULTS["code-deploy"], [])


def test_a_second_alert_that_blames_something_else_makes_it_wrong_until_it_is_closed() -> None:
    other = replace(RIGHT, alert_id="b", cause=replace(RIGHT.cause, component="orders"))
    assert not is_right(FAULTS["code-deploy"], [RIGHT, other])
    assert is_right(FAULTS["code-deploy"], [RIGHT, replace(other, status=Status.SUPERSEDED)])


def test_a_fault_in_no_single_column_asks_for_none() -> None:
    cause = Cause(kind=CauseKind.JOIN, component="enriched_orders", column="age")
    assert is_right(FAULTS["join-mismatch"], [replace(RIGHT, cause=cause)])


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_expects_a_kind_of_the_taxonomy(name: str) -> None:
    assert CauseKind(expected_of(FAULTS[name]).kind) is not CauseKind.UNKNOWN
