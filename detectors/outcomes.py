"""Outcomes as they come in, and the room where those wait whose prediction has not been seen yet.

The topics of predictions and outcomes are not ordered against each other, so an outcome may be read first.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.finding import Micros
from detectors.recalibration import Floats
from detectors.runs import NEVER, Hashes, sampled

CLOCK_US = 300_000_000  # an outcome observed further ahead of its arrival says nothing about time
UNTRUSTED = -NEVER
ROOM_BYTES_PER_ROW = 40


def _hashes() -> Hashes:
    return np.empty(0, np.uint64)


def _times() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomesInput:
    """Outcomes of one model in log order; all arrays have shape ``(n,)``, optional ones may be ``(0,)``.

    id_hash: hash of the prediction's id, 0 if none is given; then entity_hash, for the entity's latest prediction not
    after ``as_of``. outcome: 0 or 1, or the value; NaN where only ``actual``, the hash of the class that came true, is
    known. at: when it was observed.
    """

    subject: str
    id_hash: Hashes = field(default_factory=_hashes)
    entity_hash: Hashes = field(default_factory=_hashes)
    as_of: Micros | None = None
    outcome: Floats = field(default_factory=lambda: np.empty(0))
    actual: Hashes = field(default_factory=_hashes)
    at: NDArray[np.int64]
    arrived_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomesSummary:
    """What a fold needs of outcomes: those of the sample, shape ``(n,)``, 40 bytes each.

    at: ``UNTRUSTED`` where it lies in the future. received: outcomes before sampling; refused: of
    these, without a usable id or value.
    """

    subject: str
    key: Hashes
    value: Floats
    actual: Hashes
    at: NDArray[np.int64]
    as_of: NDArray[np.int64]
    by_entity: bool = False
    received: int
    refused: int = 0
    arrived_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """Outcomes without a prediction, oldest first, shape ``(n,)``, 40 bytes each; bounded by the caller."""

    key: Hashes = field(default_factory=_hashes)
    value: Floats = field(default_factory=lambda: np.empty(0))
    actual: Hashes = field(default_factory=_hashes)
    at: NDArray[np.int64] = field(default_factory=_times)
    as_of: NDArray[np.int64] = field(default_factory=_times)

    def __len__(self) -> int:
        return len(self.key)


def summarise(outcomes: OutcomesInput, halvings: int) -> OutcomesSummary:
    """Check outcomes and keep those of the sample.

    Raises ``ValueError`` where arrays that belong together differ in length, or neither ids nor entities are given.
    """
    by_entity = not outcomes.id_hash.any() and bool(outcomes.entity_hash.any())
    key = outcomes.entity_hash if by_entity else outcomes.id_hash
    n = outcomes.at.size
    value = outcomes.outcome if outcomes.outcome.size else np.full(n, np.nan)
    actual = outcomes.actual if outcomes.actual.size else np.zeros(n, np.uint64)
    lengths = {"keys": key.size, "outcome": value.size, "actual": actual.size}
    for name, length in lengths.items():
        if length != n:
            raise ValueError(f"outcomes of {outcomes.subject}: {length} {name} where {n} belong")
    as_of = np.full(n, NEVER if outcomes.as_of is None else outcomes.as_of, np.int64)
    sound = (key != 0) & (np.isfinite(value) | (actual != 0))
    at = np.where(outcomes.at <= outcomes.arrived_at + CLOCK_US, outcomes.at, UNTRUSTED)
    kept = sound & sampled(key, halvings)
    return OutcomesSummary(
        subject=outcomes.subject,
        key=key[kept],
        value=value[kept],
        actual=actual[kept],
        at=at[kept],
        as_of=as_of[kept],
        by_entity=by_entity,
        received=n,
        refused=n - int(sound.sum()),
        arrived_at=outcomes.arrived_at,
    )


def of_sample(outcomes: Room, halvings: int) -> Room:
    """Those that still belong to the sample after it was halved."""
    return taken(outcomes, sampled(outcomes.key, halvings)) if len(outcomes) else outcomes


def taken(outcomes: Room, rows: NDArray[np.bool_] | slice) -> Room:
    """The outcomes under a mask, or of a slice."""
    return Room(
        key=outcomes.key[rows],
        value=outcomes.value[rows],
        actual=outcomes.actual[rows],
        at=outcomes.at[rows],
        as_of=outcomes.as_of[rows],
    )


def seated(room: Room, more: Room, limit_rows: int) -> tuple[Room, int]:
    """The room with more outcomes in it; beyond ``limit_rows`` the oldest leave. Returns how many left."""
    if not len(more):
        return room, 0
    leaving = max(0, len(room) + len(more) - limit_rows)
    full = Room(
        key=np.concatenate([room.key, more.key])[leaving:],
        value=np.concatenate([room.value, more.value])[leaving:],
        actual=np.concatenate([room.actual, more.actual])[leaving:],
        at=np.concatenate([room.at, more.at])[leaving:],
        as_of=np.concatenate([room.as_of, more.as_of])[leaving:],
    )
    return full, leaving


def rows_of(summary: OutcomesSummary) -> Room:
    """The outcomes of a summary, as they may wait."""
    return Room(key=summary.key, value=summary.value, actual=summary.actual, at=summary.at, as_of=summary.as_of)
