"""The fold of diagnosis: one observation in, every new or changed revision of an alert out.

Pure and deterministic: the same log gives the same alerts, ids and all.
"""

from dataclasses import replace

from detectors.finding import Finding

from diagnosis.alert import Alert
from diagnosis.following import follow, follow_absence
from diagnosis.further import note_further
from diagnosis.harm import take_harm
from diagnosis.intake import take_in
from diagnosis.lateness import note_lateness
from diagnosis.life import review
from diagnosis.lineage import Lineage
from diagnosis.neighbours import is_known, note_reader, take_told
from diagnosis.observation import Micros, Observation
from diagnosis.policy import MINUTE, Policy
from diagnosis.provenance import ObservationKind
from diagnosis.reads import note_reads
from diagnosis.review import reconsidered
from diagnosis.silence import SILENCE, accept_silence, overdue
from diagnosis.skew import note_skew
from diagnosis.staleness import note_ages
from diagnosis.state import Announced, PipelineState

_BATCHES = frozenset(
    {ObservationKind.BATCH, ObservationKind.WINDOW, ObservationKind.OUTCOMES, ObservationKind.IMPORTED}
)


def start(pipeline: str) -> PipelineState:
    """Return the state of a pipeline of which nothing is known."""
    return PipelineState(pipeline=pipeline)


def fold(state: PipelineState, observation: Observation, policy: Policy) -> tuple[PipelineState, tuple[Alert, ...]]:
    """Fold one record of the ``observations`` log; ``state`` is left as it was.

    Returns the next state and the alerts to publish, in order. Raises nothing for any observation.
    """
    state = replace(state, sequence=state.sequence + 1, arrived_at=max(state.arrived_at, observation.arrived_at))
    if observation.kind is ObservationKind.TICK:
        return _tick(state, observation, policy)
    if observation.kind is ObservationKind.CHANGE:
        return _heard(state, _announce(state, observation, policy), policy, observation.at)
    if observation.kind is ObservationKind.REQUEST:
        return note_reader(state, observation, policy), ()
    if observation.kind is ObservationKind.FAULT:
        return _heard(state, take_told(state, observation, policy), policy, observation.at)
    if observation.kind is ObservationKind.REACHED:
        return _heard(state, take_harm(state, observation), policy, observation.at)
    if observation.kind is ObservationKind.IMPORTED and is_known(state, observation):
        return state, ()
    if observation.kind in _BATCHES and observation.name:
        return _observe(state, observation, policy)
    return state, ()


def _finish(
    state: PipelineState, policy: Policy, now: Micros, touched: str | None
) -> tuple[PipelineState, tuple[Alert, ...]]:
    state, alerts = review(state, policy, now, touched)
    return state, tuple(alerts)


def _heard(
    before: PipelineState, after: PipelineState, policy: Policy, now: Micros
) -> tuple[PipelineState, tuple[Alert, ...]]:
    """Review what a letter changed; one that comes twice, from a log that is folded anew, is no moment of its own."""
    return (before, ()) if after is before else _finish(after, policy, now, None)


def _observe(state: PipelineState, observation: Observation, policy: Policy) -> tuple[PipelineState, tuple[Alert, ...]]:
    intake = take_in(state, observation, policy)
    batch = intake.batch
    if batch is None:
        return intake.state, ()
    state = intake.state
    further = note_further(state, batch, observation.findings)
    findings: tuple[Finding, ...] = (*observation.findings, *further, *note_lateness(state, batch, observation))
    if observation.kind is ObservationKind.WINDOW:
        state, stale = note_ages(state, batch)
        for one in stale:
            if one.node != batch.node:
                state = follow_absence(state, one.node, one.finding, policy)
        state, skewed = note_skew(state, batch)
        state, aged = note_reads(state, batch)
        findings = (*findings, *skewed, *aged, *(one.finding for one in stale if one.node == batch.node))
    state = follow(state, batch, findings, policy)
    return _finish(state, policy, observation.at, batch.node)


def _announce(state: PipelineState, observation: Observation, policy: Policy) -> PipelineState:
    change = observation.change
    if change is None:
        return state
    if any((known.pipeline, known.change_id) == (observation.pipeline, change.change_id) for known in state.changes):
        return state
    announced = Announced(
        pipeline=observation.pipeline,
        component=change.component,
        kind=change.kind,
        at=change.at,
        change_id=change.change_id,
        before=change.before,
        after=change.after,
        by=change.by,
        url=change.url,
    )
    if (change.kind, change.after) == ("BASELINE", SILENCE):
        state = accept_silence(state, observation.pipeline, change.component)
    lineage = Lineage(nodes=state.nodes)
    faults = tuple(reconsidered(fault, announced, lineage, policy) for fault in state.faults)
    return replace(state, changes=(*state.changes, announced)[-policy.max_changes :], faults=faults)


def _tick(state: PipelineState, observation: Observation, policy: Policy) -> tuple[PipelineState, tuple[Alert, ...]]:
    tick = observation.tick
    if tick is None or tick <= state.last_tick:
        return state, ()
    state = replace(state, last_tick=tick, arrived_at=max(state.arrived_at, tick * MINUTE))
    now = observation.at
    for key in sorted(state.nodes) if policy.silence else ():
        finding = overdue(state, state.nodes[key], tick, policy)
        if finding is not None:
            state = follow_absence(state, key, finding, policy)
    return _finish(state, policy, now, None)
