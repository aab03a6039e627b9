"""The life of alerts, observation by observation: which there are now, and what is to be published of them."""

from dataclasses import replace

from diagnosis.aftermath import follow_on, may_add
from diagnosis.alert import Alert, Status
from diagnosis.belonging import gather, release, supersede
from diagnosis.neighbours import is_foreign
from diagnosis.observation import Micros
from diagnosis.policy import Policy
from diagnosis.reckoning import reckon
from diagnosis.review import Review, begin, firing, members_of
from diagnosis.revising import revise
from diagnosis.state import PipelineState
from diagnosis.toll import may_rise


def review(state: PipelineState, policy: Policy, now: Micros, touched: str | None) -> tuple[PipelineState, list[Alert]]:
    """Return the state with its faults brought up to date, and the alerts to publish; pure.

    now: event time of the observation just folded. touched: the node it belongs to, None for a tick or change.
    """
    if not _matters(state, touched):
        return state, []
    look = begin(state, policy, now, touched)
    supersede(look)
    release(look)
    gather(look)
    for place, fault in firing(look):
        look.faults[place] = revise(look, fault)
    for place, fault in enumerate(look.faults):
        if may_add(state, fault, touched):
            look.faults[place] = follow_on(look, fault)
    look.guests[:] = [reckon(look, guest) for guest in look.guests]
    return _close(look), look.alerts


def _matters(state: PipelineState, touched: str | None) -> bool:
    """Tell whether an observation can change any alert: not if nothing is wrong, or only elsewhere and settled."""
    if any(may_add(state, fault, touched) for fault in state.faults):
        return True
    if any(may_rise(state, guest, touched) for guest in state.guests):
        return True
    if touched is None or not state.active:
        return bool(state.active)
    open_ones = [fault for fault in state.faults if fault.alert.status is Status.FIRING]
    held = members_of(open_ones, state.guests)
    ours = (key for key, one in state.active.items() if not is_foreign(state, state.nodes[one.node]))
    if any(not fault.settled for fault in open_ones) or any(key not in held for key in ours):
        return True
    parents = {touched, *state.nodes[touched].parents}
    return any(parents & set(fault.tainted) or touched in fault.missed for fault in open_ones) or any(
        one.node == touched for one in state.active.values()
    )


def _close(look: Review) -> PipelineState:
    """Forget findings that are over and belong to no open alert, and the oldest closed alerts beyond the bound."""
    held = members_of(look.faults, look.guests)
    held |= {key for guest in look.guests if guest.toll for key in guest.toll.findings}
    active = {key: one for key, one in look.state.active.items() if key in held or not one.over}
    excess = len(look.faults) - look.policy.max_faults
    faults = []
    for fault in look.faults:
        if excess > 0 and fault.alert.status is not Status.FIRING:
            excess -= 1
            continue
        faults.append(fault)
    return replace(look.state, active=active, faults=tuple(faults), guests=tuple(look.guests))
