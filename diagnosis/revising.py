"""One alert from its first revision to its last: opened, revised as evidence grows, settled, resolved, reopened."""

from dataclasses import replace

from diagnosis.alert import Alert, StageOfDiagnosis, Status
from diagnosis.cause import Diagnosis, diagnose
from diagnosis.compose import Subject, compose, measure, refresh, worded
from diagnosis.grouping import about_origin
from diagnosis.identity import concern, signature
from diagnosis.measuring import NEWEST, Measured
from diagnosis.neighbours import is_foreign
from diagnosis.publish import Moment, Reason, why_publish
from diagnosis.review import Review, is_due, members_of
from diagnosis.state import Active, Fault
from diagnosis.steps import Trace

SIGNATURES_KEPT = 64
_SETTLED = Moment(settled=True)


def open_fault(look: Review, one: Active) -> Fault:
    """Open an alert for a finding and all others that began with it, and publish its first revision."""
    taken = members_of(look.faults, look.guests)
    loose = (other for other in look.retest.active if other.key in look.traces and other.key not in taken)
    members = tuple(
        other.key for other in loose if other.key == one.key or (not other.over and _together(look, other, one))
    )
    subject = _subject(look, one, members)
    diagnosis = _diagnose(look, members, one.key)
    stage = StageOfDiagnosis.DIAGNOSED if _is_ours(look, diagnosis) else StageOfDiagnosis.SUSPECTED
    measured = measure(subject, diagnosis.origin, diagnosis)
    previous = _previous(look, None, diagnosis, subject)
    alert = _publish(look, None, compose(subject, diagnosis, measured.impact, stage, previous))
    return Fault(
        alert=alert,
        opening=one.key,
        opened=look.state.sequence,
        opened_arrival=look.state.arrived_at,
        changed_arrival=look.state.arrived_at,
        told=look.state.arrived_at,
        origin=diagnosis.origin,
        columns=diagnosis.columns,
        missed=diagnosis.missed,
        members=members,
        signatures=tuple(dict.fromkeys(signature(member.finding) for member in subject.members))[:SIGNATURES_KEPT],
        supported=diagnosis.supported,
    )


def revise(look: Review, fault: Fault) -> Fault:
    """Bring one firing alert up to date and publish it if that matters."""
    members = tuple(key for key in fault.members if key in look.state.active)
    over = all(look.state.active[key].over for key in members)
    if over and (fault.settled or not any(key in look.traces for key in members)):
        return _resolve(look, fault)
    opening = look.state.active.get(fault.opening) or look.state.active[members[0]]
    subject = _subject(look, opening, members, fault)
    if fault.settled or opening.key not in look.traces:
        members = _current(look, members) if fault.settled else members
        measured = measure(subject, fault.origin, fault.alert, NEWEST)
        kept = replace(fault, members=members, tainted=measured.tainted, reached=measured.reached)
        return tell(look, kept, refresh(subject, fault, measured.impact))
    diagnosis = _diagnose(look, members, opening.key)
    if diagnosis.awaited and _stands(look, fault, diagnosis) and not (over and _waited(look, fault)):
        measured = measure(subject, fault.origin, fault.alert)
        kept = _settle(look, replace(fault, members=members), measured)
        return tell(look, kept, refresh(subject, fault, measured.impact))
    stage = _stage(look, fault, diagnosis)
    measured = measure(subject, diagnosis.origin, diagnosis)
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
    return tell(look, fault, alert)


def _stands(look: Review, fault: Fault, diagnosis: Diagnosis) -> bool:
    """Tell whether what an alert names stands until the batches have come that a new diagnosis still waits for.

    What nothing supports yields to what is supported, or further up: waiting will not bring the cause back down.
    """
    if fault.supported:
        return True
    higher = diagnosis.supported or diagnosis.origin in look.lineage.ancestors(fault.origin)
    return fault.alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED and not higher


def reopened(look: Review, fault: Fault, opening: str) -> Fault:
    """Open a closed alert again; a supported cause stands: it was seen best when it began, not when it came back."""
    firing = replace(fault.draft or fault.alert, status=Status.FIRING, resolved_at=None, superseded_by=None)
    known = fault.supported and fault.alert.status is Status.RESOLVED
    return replace(
        fault,
        alert=_publish(look, fault.alert, worded(firing)),
        draft=None,
        opening=fault.opening if known else opening,
        opened=look.state.sequence,
        opened_arrival=look.state.arrived_at,
        changed_arrival=look.state.arrived_at,
        told=look.state.arrived_at,
        settled=known,
        observed=0,
    )


def closed(look: Review, fault: Fault, successor: str) -> Fault:
    """Close an alert that turned out to be another's fault, the alert ``successor``."""
    alert = replace(fault.alert, status=Status.SUPERSEDED, superseded_by=successor, resolved_at=look.now)
    return replace(fault, alert=_publish(look, fault.alert, alert), members=())


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
    return diagnose(look.retest, _apart(look, (home, *same), members), look.state.changes, shared)


def _apart(look: Review, walks: tuple[Trace, ...], members: tuple[str, ...]) -> tuple[Trace, ...]:
    """Leave out what deviates at the origin of these walks because of another fault."""
    here = [(key, one.finding) for key, one in look.state.active.items() if one.node == walks[0].origin.node]
    about = {key: concern(finding.column or "", finding.statistic) for key, finding in here}
    taken = members_of(look.faults, look.guests) - set(members)
    theirs = {about[key] for key in taken & set(about)} - {about[key] for key in members if key in about}
    if not theirs:
        return walks
    kept = {
        id(found): tuple(one for one in found if concern(one.column, one.statistic) not in theirs)
        for found in {id(walk.deviations): walk.deviations for walk in walks}.values()
    }
    home, *others = (replace(walk, deviations=kept[id(walk.deviations)]) for walk in walks)
    return home, *(walk for walk in others if not about_origin(walk) & theirs)


def _waited(look: Review, fault: Fault) -> bool:
    """Tell whether an alert has been open for so long that batches on their way are waited for no more."""
    return (look.state.arrived_at - fault.opened_arrival) / 1e6 >= look.policy.settle_s


def _settle(look: Review, fault: Fault, measured: Measured) -> Fault:
    """Make a cause final once nothing was added for long enough and no finding waits for batches that may still come.

    Batches that some children name and that never come are not waited for: else every observation would walk again.
    """
    waiting = any(look.traces[key].awaited for key in fault.members if key in look.traces)
    if not _quiet(look, fault) or (waiting and not _waited(look, fault)):
        return fault
    return replace(fault, settled=True, tainted=measured.tainted, reached=measured.reached)


def _quiet(look: Review, fault: Fault) -> bool:
    """Tell whether nothing was added for five observations of its subjects, or for as long as these should take.

    Subjects that fell silent are observed no more: else every observation of the others would walk again.
    """
    nodes = {look.state.active[key].node for key in fault.members if key in look.state.active}
    usual = max((look.lineage.usual_gap(node) for node in nodes), default=0)
    since, waited = fault.observed - fault.changed, look.state.arrived_at - fault.changed_arrival
    return since >= look.policy.settle_batches or waited >= look.policy.patience(usual)


def _current(look: Review, members: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out findings that are over and were followed by one about the same; what they spoilt is known."""
    followed = [look.state.active[key] for key in members]
    lasting = {signature(one.finding) for one in followed if not one.over}
    return tuple(one.key for one in followed if not one.over or signature(one.finding) not in lasting)


def tell(look: Review, fault: Fault, alert: Alert) -> Fault:
    """Publish what is now known of an alert if that is news, else keep it."""
    over = fault.alert.status is not Status.FIRING
    due = is_due(look, fault.told, fault.opened_arrival, over=over)
    published = _publish(look, fault.alert, alert, Moment(settled=fault.settled, due=due))
    news = published is not fault.alert
    told = look.state.arrived_at if news else fault.told
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
        measured = measure(subject, fault.origin, alert, NEWEST if fault.settled else None)
        alert = refresh(subject, ended, measured.impact)
        fault = replace(fault, tainted=measured.tainted, reached=measured.reached)
    published = _publish(look, fault.alert, alert)
    return replace(fault, alert=published, draft=None, told=look.state.arrived_at, members=(), settled=True)


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
