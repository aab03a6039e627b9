"""Feeding: a life goes out tick by tick, to the topics and under the keys that producers use."""

from typing import Any

from simulation.catalogue import FAULTS
from simulation.checkout import CHECKOUT
from simulation.life import Life
from streams.demo.feeding import Feed
from streams.topics import Topic


class Kept:
    """A delivery that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, outgoing: Any) -> None:
        self.sent.append(outgoing)


def test_ticks_go_out_one_by_one_and_everything_once() -> None:
    whole = list(Life(CHECKOUT, FAULTS["unit-change"], seed=1, start=0, ticks=5, onset=3))
    kept = Kept()
    feed = Feed(Life(CHECKOUT, FAULTS["unit-change"], seed=1, start=0, ticks=5, onset=3), kept)  # type: ignore[arg-type]
    batches = []
    while not feed.over:
        feed.send_tick()
        batches.append(feed.batches)
    steps = len(CHECKOUT.steps)
    assert batches == [steps, 2 * steps, 3 * steps, 4 * steps, 5 * steps]
    assert [one.at for one in kept.sent] == [one.at for one in whole]


def test_events_go_to_their_topics_under_their_keys() -> None:
    kept = Kept()
    feed = Feed(Life(CHECKOUT, FAULTS["unit-change"], seed=1, start=0, ticks=5, onset=3), kept)  # type: ignore[arg-type]
    while not feed.over:
        feed.send_tick()
    assert {one.topic for one in kept.sent} == {Topic.DATA_BATCHES, Topic.PREDICTIONS, Topic.OUTCOMES, Topic.CHANGES}
    assert {one.key for one in kept.sent if one.topic is not Topic.DATA_BATCHES} == {
        b"checkout/fraud",
        b"checkout/orders",
    }
