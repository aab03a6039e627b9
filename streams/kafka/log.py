"""Reading one partition back, from an offset to its end as of now."""

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.clients import consumer
from streams.settings import Settings

END_TIMEOUT_S = 45.0
QUERY_TIMEOUT_S = 15.0


class EndNotReached(TimeoutError):
    """An open transaction kept the end of a partition hidden for too long."""


def read_partition(settings: Settings, topic: str, partition: int, start: int = 0) -> Iterator[Message]:
    """Every committed record from ``start`` to what is the end when the reading begins.

    The end includes what open transactions of others still hide: the reader waits for them (a dead worker's
    transaction is aborted by the broker after its timeout), so that nothing of ours stays unseen behind them.

    Raises:
        EndNotReached: the end stayed hidden for 45 s.
    """
    low, end = _watermarks(settings, topic, partition)
    start = max(start, low)
    if start >= end:
        return
    reader = consumer(
        settings,
        "headwater-log-reader",
        **{"enable.partition.eof": True, "fetch.wait.max.ms": 10, "check.crcs": True},
    )
    try:
        reader.assign([TopicPartition(topic, partition, start)])
        yield from _until(reader, end, f"{topic}[{partition}]")
    finally:
        reader.close()


def _watermarks(settings: Settings, topic: str, partition: int) -> tuple[int, int]:
    reader = consumer(settings, "headwater-log-reader", **{"isolation.level": "read_uncommitted"})
    try:
        low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=QUERY_TIMEOUT_S)
        return low, high
    finally:
        reader.close()


def _until(reader: Consumer, end: int, where: str) -> Iterator[Message]:
    deadline = time.monotonic() + END_TIMEOUT_S
    while time.monotonic() < deadline:
        message = reader.poll(0.5)
        if message is None:
            continue
        error = message.error()
        if error is None:
            deadline = time.monotonic() + END_TIMEOUT_S
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            if (message.offset() or 0) >= end:
                return
        elif not error.retriable():
            raise KafkaException(error)
    raise EndNotReached(f"the end of {where} ({end}) stayed hidden for {END_TIMEOUT_S:.0f} s")
