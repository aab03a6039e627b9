"""What a record adds to the index."""

import pytest

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind, Origin, Parent, PredictionRef
from streams.index.keys import Keys, Shelf
from streams.index.texts import child_text
from streams.index.writing import Logged, Writer, texts_of

WRITER = Writer(Keys("t."), 30.0)
SHELF = Shelf(11_574, 0)


def batch(kind: ObservationKind = ObservationKind.BATCH, **fields: object) -> Observation:
    given = {"kind": kind, "pipeline": "taxi", "name": "clean", "batch_id": "c-1", "at": 10**15, "arrived_at": 10**15}
    return Observation(**(given | fields))  # type: ignore[arg-type]  # fields of the test's choice


def logged(observation: Observation) -> Logged[Observation]:
    return Logged(partition=1, offset=2, stored_at=10**15, value=observation)


def test_the_same_record_gives_the_same_commands() -> None:
    first = WRITER.of_observation(logged(batch()), SHELF)

    assert first == WRITER.of_observation(logged(batch()), SHELF)
    keys = [command[3] if command[0] == "EVAL" else command[1] for command in first]
    assert all(str(key).startswith("t.index:") for key in keys)


@pytest.mark.parametrize(
    "kind",
    sorted(set(ObservationKind) - {ObservationKind.BATCH, ObservationKind.WINDOW}),
)
def test_records_that_are_no_batches_add_nothing(kind: ObservationKind) -> None:
    assert WRITER.of_observation(logged(batch(kind)), SHELF) == []


def test_everything_of_a_batch_expires_with_the_retention() -> None:
    commands = WRITER.of_observation(logged(batch()), SHELF)

    written = {command[1] for command in commands if command[0] in ("ZADD", "HSET")}
    until = {command[1]: command[2] for command in commands if command[0] == "PEXPIREAT"}
    assert set(until) == written
    assert set(until.values()) == {10**12 + 30 * 86_400_000}


def test_a_window_is_found_by_each_of_its_predictions() -> None:
    origin = Origin(topic="predictions", partition=0, offset=0)
    window = batch(ObservationKind.WINDOW, predictions=(PredictionRef(origin=origin, at=0, rows=2, ids=("a", "b")),))

    assert {"p\na", "p\nb"} <= set(texts_of(window))


@pytest.mark.parametrize(
    ("parent", "text"),
    [
        (Parent(dataset="rides", batch_id="r-1", partition="p"), "c\ntaxi\nrides\nr-1"),
        (Parent(dataset="rides", partition="p"), "q\ntaxi\nrides\np"),
        (Parent(dataset="rides", batch_id="r-1", pipeline="food"), "c\nfood\nrides\nr-1"),
    ],
)
def test_children_are_found_as_exactly_as_they_name_their_parents(parent: Parent, text: str) -> None:
    assert child_text(parent, "taxi") == text


DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("parent", "key", "score"),
    [
        (Parent(dataset="rides"), "t.index:r/taxi/rides/11574", 10**15),
        (Parent(dataset="rides", pipeline="food"), "t.index:r/food/rides/11574", 10**15),
        (Parent(dataset="rides", window_start=7 * DAY, window_end=9 * DAY), "t.index:s/taxi/rides/7", 7 * DAY),
        (Parent(dataset="rides", window_end=9 * DAY), "t.index:s/taxi/rides/9", 9 * DAY),
    ],
)
def test_children_that_name_only_a_dataset_are_listed_by_time(parent: Parent, key: str, score: int) -> None:
    commands = WRITER.of_observation(logged(batch(parents=(parent,))), SHELF)

    assert ("ZADD", key, score) in [command[:3] for command in commands]


def test_only_the_latest_revision_of_an_alert_is_kept(broken_deploy: Alert) -> None:
    commands = WRITER.of_alert(Logged(partition=0, offset=0, stored_at=10**15, value=broken_deploy))

    assert [command[0] for command in commands].count("SET") == 1
    assert commands[0][1] == "t.index:alert/3f2a9c41d07be855"
