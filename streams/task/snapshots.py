"""States on the compacted ``state`` topic, and which part of the log they make superfluous."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from streams.plain import from_bytes, to_bytes

PART_BYTES = 900_000
SNAPSHOT_BYTES_PER_TRANSACTION = 8_000_000
INPUT_PER_STATE = 100
LONGEST_MICROS = 3_600_000_000
MOST_ENTRIES = 2_000  # folded again in seconds, however large the state is
MOST_SECONDS = 10.0  # of folding that all subjects together may owe: about what a recovery may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One record of the state topic: a piece of a subject's state.

    position: the sequence number of the log entry up to which the state stands. floor: the log offset below which the
    task needs nothing any more, as far as was known when this was written.
    """

    version: int = 1
    position: int
    floor: int
    index: int
    of: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A subject's state as it was after the log entry ``position``."""

    subject: str
    position: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """All snapshots of one task, and the log offset from which entries are still needed."""

    states: Mapping[str, Snapshot] = field(default_factory=dict)
    floor: int = 0


class KeyValue(Protocol):
    """The part of a consumed record that is read here."""

    def key(self) -> bytes | None: ...  # noqa: D102
    def value(self) -> bytes | None: ...  # noqa: D102


def pieces(agent: str, subject: str, position: int, floor: int, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The records (key, value) that hold a snapshot: more than one where the state is large."""
    of = max(1, -(-len(body) // PART_BYTES))
    for index in range(of):
        piece = body[index * PART_BYTES : (index + 1) * PART_BYTES]
        part = Part(position=position, floor=floor, index=index, of=of, body=piece)
        yield f"{agent}\n{subject}\n{index}".encode(), to_bytes(part)


def assemble(agent: str, records: Iterable[KeyValue]) -> Snapshots:
    """The newest complete snapshot of every subject of ``agent`` among the records of a partition.

    Raises:
        UnreadableState: a record is not one of ours.
    """
    parts: dict[str, dict[int, Part]] = {}
    floor = 0
    for record in records:
        key, value = record.key(), record.value()
        owner, _, rest = (key or b"").decode().partition("\n")
        if owner != agent:
            continue
        subject, _, index = rest.rpartition("\n")
        if value is None:
            parts.pop(subject, None)
            continue
        part = from_bytes(Part, value)
        floor = max(floor, part.floor)
        parts.setdefault(subject, {})[int(index)] = part
    return Snapshots(states={subject: _whole(subject, found) for subject, found in parts.items()}, floor=floor)


def _whole(subject: str, parts: Mapping[int, Part]) -> Snapshot:
    newest = max(part.position for part in parts.values())
    of = max(part.of for part in parts.values() if part.position == newest)
    body = b"".join(parts[index].body for index in range(of))
    return Snapshot(subject=subject, position=newest, body=body)


@dataclass(slots=True)
class _Uncovered:
    """Input of a subject that no snapshot covers."""

    first_offset: int
    since: int
    bytes: int = 0
    entries: int = 0
    seconds: float = 0.0


class Ledger:
    """Decides when a subject is written and what of the log is still needed.

    A subject is due when its uncovered input exceeds 100 times its state or 2,000 entries, or is an hour old; and the
    costliest one is due while all together owe more than 10 seconds of folding.
    """

    def __init__(self) -> None:
        self._uncovered: dict[str, _Uncovered] = {}
        self._sizes: dict[str, int] = {}

    @property
    def bytes(self) -> int:
        """Bytes of all subjects at their last snapshots."""
        return sum(self._sizes.values())

    def note(self, subject: str, offset: int, size: int, now: int, seconds: float = 0.0) -> None:
        """A log entry at ``offset`` held ``size`` bytes for ``subject``, which took so long to fold."""
        entry = self._uncovered.setdefault(subject, _Uncovered(offset, now))
        entry.bytes += size
        entry.entries += 1
        entry.seconds += seconds

    def due(self, now: int) -> list[str]:
        """The subjects that are to be written now."""
        owed = sum(entry.seconds for entry in self._uncovered.values())
        most = max((entry.seconds for entry in self._uncovered.values()), default=0.0)
        return [
            subject
            for subject, entry in self._uncovered.items()
            if (owed > MOST_SECONDS and entry.seconds == most)
            or entry.bytes > INPUT_PER_STATE * self._sizes.get(subject, 4096)
            or entry.entries > MOST_ENTRIES
            or now - entry.since > LONGEST_MICROS
        ]

    def cover(self, subject: str, size: int) -> None:
        """A snapshot of ``size`` bytes covers all input of ``subject`` so far."""
        self._uncovered.pop(subject, None)
        self._sizes[subject] = size

    def floor(self, end: int, without: Iterable[str] = ()) -> int:
        """The lowest log offset still needed; ``end`` where every subject outside ``without`` is covered."""
        written = set(without)
        needed = (entry.first_offset for subject, entry in self._uncovered.items() if subject not in written)
        return min(needed, default=end)
