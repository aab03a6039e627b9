"""Late batches: finished longer after the end of their window than their dataset's habit allows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from detectors.finding import Finding

from diagnosis.lineage import Lineage
from diagnosis.observation import Micros, Observation
from diagnosis.state import Batch, Node, NodeKind, PipelineState
from diagnosis.wording import span

LATENESS = "lateness"
_HISTORY = 16
_LATE = 8.0  # distances from the median to the first decile: ten standard deviations of a normal, 1 in 200 exponentials
_SCHEDULED = frozenset({None, "UNKNOWN", "SCHEDULED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How long after the end of its window a dataset's batch is there, microseconds.

    usual: the median. due: about nine of ten are there by then. longest: what is hardly ever exceeded. Both are read
    off the faster half, which late batches leave alone while they are the fewer.
    """

    usual: Micros
    due: Micros
    longest: Micros


def delay_of(batch: Batch) -> Micros | None:
    """Return how long after the end of its window a batch was finished, None if it has no window."""
    return None if batch.window_end is None else batch.at - batch.window_end


def habit_of(ring: Sequence[Batch]) -> Habit | None:
    """Return the habit of a dataset whose batches these are, None while too few have a window."""
    delays = sorted(delay for batch in ring if not batch.late and (delay := delay_of(batch)) is not None)
    if len(delays) < _HISTORY:
        return None
    usual = delays[len(delays) // 2]
    spread = usual - delays[len(delays) // 10]
    return Habit(usual=usual, due=usual + spread, longest=round(usual + _LATE * spread))


def late_among(batches: Sequence[Batch], habit: Habit) -> tuple[Batch, ...]:
    """Return the batches that are later than is usual."""
    return tuple(batch for batch in batches if (delay_of(batch) or 0) > habit.longest)


def note_lateness(state: PipelineState, batch: Batch, observation: Observation) -> tuple[Finding, ...]:
    """Return the finding that a scheduled batch is late, if it is.

    It opens with one that is not there before the next is due, and goes on while they are later than usual.
    """
    node = state.nodes[batch.node]
    delay = delay_of(batch)
    scheduled = observation.run_kind in _SCHEDULED and observation.replaces is None
    if delay is None or batch.late or not scheduled or node.kind is not NodeKind.DATASET:
        return ()
    habit = habit_of(node.ring)
    if habit is None or delay <= habit.longest:
        return ()
    known = [one.finding for one in state.active.values() if one.node == node.key and one.finding.statistic == LATENESS]
    if known:
        return (replace(known[-1], observed=delay / 1e6, sentence=_sentence(node, delay, habit)),)
    lineage = Lineage(nodes={node.key: node})
    if delay <= habit.usual + lineage.usual_gap(node.key):
        return ()
    return (_finding(lineage, node, batch, delay, habit),)


def _finding(lineage: Lineage, node: Node, batch: Batch, delay: Micros, habit: Habit) -> Finding:
    place = lineage.place(batch)
    while place and late_among(lineage.ring(node.key)[place - 1 : place], habit):
        place -= 1
    first = lineage.ring(node.key)[place]
    return Finding(
        subject=f"{node.pipeline}/{node.name}",
        statistic=LATENESS,
        observed=delay / 1e6,
        expected=habit.usual / 1e6,
        evidence_nats=inf,
        alarm_batch_id=batch.batch_id,
        alarm_at=batch.at,
        onset_earliest=lineage.ring(node.key)[place - 1].at if place else first.at,
        onset_latest=first.at,
        onset_batch_id=first.batch_id,
        sentence=_sentence(node, delay, habit),
    )


def _sentence(node: Node, delay: Micros, habit: Habit) -> str:
    return f"{node.name} is there {span(delay)} after the end of its window; usually it is after {span(habit.usual)}"
