"""Silence: a dataset that is overdue, by its own habit. Compares minutes of arrival time with arrivals.

What comes in bursts (a nightly job that scores in many calls) pauses for much longer than its usual gap.
"""

from dataclasses import replace
from math import inf

from detectors.finding import Finding

from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.policy import MINUTE, Policy
from diagnosis.state import Node, NodeKind, PipelineState
from diagnosis.wording import span

SILENCE = "silence"
"""The statistic, and what a ``BASELINE`` change names in a column's place where silence is the new normal."""
_LONGEST = 1.5  # a dataset that was once silent for long is given this much more than its longest gap
_LATE: Micros = 12 * 60 * MINUTE  # nobody wants to hear four days later that a nightly batch did not come
_RECURS = 16  # times its own length until a pause, if it is a habit, comes again
_PAUSES_KEPT = 8


def with_pause(pauses: tuple[tuple[int, int], ...], gap: int, ended: Micros) -> tuple[tuple[int, int], ...]:
    """Add a gap to the pauses that are remembered: none that was made up by a longer one, or did not come again."""
    longer = [one for one in pauses if one[0] > gap and ended - one[1] <= _RECURS * one[0]]
    return (*longer, (gap, ended))[:_PAUSES_KEPT]


def overdue(state: PipelineState, node: Node, tick: int, policy: Policy) -> Finding | None:
    """Return the finding that a node is silent at the end of minute ``tick``, None while it is not."""
    usual = usual_gap(node, policy)
    if usual is None or node.last_arrived_at is None or node.last_at is None or node.kind is NodeKind.OUTCOMES:
        return None
    quiet: Micros = tick * MINUTE - node.last_arrived_at
    patience = min(policy.silence_gaps * usual, usual + _LATE)
    longest = max(node.gaps[-1], *(length for length, _ in node.pauses))
    if quiet <= max(patience, _LONGEST * longest, MINUTE) or _may_wait(state, node, quiet, policy):
        return None
    subject = f"{node.pipeline}/{node.name}"
    return Finding(
        subject=subject,
        statistic=SILENCE,
        observed=quiet / 1e6,
        expected=usual / 1e6,
        evidence_nats=inf,
        alarm_batch_id=node.last_batch_id or "",
        alarm_at=node.last_at + quiet,
        onset_earliest=node.last_at,
        onset_latest=node.last_at + usual,
        onset_batch_id=node.last_batch_id,
        sentence=f"{node.name} has sent nothing for {span(quiet)}; it usually sends every {span(usual)}",
    )


def _may_wait(state: PipelineState, node: Node, quiet: Micros, policy: Policy) -> bool:
    """Tell whether a model may score batch by batch, for all that is known, and wait for the next one."""
    if node.kind is not NodeKind.MODEL or node.last_arrived_at is None:
        return False
    read = [state.nodes[key] for key in Lineage(nodes=state.nodes).parent_keys(node.key)]
    young = any(one.ring and len(one.gaps) < policy.silence_history for one in read)
    return young and node.last_arrived_at - node.named_at < _RECURS * quiet


def accept_silence(state: PipelineState, pipeline: str, name: str) -> PipelineState:
    """Expect nothing of a dataset or model any more: its silence is over; if it speaks, its habit is learnt again."""
    keys = {key for key, node in state.nodes.items() if (node.pipeline, node.name) == (pipeline, name)}
    nodes = {key: replace(node, gaps=(), pauses=()) if key in keys else node for key, node in state.nodes.items()}
    active = {
        key: replace(one, over=True) if one.node in keys and one.finding.statistic == SILENCE else one
        for key, one in state.active.items()
    }
    return replace(state, nodes=nodes, active=active)


def usual_gap(node: Node, policy: Policy) -> Micros | None:
    """Return a node's median gap, None while too few were seen."""
    if len(node.gaps) < policy.silence_history:
        return None
    return sorted(node.gaps)[len(node.gaps) // 2]
