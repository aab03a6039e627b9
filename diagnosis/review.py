"""One look at all faults of a pipeline: what is known before anything is decided."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from diagnosis.alert import Alert, Status
from diagnosis.grouping import Grouping, shared_origins, span_of
from diagnosis.lineage import Lineage
from diagnosis.neighbours import is_foreign, lasting
from diagnosis.observation import Micros
from diagnosis.onset import Interval, slack
from diagnosis.policy import Policy
from diagnosis.retest import Retest
from diagnosis.state import Announced, Fault, Guest, PipelineState
from diagnosis.steps import Trace
from diagnosis.walks import walk_all


@dataclass(slots=True)
class Review:
    """One look at all faults of a pipeline after an observation; a scratch pad that ``review`` throws away."""

    state: PipelineState
    policy: Policy
    now: Micros
    touched: str | None
    lineage: Lineage
    retest: Retest
    traces: dict[str, Trace]
    grouping: Grouping
    guests: list[Guest]
    faults: list[Fault] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)


def begin(state: PipelineState, policy: Policy, now: Micros, touched: str | None) -> Review:
    """Walk from every finding whose cause is not settled, and say what is known; arguments as for ``life.review``."""
    lineage = Lineage(nodes=state.nodes)
    ordered = sorted(state.active.values(), key=lambda one: (one.opened, one.key))
    retest = Retest(lineage=lineage, active=tuple(ordered), policy=policy, new=_new(state, policy))
    guests = lasting(lineage, state.guests, state.active, now, policy)
    faults = [_seen(_unsettled(fault, lineage, touched), state, touched) for fault in state.faults]
    done = members_of((fault for fault in faults if fault.settled), guests)
    ours = (one for one in ordered if not is_foreign(state, state.nodes[one.node]))
    traces = walk_all(retest, tuple(one for one in ours if one.key not in done))
    return Review(
        state=state,
        policy=policy,
        now=now,
        touched=touched,
        lineage=lineage,
        retest=retest,
        traces=traces,
        grouping=Grouping(
            lineage=lineage,
            policy=policy,
            shared=shared_origins(lineage, traces.values(), faults, policy),
            new=retest.new,
        ),
        guests=guests,
        faults=faults,
    )


def members_of(faults: Iterable[Fault], guests: Iterable[Guest]) -> set[str]:
    """Return the keys of the findings that these explain."""
    return {key for fault in faults for key in fault.members} | {key for guest in guests for key in guest.members}


def firing(look: Review) -> Iterable[tuple[int, Fault]]:
    """Return the faults whose alerts are open, with their places."""
    for place, fault in enumerate(look.faults):
        if fault.alert.status is Status.FIRING:
            yield place, fault


def is_due(look: Review, told: Micros, opened: Micros, *, over: bool) -> bool:
    """Tell whether numbers are to be told again: of what lasts the more seldom, the older it is; arrival times."""
    now = look.state.arrived_at
    fresh = now - told < look.policy.tell_share * (now - opened)
    return look.touched is None and (over or not fresh)


def _new(state: PipelineState, policy: Policy) -> frozenset[str]:
    since = state.arrived_at - round(policy.settle_s * 1e6)
    return frozenset(key for key, node in state.nodes.items() if not node.ring and node.named_at > since)


def reconsidered(fault: Fault, change: Announced, lineage: Lineage, policy: Policy) -> Fault:
    """Look again at a cause that was settled before a change was announced from about when the fault began."""
    then = Interval(earliest=change.at, latest=change.at)
    near = slack(lineage, fault.origin, policy)
    if not fault.settled or fault.alert.status is not Status.FIRING or not span_of(fault).meets(then, near):
        return fault
    forgotten = lineage.find(fault.origin, fault.alert.onset.batch_id) is None
    return replace(fault, settled=forgotten)


def _unsettled(fault: Fault, lineage: Lineage, touched: str | None) -> Fault:
    """Look again at a cause that was settled without a parent's batches, when one comes that a bad batch names."""
    if touched not in fault.missed or not fault.settled or fault.alert.status is not Status.FIRING:
        return fault
    first = lineage.find(fault.origin, fault.alert.onset.batch_id)
    came = first is not None and any(one.batches and one.link.parent == touched for one in lineage.parents(first))
    return replace(fault, settled=False) if came else fault


def _seen(fault: Fault, state: PipelineState, touched: str | None) -> Fault:
    """Count an observation of one of the fault's own nodes: a fault is settled after enough of them."""
    nodes = {state.active[key].node for key in fault.members if key in state.active}
    return replace(fault, observed=fault.observed + 1) if touched in nodes else fault
