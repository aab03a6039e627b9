"""The board: what the demo knows after observations and alerts."""

from dataclasses import replace

import numpy as np

from detectors.finding import Finding
from detectors.judgement import Readings
from diagnosis.alert import Alert, Cause, CauseKind, Onset, Severity, StageOfDiagnosis, Status
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind
from streams.demo.board import Board

ALERT = Alert(
    alert_id="a",
    revision=1,
    status=Status.FIRING,
    stage_of_diagnosis=StageOfDiagnosis.SUSPECTED,
    environment="demo",
    pipeline="shop",
    severity=Severity.WARNING,
    kind=CauseKind.UNKNOWN,
    title="something",
    summary="something",
    onset=Onset(earliest=1, latest=2),
    detected_at=10,
    cause=Cause(kind=CauseKind.UNKNOWN, component="orders"),
    cause_key="k",
)
FINDING = Finding(
    subject="shop/orders", statistic="location", column="amount", evidence_nats=30.0, alarm_batch_id="b9", alarm_at=9,
    onset_earliest=8, onset_latest=9, sentence="amount is higher",
)  # fmt: skip


def seen(name: str, evidence: list[float], findings: tuple[Finding, ...] = ()) -> Observation:
    readings = Readings(
        column=("amount",) * len(evidence),
        statistic=("missing_rate", "location")[: len(evidence)],
        evidence=np.array(evidence),
    )
    return Observation(
        kind=ObservationKind.BATCH, pipeline="shop", name=name, at=1, arrived_at=1, rows=100, readings=readings,
        findings=findings,
    )  # fmt: skip


def test_a_subject_counts_its_batches_and_shows_its_strongest_evidence() -> None:
    board = Board.of("shop", ["orders", "features"])
    board.note(seen("orders", [1.0, 7.5]))
    board.note(seen("orders", [np.nan, 9.0]))
    orders = board.subjects["orders"]
    assert (orders.batches, orders.rows, orders.evidence) == (2, 200, 9.0)
    assert orders.suspicious == "location of amount"
    assert board.seen_everywhere == 0


def test_a_finding_is_fresh_once_however_often_it_is_repeated() -> None:
    board = Board.of("shop", ["orders"])
    board.note(seen("orders", [1.0, 30.0], (FINDING,)))
    board.note(seen("orders", [1.0, 31.0], (FINDING,)))
    assert board.take_fresh() == [FINDING]
    assert board.take_fresh() == []


def test_another_pipeline_is_none_of_its_business() -> None:
    board = Board.of("shop", ["orders"])
    board.note(replace(seen("orders", [1.0]), pipeline="bank"))
    board.hear(replace(ALERT, pipeline="bank"), 1.0)
    assert board.subjects["orders"].batches == 0
    assert board.alert is None


def test_only_a_revision_that_says_something_else_counts_as_revised() -> None:
    board = Board.of("shop", [])
    board.hear(ALERT, 1.0)
    board.hear(replace(ALERT, revision=2), 2.0)
    assert (board.first_alert_at, board.revised_at) == (1.0, 1.0)
    board.hear(replace(ALERT, revision=3, stage_of_diagnosis=StageOfDiagnosis.DIAGNOSED), 3.0)
    board.hear(replace(ALERT, revision=1), 4.0)  # delivered late
    assert (board.first_alert_at, board.revised_at) == (1.0, 3.0)
    assert board.alert is not None
    assert board.alert.revision == 3


def test_the_alert_shown_is_one_that_fires() -> None:
    board = Board.of("shop", [])
    board.hear(replace(ALERT, alert_id="gone", status=Status.RESOLVED, detected_at=1), 1.0)
    board.hear(replace(ALERT, alert_id="merged", status=Status.SUPERSEDED, detected_at=2), 1.0)
    board.hear(replace(ALERT, alert_id="fires", detected_at=3), 1.0)
    assert board.alert is not None
    assert board.alert.alert_id == "fires"
