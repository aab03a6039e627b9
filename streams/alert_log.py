"""Reading the alerts topic as any subscriber may: committed revisions only, no group, nothing committed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from diagnosis.alert import Alert
from schemas import MalformedEvent
from schemas.codec import Codec
from streams.admin import Broker, name_of
from streams.clients import consumer
from streams.mendable import Mendable
from streams.settings import Settings
from streams.topics import Topic

Micros: TypeAlias = int

GROUP = "headwater-alerts-reader"
QUERY_TIMEOUT_S = 15.0
SILENCE_TIMEOUT_S = 30.0


class NoAlertsTopic(Mendable, LookupError):
    """The alerts topic does not exist."""


class TopicSilent(Mendable, TimeoutError):
    """A partition of the alerts topic could not be read to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One revision as it was published: when Kafka stored it, and what it says."""

    stored_at: Micros
    alert: Alert


class AlertLog:
    """The revisions on the alerts topic, from the beginning or from a time (of their storing) on.

    Raises on construction:
        MissingBroker, BrokerUnreachable, NotAllowed: no Kafka to read from.
        NoAlertsTopic: Headwater has not run there yet.
    """

    def __init__(self, settings: Settings, since: Micros | None = None) -> None:
        self._codec = Codec("alert", Alert)
        self._topic = name_of(Topic.ALERTS, settings)
        with Broker(settings) as broker:
            count = broker.partition_counts([Topic.ALERTS]).get(Topic.ALERTS)
        if count is None:
            raise NoAlertsTopic(
                f"there is no topic {self._topic} at {settings.bootstrap}: is HEADWATER_TOPIC_PREFIX right, and has "
                "`headwater topics create` or a worker run?"
            )
        self._reader = consumer(settings, GROUP, **{"enable.partition.eof": True, "log_level": 0})
        self._reader.assign(_starts(self._reader, self._topic, count, since))
        self._unfinished = set(range(count))
        self.unreadable = 0

    def past(self) -> Iterator[Published]:
        """What is there now, in the order of each partition; then ``follow`` goes on from there.

        Raises:
            TopicSilent: the end was not reached for 30 s.
        """
        deadline = time.monotonic() + SILENCE_TIMEOUT_S
        while self._unfinished:
            if time.monotonic() > deadline:
                raise TopicSilent(f"the end of {self._topic} could not be read within {SILENCE_TIMEOUT_S:.0f} s")
            for published in self._next(0.2):
                deadline = time.monotonic() + SILENCE_TIMEOUT_S
                yield published

    def follow(self) -> Iterator[Published | None]:
        """Whatever comes, for ever; None about once a second when nothing does."""
        while True:
            empty = True
            for published in self._next(1.0):
                empty = False
                yield published
            if empty:
                yield None

    def close(self) -> None:
        """Leave the broker."""
        self._reader.close()

    def __enter__(self) -> "AlertLog":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _next(self, timeout_s: float) -> Iterator[Published]:
        for message in self._reader.consume(500, timeout_s):
            error = message.error()
            if error is None:
                alert = self._alert(message.value())
                if alert is not None:
                    yield Published(stored_at=message.timestamp()[1] * 1000, alert=alert)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._unfinished.discard(message.partition())
            elif not error.retriable():
                raise KafkaException(error)

    def _alert(self, value: bytes | None) -> Alert | None:
        try:
            return self._codec.decode(value)
        except MalformedEvent:
            self.unreadable += 1
            return None


def latest(revisions: Iterator[Published]) -> list[Alert]:
    """The latest revision of every alert, in the order in which the alerts were detected."""
    newest: dict[str, Alert] = {}
    for published in revisions:
        alert = published.alert
        if alert.alert_id not in newest or newest[alert.alert_id].revision <= alert.revision:
            newest[alert.alert_id] = alert
    return sorted(newest.values(), key=lambda alert: (alert.detected_at, alert.alert_id))


def _starts(reader: Consumer, topic: str, partitions: int, since: Micros | None) -> list[TopicPartition]:
    if since is None:
        return [TopicPartition(topic, partition, 0) for partition in range(partitions)]
    asked = [TopicPartition(topic, partition, max(0, since // 1000)) for partition in range(partitions)]
    return reader.offsets_for_times(asked, timeout=QUERY_TIMEOUT_S)
