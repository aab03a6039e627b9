"""Where a record really comes from, and what is done with one that is not for us: moved, or buried."""

from collections.abc import Mapping
from dataclasses import dataclass

from diagnosis.provenance import Origin
from schemas.malformed import MalformedEvent, Reason
from streams.kafka.chunk import Chunk, RawRecord
from streams.kafka.transaction import Output
from streams.topics import Topic

TOPIC, PARTITION, OFFSET, ARRIVED = "headwater-topic", "headwater-partition", "headwater-offset", "headwater-arrived"
REASON, ERROR = "headwater-reason", "headwater-error"
LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """A record with its origin: for one from the inbox, where its producer wrote it. ``arrived_at`` in microseconds."""

    record: RawRecord
    topic: Topic
    origin: Origin
    arrived_at: int
    moved: bool


def sourced(record: RawRecord, topic: Topic, chunk: Chunk) -> Sourced:
    """The record of a chunk, traced back to its producer's topic."""
    told = dict(record.headers)
    if TOPIC not in told:  # also what a stranger put into the inbox: it has no decoder and becomes a dead letter
        origin = Origin(topic=topic.value, partition=chunk.partition, offset=record.offset)
        return Sourced(record=record, topic=topic, origin=origin, arrived_at=record.timestamp * 1000, moved=False)
    origin = Origin(topic=told[TOPIC].decode(), partition=int(told[PARTITION]), offset=int(told[OFFSET]))
    return Sourced(record=record, topic=Topic(origin.topic), origin=origin, arrived_at=int(told[ARRIVED]), moved=True)


def move(source: Sourced, inbox: str, partition: int) -> Output:
    """The record as it goes to the inbox partition where its key belongs, with its origin in headers."""
    return Output(
        topic=inbox,
        partition=partition,
        key=source.record.key,
        value=source.record.value,
        headers=_headers(_origin(source.origin) | {ARRIVED: str(source.arrived_at)}),
    )


def bury(
    key: bytes | None, value: bytes | None, origin: Origin, dead_letters: str, partition: int, error: MalformedEvent
) -> Output:
    """A record as a dead letter: the original bytes, and in headers why and where it was; never a value."""
    told = {REASON: error.reason.value, ERROR: str(error)[:LONGEST_ERROR]}
    headers = _headers(told | _origin(origin))
    return Output(topic=dead_letters, partition=partition, key=key, value=value, headers=headers)


def our_fault(failure: Exception) -> MalformedEvent:
    """A defect of ours, as what it costs: one event. Its type only; a message could hold a value."""
    return MalformedEvent(Reason.OUR_FAULT, f"{type(failure).__name__} while it was folded; the worker's log has more")


def _origin(origin: Origin) -> dict[str, str]:
    return {TOPIC: origin.topic, PARTITION: str(origin.partition), OFFSET: str(origin.offset)}


def _headers(told: Mapping[str, str]) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in told.items()]
