from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from streams.task.snapshots import LONGEST_MICROS, MOST_SECONDS, PART_BYTES, Ledger, assemble, pieces


@dataclass
class Record:
    stored: tuple[bytes, bytes | None]

    def key(self) -> bytes | None:
        return self.stored[0]

    def value(self) -> bytes | None:
        return self.stored[1]


@given(st.dictionaries(st.text(alphabet="ab/c\n", max_size=4), st.binary(max_size=99)))
def test_every_subject_comes_back_as_it_was_written_last(states: dict[str, bytes]) -> None:
    records = [
        Record(record)
        for position, (subject, body) in enumerate(states.items(), start=1)
        for older in (b"older" + body, body)
        for record in pieces("detect", subject, position if older == body else 0, position, older)
    ]
    found = assemble("detect", records).states
    assert {subject: snapshot.body for subject, snapshot in found.items()} == states


def test_a_state_that_shrank_is_not_mixed_with_the_parts_of_its_past() -> None:
    large, small = bytes(2 * PART_BYTES + 1), b"small"
    records = [*pieces("detect", "s", 1, 0, large), *pieces("detect", "s", 2, 7, small)]
    found = assemble("detect", map(Record, records))
    assert (found.states["s"].body, found.states["s"].position, found.floor) == (small, 2, 7)


def test_other_agents_states_and_deleted_ones_are_passed_over() -> None:
    ((key, _),) = pieces("detect", "gone", 1, 0, b"")
    records = [*pieces("diagnose", "s", 1, 5, b"x"), (key, None)]
    assert assemble("detect", map(Record, records)).states == {}


def test_a_subject_is_due_when_its_input_outgrows_its_state_a_hundred_times_or_is_an_hour_old() -> None:
    ledger = Ledger()
    ledger.cover("busy", 10)
    ledger.cover("idle", 10)
    ledger.note("busy", 1, 1001, now=0)
    ledger.note("idle", 2, 1, now=0)
    assert ledger.due(now=1) == ["busy"]
    assert ledger.due(now=LONGEST_MICROS + 1) == ["busy", "idle"]


def test_the_costliest_subject_is_due_while_all_together_owe_more_than_a_recovery_may_take() -> None:
    ledger = Ledger()
    ledger.note("wide", 1, 1, now=0, seconds=0.6 * MOST_SECONDS)
    assert ledger.due(now=1) == []
    ledger.note("narrow", 2, 1, now=0, seconds=0.5 * MOST_SECONDS)
    assert ledger.due(now=1) == ["wide"]
    ledger.cover("wide", 10)
    assert ledger.due(now=1) == []


def test_the_floor_is_the_first_entry_that_no_snapshot_covers() -> None:
    ledger = Ledger()
    ledger.note("a", 5, 1, now=0)
    ledger.note("b", 8, 1, now=0)
    ledger.note("a", 9, 1, now=0)
    assert ledger.floor(end=20) == 5
    assert ledger.floor(end=20, without=["a"]) == 8
    ledger.cover("a", 1)
    ledger.cover("b", 1)
    assert ledger.floor(end=20) == 20
