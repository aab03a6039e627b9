"""The life of alerts: opened by a finding, revised as evidence grows, merged, reopened, resolved."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from diagnosis.alert import Alert, StageOfDiagnosis, Status
from diagnosis.cause import Diagnosis, diagnose
from diagnosis.compose import NEWEST, Measured, Subject, compose, measure, refresh, worded
from diagnosis.grouping import Grouping, shared_origins, span_of
from diagnosis.identity import concern, concerns, signature
from diagnosis.lineage import Lineage
from diagnosis.neighbours import host_of, is_foreign, lasting, walk_of
from diagnosis.observation import Micros
from diagnosis.onset import slack
from diagnosis.policy import Policy
from diagnosis.publish import Moment, Reason, why_publish
from diagnosis.retest import Retest
from diagnosis.state import Active, Fault, Guest, PipelineState
from diagnosis.steps import Trace, changed_here
from diagnosis.walks import walk_all

_SIGNATURES_KEPT = 64
_SETTLED = Moment(settled=True)


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


def review(state: PipelineState, policy: Policy, now: Micros, touched: str | None) -> tuple[PipelineState, list[Alert]]:
    """Return the state with its faults brought up to date, and the alerts to publish; pure.

    now: event time of the observation just folded. touched: the node it belongs to, None for a tick or change.
    """
    if not _matters(state, touched):
        return state, []
    look = _look(state, policy, now, touched)
    _supersede(look)
    _release(look)
    _gather(look)
    for place, fault in enumerate(look.faults):
        if fault.alert.status is Status.FIRING:
            look.faults[place] = _revise(look, fault)
    return _close(look), look.alerts


def _matters(state: PipelineState, touched: str | None) -> bool:
    """Tell whether an observation can change any alert: not if nothing is wrong, or only elsewhere and settled."""
    if touched is None or not state.active:
        return bool(state.active)
    firing = [fault for fault in state.faults if fault.alert.status is Status.FIRING]
    held = _members(firing, state.guests)
    ours = (key for key, one in state.active.items() if not is_foreign(state, state.nodes[one.node]))
    if any(not fault.settled for fault in firing) or any(key not in held for key in ours):
        return True
    parents = {touched, *state.nodes[touched].parents}
    return any(parents & set(fault.tainted) or touched in fault.missed for fault in firing) or any(
        one.node == touched for one in state.active.values()
    )


def _members(faults: Iterable[Fault], guests: Iterable[Guest]) -> set[str]:
    """Return the keys of the findings that these explain."""
    return {key for fault in faults for key in fault.members} | {key for guest in guests for key in guest.members}


def _look(state: PipelineState, policy: Policy, now: Micros, touched: str | None) -> Review:
    lineage = Lineage(nodes=state.nodes)
    ordered = sorted(state.active.values(), key=lambda one: (one.opened, one.key))
    retest = Retest(lineage=lineage, active=tuple(ordered), policy=policy, new=_new(state, policy))
    guests = lasting(lineage, state.guests, state.active, now, policy)
    faults = [_seen(_unsettled(fault, lineage, touched), state, touched) for fault in state.faults]
    done = _members((fault for fault in faults if fault.settled), guests)
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
            shared=shared_origins(lineage, traces.values(), policy),
            new=retest.new,
        ),
        guests=guests,
        faults=faults,
    )


def _new(state: PipelineState, policy: Policy) -> frozenset[str]:
    since = state.arrived_at - round(policy.settle_s * 1e6)
    return frozenset(key for key, node in state.nodes.items() if not node.ring and node.named_at > since)


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


def _firing(look: Review) -> Iterable[tuple[int, Fault]]:
    for place, fault in enumerate(look.faults):
        if fault.alert.status is Status.FIRING:
            yield place, fault


def _supersede(look: Review) -> None:
    """Close the later of two alerts that turn out to be one fault: the earlier, or a guest, takes its findings."""
    for place, fault in list(_firing(look)):
        guest = _guest(look, look.traces.get(fault.opening), fault)
        if guest is not None:
            _invite(look, guest, fault.members)
            look.faults[place] = _closed(look, fault, look.guests[guest].alert_id)
    for later, fault in list(_firing(look)):
        for earlier, other in enumerate(look.faults[:later]):
            if _one_fault(look, other, fault):
                back = _back(look, other, fault.opening) if other.alert.status is Status.RESOLVED else other
                look.faults[earlier] = _with_members(look, back, fault.members)
                look.faults[later] = _closed(look, fault, other.alert.alert_id)
                break


def _one_fault(look: Review, first: Fault, second: Fault) -> bool:
    walk, other = look.traces.get(second.opening), look.traces.get(first.opening)
    if first.alert.status is not Status.FIRING:
        resolved = first.alert.status is Status.RESOLVED
        return resolved and walk is not None and not walk.awaited and look.grouping.began_with(walk, first)
    if walk is not None:
        return _joins(look, walk, first)
    return other is not None and look.grouping.belongs(other, second)


def _back(look: Review, fault: Fault, opening: str) -> Fault:
    """Open a closed alert again; a supported cause stands: it was seen best when it began, not when it came back."""
    firing = replace(fault.alert, status=Status.FIRING, resolved_at=None, superseded_by=None)
    known = fault.supported and fault.alert.status is Status.RESOLVED
    return replace(
        fault,
        alert=_publish(look, fault.alert, worded(firing)),
        opening=fault.opening if known else opening,
        opened=look.state.sequence,
        opened_arrival=look.state.arrived_at,
        settled=known,
        told=None,
        observed=0,
    )


def _closed(look: Review, fault: Fault, successor: str) -> Fault:
    closed = replace(fault.alert, status=Status.SUPERSEDED, superseded_by=successor, resolved_at=look.now)
    return replace(fault, alert=_publish(look, fault.alert, closed), members=())


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


def _release(look: Review) -> None:
    """Let go of findings that, by what is known now, began elsewhere."""
    for place, fault in _firing(look):
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


def _still_about(look: Review, fault: Fault, kept: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a fault is about without the findings let go: else it would take them back."""
    active = look.state.active
    gone = {signature(active[key].finding) for key in fault.members if key in active and key not in kept}
    gone -= {signature(active[key].finding) for key in kept if key in active}
    return tuple(name for name in fault.signatures if name not in gone)


def _gather(look: Review) -> None:
    """Give every finding that belongs to no alert to the one that explains it, or open one."""
    taken = _members(look.faults, look.guests)
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
            look.faults.append(_open(look, one))


def _home(look: Review, one: Active) -> int | None:
    walk = look.traces[one.key]
    name = signature(one.finding)
    for place, fault in _firing(look):
        if (name in fault.signatures and not _changed(look, walk)) or _joins(look, walk, fault):
            return place
    return next((place for place, fault in _firing(look) if _may_join(look, walk, fault)), None)


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
    signatures = tuple(dict.fromkeys((*fault.signatures, *names)))[:_SIGNATURES_KEPT]
    fault = replace(fault, members=(*fault.members, *keys), signatures=signatures)
    if repeats:
        return fault
    fault = replace(fault, changed=fault.observed)
    remembered = look.lineage.find(fault.origin, fault.alert.onset.batch_id) is not None
    if fault.settled and remembered and fault.opening in look.state.active:
        again = tuple(look.state.active[key] for key in fault.members if key in look.state.active)
        look.traces.update(walk_all(look.retest, tuple(one for one in again if one.key not in look.traces)))
        shared = shared_origins(look.lineage, look.traces.values(), look.policy)
        look.grouping = replace(look.grouping, shared=shared)
        return replace(fault, settled=False)
    return fault


def _reopen(look: Review, one: Active) -> bool:
    """Open an alert again that resolved for the same fault, or that another had taken over."""
    patience = look.policy.flap_batches * look.lineage.usual_gap(one.node)
    for place in reversed(range(len(look.faults))):
        fault = look.faults[place]
        if _is_back(look, fault, one, patience):
            look.faults[place] = _with_members(look, _back(look, fault, one.key), (one.key,))
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


def _open(look: Review, one: Active) -> Fault:
    taken = _members(look.faults, look.guests)
    loose = (other for other in look.retest.active if other.key in look.traces and other.key not in taken)
    members = tuple(
        other.key for other in loose if other.key == one.key or (not other.over and _together(look, other, one))
    )
    subject = _subject(look, one, members)
    diagnosis = _diagnose(look, members, one.key)
    stage = StageOfDiagnosis.DIAGNOSED if _is_ours(look, diagnosis) else StageOfDiagnosis.SUSPECTED
    measured = measure(subject, diagnosis.origin, diagnosis.onset.latest)
    previous = _previous(look, None, diagnosis, subject)
    alert = _publish(look, None, compose(subject, diagnosis, measured.impact, stage, previous))
    return Fault(
        alert=alert,
        opening=one.key,
        opened=look.state.sequence,
        opened_arrival=look.state.arrived_at,
        origin=diagnosis.origin,
        columns=diagnosis.columns,
        missed=diagnosis.missed,
        members=members,
        signatures=tuple(dict.fromkeys(signature(member.finding) for member in subject.members))[:_SIGNATURES_KEPT],
        supported=diagnosis.supported,
    )


def _is_ours(look: Review, diagnosis: Diagnosis) -> bool:
    """Tell whether a cause is supported and in this pipeline: of another's its own alert may be on its way."""
    return diagnosis.supported and not is_foreign(look.state, look.lineage.nodes[diagnosis.origin])


def _together(look: Review, first: Active, second: Active) -> bool:
    return look.grouping.together(look.traces[first.key], look.traces[second.key])


def _subject(look: Review, opening: Active, members: tuple[str, ...], fault: Fault | None = None) -> Subject:
    return Subject(
        lineage=look.lineage,
        policy=look.policy,
        pipeline=look.state.pipeline,
        opening=opening,
        members=tuple(look.state.active[key] for key in members if key in look.state.active),
        fault=fault,
    )


def _diagnose(look: Review, members: tuple[str, ...], opening: str) -> Diagnosis:
    home = look.traces[opening]
    others = [look.traces[key] for key in members if key in look.traces and key != opening]
    same = [walk for walk in others if walk.origin.node == home.origin.node]
    shared = look.grouping.shared.get(home.origin.node)
    return diagnose(look.retest, (home, *same), look.state.changes, shared)


def _revise(look: Review, fault: Fault) -> Fault:
    """Bring one firing alert up to date and publish it if that matters."""
    members = tuple(key for key in fault.members if key in look.state.active)
    over = all(look.state.active[key].over for key in members)
    if over and (fault.settled or not any(key in look.traces for key in members)):
        return _resolve(look, fault)
    opening = look.state.active.get(fault.opening) or look.state.active[members[0]]
    subject = _subject(look, opening, members, fault)
    if fault.settled or opening.key not in look.traces:
        members = _current(look, members) if fault.settled else members
        measured = measure(subject, fault.origin, fault.alert.onset.latest, NEWEST)
        kept = replace(fault, members=members, tainted=measured.tainted, reached=measured.reached)
        return _tell(look, kept, refresh(subject, fault, measured.impact))
    diagnosis = _diagnose(look, members, opening.key)
    known = fault.supported or fault.alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED
    if diagnosis.awaited and known and not (over and _waited(look, fault)):  # it stands until the batches have come
        measured = measure(subject, fault.origin, fault.alert.onset.latest)
        kept = _settle(look, replace(fault, members=members), measured)
        return _tell(look, kept, refresh(subject, fault, measured.impact))
    stage = _stage(look, fault, diagnosis)
    measured = measure(subject, diagnosis.origin, diagnosis.onset.latest)
    alert = compose(subject, diagnosis, measured.impact, stage, _previous(look, fault, diagnosis, subject))
    fault = replace(
        fault,
        origin=diagnosis.origin,
        columns=diagnosis.columns,
        missed=diagnosis.missed,
        members=members,
        supported=diagnosis.supported,
    )
    if over and (not diagnosis.awaited or _waited(look, fault)):
        return _resolve(look, replace(fault, draft=alert))
    if stage is StageOfDiagnosis.DIAGNOSED:
        fault = _settle(look, fault, measured)
    return _tell(look, fault, alert)


def _waited(look: Review, fault: Fault) -> bool:
    """Tell whether an alert has been open for so long that batches on their way are waited for no more."""
    return (look.state.arrived_at - fault.opened_arrival) / 1e6 >= look.policy.settle_s


def _settle(look: Review, fault: Fault, measured: Measured) -> Fault:
    """Make a cause final once nothing was added for long enough and no finding waits for batches that may still come.

    Batches that some children name and that never come are not waited for: else every observation would walk again.
    """
    waiting = any(look.traces[key].awaited for key in fault.members if key in look.traces)
    quiet = fault.observed - fault.changed >= look.policy.settle_batches
    if not quiet or (waiting and not _waited(look, fault)):
        return fault
    return replace(fault, settled=True, tainted=measured.tainted, reached=measured.reached)


def _current(look: Review, members: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out findings that are over and were followed by one about the same; what they spoilt is known."""
    followed = [look.state.active[key] for key in members]
    lasting = {signature(one.finding) for one in followed if not one.over}
    return tuple(one.key for one in followed if not one.over or signature(one.finding) not in lasting)


def _tell(look: Review, fault: Fault, alert: Alert) -> Fault:
    """Publish what is now known of a firing alert if that is news, else keep it."""
    due = fault.told is None or fault.observed - fault.told >= look.policy.tell_batches
    published = _publish(look, fault.alert, alert, Moment(settled=fault.settled, due=due))
    news = published is not fault.alert
    told = fault.observed if fault.settled and (news or due) else fault.told
    return replace(fault, alert=published, draft=None if news else alert, told=told)


def _stage(look: Review, fault: Fault, diagnosis: Diagnosis) -> StageOfDiagnosis:
    """A cause is diagnosed once supported; without support, when waiting longer has become pointless.

    Batches that are on their way are waited for by time alone: the faster datasets' batches do not bring them.
    """
    patient = fault.observed >= look.policy.settle_batches and not diagnosis.awaited
    enough = patient or _waited(look, fault)
    known = fault.alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED
    return StageOfDiagnosis.DIAGNOSED if _is_ours(look, diagnosis) or enough or known else StageOfDiagnosis.SUSPECTED


def _resolve(look: Review, fault: Fault) -> Fault:
    members = tuple(key for key in fault.members if key in look.state.active)
    alert = replace(fault.draft or fault.alert, status=Status.RESOLVED, resolved_at=look.now)
    if members:
        ended = replace(fault, alert=alert, draft=None)
        subject = _subject(look, look.state.active[members[0]], members, ended)
        measured = measure(subject, fault.origin, alert.onset.latest, NEWEST if fault.settled else None)
        alert = refresh(subject, ended, measured.impact)
        fault = replace(fault, tainted=measured.tainted, reached=measured.reached)
    return replace(fault, alert=_publish(look, fault.alert, alert), draft=None, members=(), settled=True)


def _previous(look: Review, fault: Fault | None, diagnosis: Diagnosis, subject: Subject) -> str | None:
    """Return the last resolved alert of the same cause, as its key or its findings say."""
    names = {signature(member.finding) for member in subject.members}
    for other in reversed(look.faults):
        if other.alert.status is not Status.RESOLVED or (fault and other.opened >= fault.opened):
            continue
        cause, known = diagnosis.cause, other.alert.cause
        if (cause.kind, cause.component, cause.column) == (known.kind, known.component, known.column) or names & set(
            other.signatures
        ):
            return other.alert.alert_id
    return None


def _publish(look: Review, previous: Alert | None, current: Alert, moment: Moment = _SETTLED) -> Alert:
    """Return what counts as published from now on: the next revision if it is news, else the former one."""
    if why_publish(previous, current, moment) is Reason.NOTHING_NEW:
        assert previous is not None  # the first revision is always news
        return previous
    alert = replace(current, revision=previous.revision + 1 if previous else 1)
    look.alerts.append(alert)
    return alert


def _close(look: Review) -> PipelineState:
    """Forget findings that are over and belong to no open alert, and the oldest closed alerts beyond the bound."""
    held = _members(look.faults, look.guests)
    active = {key: one for key, one in look.state.active.items() if key in held or not one.over}
    excess = len(look.faults) - look.policy.max_faults
    faults = []
    for fault in look.faults:
        if excess > 0 and fault.alert.status is not Status.FIRING:
            excess -= 1
            continue
        faults.append(fault)
    return replace(look.state, active=active, faults=tuple(faults), guests=tuple(look.guests))
