"""Silence: a dataset that is overdue, by its own habit. Compares minutes of arrival time with arrivals."""

from dataclasses import replace
from math import inf

from detectors.finding import Finding

from diagnosis.observation import Micros
from diagnosis.policy import MINUTE, Policy
from diagnosis.state import Node, NodeKind, PipelineState
from diagnosis.wording import span

SILENCE = "silence"
"""The statistic, and what a ``BASELINE`` change names in a column's place where silence is the new normal."""
_LONGEST = 1.5  # a dataset that was once silent for long is given this much more than its longest gap
_LATE: Micros = 12 * 60 * MINUTE  # nobody wants to hear four days later that a nightly batch did not come


def overdue(node: Node, tick: int, policy: Policy) -> Finding | None:
    """Return the finding that a node is silent at the end of minute ``tick``, None while it is not."""
    usual = usual_gap(node, policy)
    if usual is None or node.last_arrived_at is None or node.last_at is None or node.kind is NodeKind.OUTCOMES:
        return None
    quiet: Micros = tick * MINUTE - node.last_arrived_at
    patience = min(policy.silence_gaps * usual, usual + _LATE)
    if quiet <= max(patience, _LONGEST * max(node.gaps), MINUTE):
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


def accept_silence(state: PipelineState, pipeline: str, name: str) -> PipelineState:
    """Expect nothing of a dataset or model any more: its silence is over; if it speaks, its habit is learnt again."""
    keys = {key for key, node in state.nodes.items() if (node.pipeline, node.name) == (pipeline, name)}
    nodes = {key: replace(node, gaps=()) if key in keys else node for key, node in state.nodes.items()}
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
