"""What an agent is fed: a run of raw records of one partition, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, bytes]]


class RawRecord(Protocol):
    """What we use of a consumed record; ``timestamp`` is milliseconds since the epoch."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive records of one partition.

    topic: without the prefix. begin: the position they were fetched from. end: the position after the last record.
    epoch: the assignment they were fetched under; a chunk of an earlier one is stale.
    """

    topic: str
    partition: int
    begin: int
    end: int
    epoch: int
    bytes: int
    records: tuple[RawRecord, ...]


def size_of(record: RawRecord) -> int:
    """Bytes a record holds."""
    return len(record.value or b"") + len(record.key or b"") + 64


def cut(records: Sequence[RawRecord], most_records: int, most_bytes: int) -> Iterator[tuple[RawRecord, ...]]:
    """Runs of at most ``most_records`` records and about ``most_bytes`` bytes; a larger record stands alone."""
    run: list[RawRecord] = []
    held = 0
    for record in records:
        size = size_of(record)
        if run and (len(run) >= most_records or held + size > most_bytes):
            yield tuple(run)
            run, held = [], 0
        run.append(record)
        held += size
    if run:
        yield tuple(run)
