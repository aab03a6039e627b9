"""How tasks tell each other their shares of the budget: one compacted record per partition (decision 8)."""

import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from streams.clients import consumer
from streams.detect.budget import Share
from streams.kafka.transaction import Output
from streams.plain import from_bytes, to_bytes
from streams.settings import Settings
from streams.topics import Topic

KEY = b"share"
LOOK_EVERY_S = 1.0
LOAD_WITHIN_S = 30.0
MOST_AT_ONCE = 1_000


def telling(topic: str, partition: int, share: Share) -> Output:
    """The record by which the task of ``partition`` tells its share, in a transaction of its own."""
    return Output(topic=topic, partition=partition, key=KEY, value=to_bytes(share))


class SharesNotRead(TimeoutError):
    """What the other tasks told could not be read."""


class Shares:
    """Reads the ``budget`` topic; partition = task. Not safe to be called from several threads at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic_prefix + Topic.BUDGET
        self._reader: Consumer | None = None
        self._next_look = 0.0

    def news(self) -> dict[int, Share]:
        """By partition, what was told since the last call: all of it at first, later looked up once a second.

        Raises:
            SharesNotRead: the broker did not give the first answer within 30 s.
            UnreadableState: a record is not one of ours.
        """
        now = time.monotonic()
        if self._reader is None:
            self._reader = self._assigned()
            found = _to_the_ends(self._reader, self._settings.partitions)
        elif now < self._next_look:
            return {}
        else:
            found = _shares(self._reader.consume(MOST_AT_ONCE, 0.0))
        self._next_look = now + LOOK_EVERY_S
        return found

    def _assigned(self) -> Consumer:
        reader = consumer(self._settings, "headwater-log-reader", **{"enable.partition.eof": True})
        reader.assign([TopicPartition(self._topic, partition, 0) for partition in range(self._settings.partitions)])
        return reader


def _to_the_ends(reader: Consumer, partitions: int) -> dict[int, Share]:
    """Everything told so far."""
    found: dict[int, Share] = {}
    ended: set[int | None] = set()
    deadline = time.monotonic() + LOAD_WITHIN_S
    while len(ended) < partitions:
        if time.monotonic() > deadline:
            raise SharesNotRead(f"{partitions - len(ended)} partitions of the budget were not read in time")
        messages = reader.consume(MOST_AT_ONCE, 0.1)
        found |= _shares(messages)
        ended |= {one.partition() for one in messages if _is_end(one)}
    return found


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def _shares(messages: Iterable[Message]) -> dict[int, Share]:
    """The newest share per partition; while the broker is away, what was told last stands."""
    told = [one for one in messages if one.error() is None and one.key() == KEY]
    return {one.partition() or 0: from_bytes(Share, one.value() or b"") for one in told}
