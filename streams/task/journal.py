"""The journal: what a task folded, in order, and where its inputs stood; state is made of nothing else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from streams.plain import from_bytes, to_bytes

PIECE_BYTES = 900_000


class BrokenJournal(ValueError):
    """Journal entries do not follow one another: an entry is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One record of the journal; an entry is one piece or several, visible together.

    sequence: counts the entries of a task from 1. last: this piece ends the entry. offsets: per input topic, the
    position after the entry (in the last piece). steps: (subject, what was folded) in order.
    """

    version: int = 1
    sequence: int
    last: bool
    offsets: dict[str, int] = field(default_factory=dict)
    steps: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One transaction of a task: its sequence number, its steps, and its inputs' positions after it."""

    sequence: int
    offset: int
    offsets: Mapping[str, int]
    steps: Sequence[tuple[str, bytes]]


def pieces(sequence: int, offsets: Mapping[str, int], steps: Sequence[tuple[str, bytes]]) -> Iterator[bytes]:
    """An entry as journal records of at most about 900 KB (a larger step stands alone)."""
    run: list[tuple[str, bytes]] = []
    held = 0
    for subject, step in steps:
        if run and held + len(step) > PIECE_BYTES:
            yield to_bytes(Piece(sequence=sequence, last=False, steps=run))
            run, held = [], 0
        run.append((subject, step))
        held += len(step)
    yield to_bytes(Piece(sequence=sequence, last=True, offsets=dict(offsets), steps=run))


def entries(records: Iterable[tuple[int, bytes]]) -> Iterator[Entry]:
    """Whole entries from journal records (offset, value).

    Raises:
        BrokenJournal: a sequence number is skipped.
        UnreadableState: a record is not one of ours.
    """
    steps: list[tuple[str, bytes]] = []
    begun_at: int | None = None
    expected: int | None = None
    for offset, value in records:
        piece = from_bytes(Piece, value)
        if expected is not None and piece.sequence != expected:
            raise BrokenJournal(f"entry {expected} is missing: found {piece.sequence} at offset {offset}")
        begun_at = offset if begun_at is None else begun_at
        steps.extend(piece.steps)
        expected = piece.sequence
        if piece.last:
            yield Entry(sequence=piece.sequence, offset=begun_at, offsets=piece.offsets, steps=steps)
            steps, begun_at, expected = [], None, piece.sequence + 1
