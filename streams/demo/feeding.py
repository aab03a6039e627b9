"""Sends a simulated life into Kafka, as its producers would: a tick at a time, each when it is due."""

from collections.abc import Iterator
from itertools import chain

from schemas.events import Change, DataBatch, Event, Outcome
from simulation.life import Arrival, Life
from streams.ingest.delivery import Delivery
from streams.ingest.events import Outgoing
from streams.topics import Topic


class Feed:
    """A life on its way into Kafka; ``tick`` is the next one to send, ``batches`` and ``rows`` what was sent."""

    def __init__(self, life: Life, delivery: Delivery) -> None:
        self._delivery = delivery
        self._arrivals: Iterator[Arrival] = iter(life)
        self.tick = 0
        self.batches = 0
        self.rows = 0
        self.over = False

    def send_tick(self) -> None:
        """Sends everything that arrives before anything of the next tick does."""
        for arrival in self._arrivals:
            if arrival.tick > self.tick:
                self._arrivals = chain([arrival], self._arrivals)
                self.tick += 1
                return
            self._send(arrival)
        self.over = True
        self.tick += 1

    def _send(self, arrival: Arrival) -> None:
        event = arrival.event
        if isinstance(event, DataBatch):
            self.batches += 1
            self.rows += event.rows
        topic, name = address(event)
        self._delivery.send(Outgoing(topic, name, event, arrival.at, 0))


def address(event: Event) -> tuple[Topic, str]:
    """The topic of an event, and the name that its key ends with."""
    if isinstance(event, DataBatch):
        return Topic.DATA_BATCHES, event.dataset
    if isinstance(event, Change):
        return Topic.CHANGES, event.component
    if isinstance(event, Outcome):
        return Topic.OUTCOMES, event.model
    return Topic.PREDICTIONS, event.model
