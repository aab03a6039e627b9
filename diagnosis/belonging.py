"""Which findings are of which fault: gathered, let go, moved from one alert to another that explains them."""

from dataclasses import replace

from diagnosis.alert import Status
from diagnosis.grouping import shared_origins, span_of
from diagnosis.identity import concern, concerns, signature
from diagnosis.neighbours import host_of, walk_of
from diagnosis.observation import Micros
from diagnosis.onset import slack
from diagnosis.review import Review, firing, members_of
from diagnosis.revising import SIGNATURES_KEPT, closed, open_fault, reopened
from diagnosis.state import Active, Fault
from diagnosis.steps import Trace, changed_here
from diagnosis.walks import walk_all


def supersede(look: Review) -> None:
    """Close the later of two alerts that turn out to be one fault: the earlier, or a guest, takes its findings."""
    for place, fault in list(firing(look)):
        guest = _guest(look, look.traces.get(fault.opening), fault)
        if guest is not None:
            _invite(look, guest, fault.members)
            look.faults[place] = closed(look, fault, look.guests[guest].alert_id)
    for later, fault in list(firing(look)):
        for earlier, other in enumerate(look.faults[:later]):
            if _one_fault(look, other, fault):
                back = reopened(look, other, fault.opening) if other.alert.status is Status.RESOLVED else other
                look.faults[earlier] = _with_members(look, back, fault.members)
                look.faults[later] = closed(look, fault, other.alert.alert_id)
                break


def release(look: Review) -> None:
    """Let go of findings that, by what is known now, began elsewhere."""
    for place, fault in firing(look):
        home = look.traces.get(fault.opening)
        if home is None or fault.settled:
            continue
        kept = tuple(
            key
            for key in fault.members
            if key == fault.opening
            or key not in look.traces
            or look.state.active[key].over
            or look.grouping.together(look.traces[key], home)
            or look.grouping.perhaps(look.traces[key], home)
        )
        look.faults[place] = replace(fault, members=kept, signatures=_still_about(look, fault, kept))


def gather(look: Review) -> None:
    """Give every finding that belongs to no alert to the one that explains it, or open one."""
    taken = members_of(look.faults, look.guests)
    walked = (one for one in look.retest.active if one.key in look.traces)
    loose = [one for one in walked if one.key not in taken and not one.over]
    loose.sort(key=lambda one: (one.opened, -one.finding.evidence_nats, one.key))
    for one in loose:
        if any(one.key in fault.members for fault in look.faults):
            continue
        guest = _guest(look, look.traces[one.key])
        place = _home(look, one) if guest is None else None
        if guest is not None:
            _invite(look, guest, (one.key,))
        elif place is not None:
            look.faults[place] = _with_members(look, look.faults[place], (one.key,))
        elif not _reopen(look, one):
            look.faults.append(open_fault(look, one))


def _one_fault(look: Review, first: Fault, second: Fault) -> bool:
    walk, other = look.traces.get(second.opening), look.traces.get(first.opening)
    if first.alert.status is not Status.FIRING:
        resolved = first.alert.status is Status.RESOLVED
        return resolved and walk is not None and not walk.awaited and look.grouping.began_with(walk, first)
    if walk is not None:
        return _joins(look, walk, first)
    return other is not None and look.grouping.belongs(other, second)


def _guest(look: Review, trace: Trace | None, fault: Fault | None = None) -> int | None:
    """Return the place of another pipeline's alert that explains a walk, or a fault whose walks are over."""
    if trace is not None:
        walk = walk_of(trace)
    elif fault is not None and fault.origin in look.lineage.nodes:
        walk = [(fault.origin, span_of(fault), column) for column in fault.columns or ("",)]
    else:
        return None
    return host_of(look.lineage, look.guests, walk, look.now, look.policy)


def _invite(look: Review, place: int, keys: tuple[str, ...]) -> None:
    guest = look.guests[place]
    look.guests[place] = replace(guest, members=(*guest.members, *keys))


def _joins(look: Review, walk: Trace, fault: Fault) -> bool:
    home = look.traces.get(fault.opening)
    if fault.settled or home is None:
        return look.grouping.belongs(walk, fault)
    return look.grouping.together(walk, home)


def _still_about(look: Review, fault: Fault, kept: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a fault is about without the findings let go: else it would take them back."""
    active = look.state.active
    gone = {signature(active[key].finding) for key in fault.members if key in active and key not in kept}
    gone -= {signature(active[key].finding) for key in kept if key in active}
    return tuple(name for name in fault.signatures if name not in gone)


def _home(look: Review, one: Active) -> int | None:
    walk = look.traces[one.key]
    name = signature(one.finding)
    for place, fault in firing(look):
        if (name in fault.signatures and not _changed(look, walk)) or _joins(look, walk, fault):
            return place
    return next((place for place, fault in firing(look) if _may_join(look, walk, fault)), None)


def _changed(look: Review, walk: Trace) -> bool:
    """Tell whether the finding's own node was changed about when it began: then it need not be what it was before."""
    step = walk.steps[-1]
    return changed_here(look.lineage, step, slack(look.lineage, step.node, look.policy))


def _may_join(look: Review, walk: Trace, fault: Fault) -> bool:
    """Tell whether a finding is to wait with this alert until the batches have come that decide where it began."""
    home = look.traces.get(fault.opening)
    if fault.settled or home is None:
        return look.grouping.perhaps_belongs(walk, fault)
    return look.grouping.perhaps(walk, home)


def _with_members(look: Review, fault: Fault, keys: tuple[str, ...]) -> Fault:
    """Add findings; a settled cause is looked at again for new ones while its evidence is still remembered.

    A finding about the same as a former one is nothing new: a duplicated batch is found anew with every batch.
    """
    names = [signature(look.state.active[key].finding) for key in keys if key in look.state.active]
    repeats = set(names) <= set(fault.signatures)
    signatures = tuple(dict.fromkeys((*fault.signatures, *names)))[:SIGNATURES_KEPT]
    fault = replace(fault, members=(*fault.members, *keys), signatures=signatures)
    if repeats:
        return fault
    fault = replace(fault, changed=fault.observed, changed_arrival=look.state.arrived_at)
    remembered = look.lineage.find(fault.origin, fault.alert.onset.batch_id) is not None
    if fault.settled and remembered and fault.opening in look.state.active:
        again = tuple(look.state.active[key] for key in fault.members if key in look.state.active)
        look.traces.update(walk_all(look.retest, tuple(one for one in again if one.key not in look.traces)))
        shared = shared_origins(look.lineage, look.traces.values(), look.faults, look.policy)
        look.grouping = replace(look.grouping, shared=shared)
        return replace(fault, settled=False)
    return fault


def _reopen(look: Review, one: Active) -> bool:
    """Open an alert again that resolved for the same fault, or that another had taken over."""
    patience = look.policy.flap_batches * look.lineage.usual_gap(one.node)
    for place in reversed(range(len(look.faults))):
        fault = look.faults[place]
        if _is_back(look, fault, one, patience):
            look.faults[place] = _with_members(look, reopened(look, fault, one.key), (one.key,))
            return True
    return False


def _is_back(look: Review, fault: Fault, one: Active, patience: Micros) -> bool:
    """Tell whether a finding is of a closed alert's fault: it flaps, was read late, or began elsewhere after all."""
    if fault.alert.status is Status.SUPERSEDED:
        return fault.opening == one.key
    resolved = fault.alert.resolved_at
    if fault.alert.status is not Status.RESOLVED or resolved is None:
        return False
    again = concern(one.finding.column or "", one.finding.statistic)
    flapping = again in concerns(one.finding.subject, fault.signatures) and one.finding.alarm_at - resolved <= patience
    return flapping or look.grouping.began_with(look.traces[one.key], fault)
