"""A recorded log folded again."""

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from schemas import Codec
from streams.replay.diagnosing import AS_RECORDED, LETTERS, OWN_ALERTS, Diagnosis
from streams.topics import partition_of
from tests.diagnosis.story import POLICY, Shift, World, chain, run_together

BREAK = 30
PARTITIONS = 4
CODEC = Codec("alert", Alert)
SHIFTS = [
    Shift("orders", "amount", "location", BREAK, 40, until=BREAK + 12),
    Shift("features", "age", "missing_rate", BREAK + 4, 40),
]
EVENTS = World(chain(), SHIFTS, pipelines=dict.fromkeys(("orders", "customers", "clean"), "lake")).rounds(0, BREAK + 40)


def replayed(log: list[Observation], afresh: frozenset) -> list[bytes]:
    diagnosis = Diagnosis(POLICY, PARTITIONS, afresh=afresh)
    alerts = [
        alert for seen in log for alert in diagnosis.fold(partition_of(seen.addressee.encode(), PARTITIONS), seen)
    ]
    assert diagnosis.defects == 0
    return [CODEC.encode(alert) for alert in alerts]


def test_a_recorded_log_says_again_what_was_said_to_the_last_byte() -> None:
    _, alerts, log = run_together(EVENTS, POLICY)

    assert len(alerts) > 2
    assert replayed(log, AS_RECORDED) == [CODEC.encode(alert) for alert in alerts]


def test_what_pipelines_write_to_each_other_can_be_written_anew() -> None:
    _, alerts, log = run_together(EVENTS, POLICY)
    said = [CODEC.encode(alert) for alert in alerts]

    assert replayed(log, OWN_ALERTS) == said
    assert replayed(EVENTS, LETTERS) == said


def test_a_record_that_cannot_be_folded_is_counted_and_the_others_go_on() -> None:
    defect: Observation = object.__new__(Observation)
    for name in Observation.__slots__:
        object.__setattr__(defect, name, getattr(EVENTS[0], name))
    object.__setattr__(defect, "findings", (None,))
    diagnosis = Diagnosis(POLICY, 1, afresh=LETTERS)

    assert list(diagnosis.fold(0, defect)) == []
    assert diagnosis.defects == 1
    assert list(diagnosis.fold(0, EVENTS[0])) == []
    assert diagnosis.defects == 1
