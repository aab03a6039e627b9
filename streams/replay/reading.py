"""All partitions of a topic as one sequence, in the order in which they were stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import TypeAlias, cast

from streams.admin import Broker, name_of
from streams.kafka.chunk import Headers
from streams.kafka.log import read_partition
from streams.mendable import Mendable
from streams.settings import Settings
from streams.topics import Topic

Micros: TypeAlias = int


class NothingRecorded(Mendable, LookupError):
    """A topic that is to be replayed does not exist."""


@dataclass(slots=True, kw_only=True)
class Recorded:
    """A committed record, as it lies in its topic; ``timestamp`` in milliseconds (see ``streams.kafka.chunk``)."""

    topic: Topic
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def stored_at(self) -> Micros:
        """When Kafka stored it."""
        return self.timestamp * 1000


def partitions_of(settings: Settings, topics: Sequence[Topic]) -> dict[Topic, int]:
    """How many partitions each topic has.

    Raises:
        MissingBroker, BrokerUnreachable, NotAllowed: no Kafka to read from.
        NothingRecorded: Headwater has not run there yet.
    """
    with Broker(settings) as broker:
        counts = broker.partition_counts(topics)
    if missing := [name_of(topic, settings) for topic in topics if topic not in counts]:
        raise NothingRecorded(f"there is no topic {missing[0]} at {settings.bootstrap}: has a worker run there?")
    return dict(counts)


def recorded(settings: Settings, partitions: Mapping[Topic, int]) -> Iterator[Recorded]:
    """Every committed record of some topics as of now, by when it was stored; each partition in its own order.

    Raises:
        EndNotReached: the end of a partition stayed hidden.
    """
    everywhere = [(topic, partition) for topic, count in partitions.items() for partition in range(count)]
    return merge(*(_partition(settings, *place) for place in everywhere), key=lambda record: record.timestamp)


def _partition(settings: Settings, topic: Topic, partition: int) -> Iterator[Recorded]:
    for message in read_partition(settings, name_of(topic, settings), partition):
        yield Recorded(
            topic=topic,
            partition=partition,
            offset=message.offset() or 0,
            timestamp=message.timestamp()[1],
            key=message.key(),
            value=message.value(),
            headers=cast(Headers, message.headers() or ()),
        )
