"""The join of outcomes to predictions: what waits on either side, and when a prediction may be judged.

Outcomes are read in steps of fixed size, so that nothing depends on how they were cut into events or chunks.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from detectors.finding import Micros
from detectors.maturity import Delays, moved, observe, usual_delay, watermark
from detectors.model_policy import DAY_US, Policy
from detectors.outcomes import ROOM_BYTES_PER_ROW, UNTRUSTED, OutcomesSummary, Room, of_sample, rows_of, seated, taken
from detectors.pending import (
    BYTES_PER_ROW,
    Attached,
    Pending,
    attach,
    expire,
    give_up,
    insert,
    is_ready,
    keyed_by_entity,
    release,
    waiting,
)
from detectors.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Join:
    """Predictions and outcomes that wait for each other: at most 1.25 * ``pending_bytes`` and 20 kB.

    unread: outcomes of the step that is filling up. received: outcomes read, after sampling. by_entity: outcomes name
    entities. judged_delay: the usual delay by which predictions are judged. refused, duplicates, corrections (the
    outcome changed), late (others of their time had been judged), orphaned (outcomes without a prediction), expired
    (predictions without an outcome): counts, scaled up by the rate of the sample.
    """

    pending: Pending = field(default_factory=Pending)
    room: Room = field(default_factory=Room)
    unread: Room = field(default_factory=Room)
    delays: Delays = field(default_factory=Delays)
    arrived_at: Micros = 0
    received: int = 0
    by_entity: bool = False
    judged_delay: Micros | None = None
    refused: int = 0
    duplicates: int = 0
    corrections: int = 0
    late: int = 0
    orphaned: int = 0
    expired: int = 0


def put_predictions(join: Join, rows: Run, policy: Policy) -> Join:
    """Let predictions wait for their outcomes, and hand over those that are there already."""
    if join.by_entity:
        rows = replace(rows, key=rows.entity if rows.entity.size else np.zeros_like(rows.key))
    join = replace(join, pending=insert(join.pending, rows, policy.pending_bytes // BYTES_PER_ROW))
    join = replace(join, room=of_sample(join.room, join.pending.halvings))
    if not len(join.room):
        return join
    expected = np.isin(join.room.key, rows.key)
    if not expected.any():
        return join
    join, attached = _attach(join, taken(join.room, expected))
    expected[expected] = attached.found
    return replace(join, room=taken(join.room, ~expected))


def put_outcomes(join: Join, summary: OutcomesSummary) -> Join:
    """Take outcomes in; they are read by ``read_step``."""
    more = rows_of(summary)
    if summary.by_entity and not join.by_entity:
        join = replace(join, by_entity=True, pending=keyed_by_entity(join.pending))
    return replace(
        join,
        unread=seated(join.unread, of_sample(more, join.pending.halvings), len(join.unread) + len(more))[0],
        arrived_at=max(join.arrived_at, summary.arrived_at),
        refused=join.refused + summary.refused,
    )


def read_step(join: Join, size: int, policy: Policy) -> tuple[Join, Run | None, bool]:
    """Join up to ``size`` outcomes.

    Returns the predictions that may now be judged, in prediction order, and whether outcomes turn out to come
    later than was believed, so that earlier judgements were premature and must be forgotten.
    """
    step, rest = taken(join.unread, slice(0, size)), taken(join.unread, slice(size, None))
    join = replace(join, unread=rest, received=join.received + len(step))
    step = of_sample(step, join.pending.halvings)
    join, attached = _attach(join, step)
    room, left = seated(join.room, taken(step, ~attached.found), policy.pending_bytes // 4 // ROOM_BYTES_PER_ROW)
    join = replace(join, room=room, orphaned=join.orphaned + left * _rate(join))
    now = int(step.at.max(initial=UNTRUSTED))
    if now != UNTRUSTED:
        join = _forget_old(replace(join, delays=moved(join.delays, now)), now, policy)
    least = _least_delay(policy)
    boundary = watermark(join.delays, least)
    if boundary is None:
        return join, None, False
    join, premature = _relearnt(join, least)
    pending, matured = release(join.pending, boundary)
    return replace(join, pending=pending), matured, premature


def is_ripe(join: Join, policy: Policy) -> bool:
    """Whether predictions may be judged whose outcomes were read before them: ``read_step`` does it, with none left."""
    boundary = watermark(join.delays, _least_delay(policy))
    return boundary is not None and is_ready(join.pending, boundary)


def _least_delay(policy: Policy) -> Micros:
    return round(policy.outcome_delay_s * 1e6)


def _relearnt(join: Join, least: Micros) -> tuple[Join, bool]:
    """Whether the usual delay has grown: those who came early had been mistaken for all."""
    delay = usual_delay(join.delays, least)
    if delay is None or (join.judged_delay is not None and delay <= join.judged_delay):
        return join, False
    if join.judged_delay is None:
        return replace(join, judged_delay=delay), False
    pending, late = give_up(join.pending)
    return replace(join, judged_delay=delay, pending=pending, late=join.late + late * _rate(join)), True


def _attach(join: Join, outcomes: Room) -> tuple[Join, Attached]:
    pending, attached = attach(join.pending, outcomes.key, outcomes.value, outcomes.actual, outcomes.at, outcomes.as_of)
    join = replace(
        join,
        pending=pending,
        delays=observe(join.delays, attached.delay[attached.found & (outcomes.at != UNTRUSTED)]),
        duplicates=join.duplicates + attached.duplicates * _rate(join),
        corrections=join.corrections + attached.corrections * _rate(join),
        late=join.late + attached.late * _rate(join),
    )
    return join, attached


def _forget_old(join: Join, now: Micros, policy: Policy) -> Join:
    pending, never = expire(join.pending, now - round(policy.pending_days * DAY_US))
    old = join.room.at < now - round(policy.orphan_days * DAY_US)
    room = taken(join.room, ~old) if old.any() else join.room
    return replace(
        join,
        pending=pending,
        room=room,
        expired=join.expired + never * _rate(join),
        orphaned=join.orphaned + int(old.sum()) * _rate(join),
    )


def _rate(join: Join) -> int:
    """Predictions for each one in the sample."""
    return 1 << join.pending.halvings


def gauges(join: Join) -> dict[str, float]:
    """What waits, and what was never joined."""
    delay = usual_delay(join.delays)
    shown = {
        "outcomes_pending": waiting(join.pending),
        "outcomes_waiting": float(len(join.room)) * 2.0**join.pending.halvings,
        "outcomes_orphaned": float(join.orphaned),
        "outcomes_expired": float(join.expired),
        "outcomes_late": float(join.late),
        "outcomes_duplicate": float(join.duplicates),
        "outcomes_corrected": float(join.corrections),
        "outcomes_refused": float(join.refused),
        "outcomes_sample_ratio": 2.0**-join.pending.halvings,
    }
    return shown if delay is None else {**shown, "outcome_delay_seconds": delay / 1e6}
