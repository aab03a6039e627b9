"""What the index keeps, as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind, Origin, Parent, PredictionRef
from streams.index.header import header_of
from streams.index.stored import (
    UnreadableEntry,
    alert_from_bytes,
    alert_to_bytes,
    events_from_bytes,
    events_to_bytes,
    node_from_bytes,
    node_to_bytes,
)

numbers = st.integers(0, 2**50)
topics = st.sampled_from(["predictions", "inbox"])
events = st.builds(
    PredictionRef,
    origin=st.builds(Origin, topic=topics, partition=st.integers(0, 99), offset=numbers),
    at=numbers,
    rows=st.integers(0, 500),
    ids=st.lists(st.text(), max_size=4).map(tuple),
    parents=st.lists(st.integers(0, 5), max_size=3).map(tuple),
    trace_id=st.none() | st.text(),
)


@given(st.lists(events, max_size=8).map(tuple))
def test_the_events_of_a_window_come_back_as_they_were(window: tuple[PredictionRef, ...]) -> None:
    assert events_from_bytes(events_to_bytes(window)) == window


def test_an_alert_comes_back_as_it_was(broken_deploy: Alert) -> None:
    assert alert_from_bytes(alert_to_bytes(broken_deploy)) == broken_deploy


def test_a_header_keeps_what_a_trace_shows() -> None:
    observation = Observation(
        kind=ObservationKind.BATCH,
        pipeline="taxi",
        name="clean",
        batch_id="clean-1",
        at=5,
        arrived_at=6,
        rows=7,
        origin=Origin(topic="data-batches", partition=2, offset=9),
        parents=(Parent(dataset="rides", pipeline="taxi", batch_id="rides-1"), Parent(dataset="x", pipeline="food")),
        versions={"code": "v1"},
        run_id="r1",
    )

    stored = node_from_bytes(node_to_bytes(header_of(observation)))

    assert stored.origin == ("data-batches", 2, 9)
    named = [(parent.dataset, parent.pipeline, parent.batch_id) for parent in stored.parents]
    assert named == [("rides", None, "rides-1"), ("x", "food", None)]
    assert (stored.versions, stored.run_id, stored.rows) == ({"code": "v1"}, "r1", 7)


@pytest.mark.parametrize("read", [alert_from_bytes, events_from_bytes, node_from_bytes])
@given(damaged=st.binary(max_size=40))
def test_damaged_bytes_are_said_to_be_unreadable(read: object, damaged: bytes) -> None:
    with pytest.raises(UnreadableEntry):
        read(damaged)  # type: ignore[operator]  # each takes bytes
