"""What another pipeline's fault does to the predictions of this one, counted as those of a fault at home."""

from dataclasses import replace

from diagnosis.aftermath import may_still_reach, with_former
from diagnosis.alert import CauseKind, Impact, Severity
from diagnosis.impact import severity_of
from diagnosis.measuring import NEWEST, Began, Known, Measured, counted, measure
from diagnosis.observation import Harm
from diagnosis.publish import Reason, why_tell
from diagnosis.review import Review, is_due
from diagnosis.state import Guest, Toll
from diagnosis.toll import may_rise


def reckon(look: Review, guest: Guest) -> Guest:
    """Bring the toll of another pipeline's alert up to date, and tell it if that matters."""
    toll, over = guest.toll, guest.resolved_at
    if toll is None or not may_rise(look.state, guest, look.touched):
        return guest
    harm = toll.draft
    if over is None or toll.findings:
        toll, harm = _count(look, guest, toll)
    elif look.touched is not None and may_still_reach(look, toll.origin, over):
        toll, harm = _follow_on(look, guest, toll)
    return replace(guest, toll=_tell(look, guest, toll, harm) if harm else toll)


def _count(look: Review, guest: Guest, toll: Toll) -> tuple[Toll, Harm]:
    keys = dict.fromkeys((*toll.findings, *guest.members))
    members = tuple(look.state.active[key] for key in keys if key in look.state.active)
    if look.touched in {toll.origin, *(one.node for one in members if one.key in toll.findings)}:
        toll = replace(toll, observed=toll.observed + 1)
    began = Began(earliest=guest.earliest, latest=toll.since, deliberate=toll.deliberate)
    newest = NEWEST if toll.settled else None
    measured = measure(look.lineage, look.policy, members, toll.origin, began, _known(guest, toll), newest)
    severity = severity_of(look.lineage, toll.origin, CauseKind.UNKNOWN, members, measured.impact, look.policy)
    if guest.resolved_at is not None:
        toll = replace(toll, findings=(), settled=True)
    elif _is_quiet(look, toll):
        toll = replace(toll, settled=True)
    return _kept(toll, measured), _harm(guest, toll, measured, severity)


def _follow_on(look: Review, guest: Guest, toll: Toll) -> tuple[Toll, Harm]:
    """Count what a fault that is over reached by now."""
    known = _known(guest, toll)
    measured = counted(look.lineage, look.policy, known, (), toll.origin, toll.since, NEWEST)
    if known.impact is not None:
        measured = replace(measured, impact=with_former(measured.impact, known.impact))
    told = toll.draft or toll.told
    return _kept(toll, measured), _harm(guest, toll, measured, told.severity if told else Severity.INFO)


def _known(guest: Guest, toll: Toll) -> Known:
    """Return what is known of a toll: nothing of what it spoilt before it is settled."""
    known, harm = Known(over=guest.resolved_at), toll.draft or toll.told
    if toll.settled:
        known = replace(known, tainted=toll.tainted, reached=toll.reached)
    if harm is None:
        return known
    impact = Impact(
        predictions_affected=harm.affected,
        match=harm.match,
        performance_change=harm.performance_change,
        interval=harm.interval,
    )
    return replace(known, impact=impact)


def _is_quiet(look: Review, toll: Toll) -> bool:
    """Tell whether nothing else was told for long enough, as of a fault at home."""
    waited = look.state.arrived_at - toll.changed_arrival
    patience = look.policy.patience(look.lineage.usual_gap(toll.origin))
    return toll.observed >= look.policy.settle_batches or waited >= patience


def _kept(toll: Toll, measured: Measured) -> Toll:
    return replace(toll, tainted=measured.tainted, reached=measured.reached)


def _harm(guest: Guest, toll: Toll, measured: Measured, severity: Severity) -> Harm:
    hit = [one for one in measured.totals.values() if one.affected]
    impact = measured.impact
    return Harm(
        alert_id=guest.alert_id,
        revision=toll.told.revision if toll.told else 0,
        severity=severity,
        models=impact.models,
        affected=impact.predictions_affected,
        total=sum(one.total for one in hit),
        first_at=min((one.first_at for one in hit if one.first_at is not None), default=None),
        first_id=impact.first_prediction_id,
        match=impact.match,
        performance_change=impact.performance_change,
        interval=impact.interval,
    )


def _tell(look: Review, guest: Guest, toll: Toll, harm: Harm) -> Toll:
    """Tell what is known of a toll if that is news, else keep it."""
    due = is_due(look, toll.told_arrival, toll.opened_arrival, over=guest.resolved_at is not None)
    if why_tell(toll.told, harm, due=due) is Reason.NOTHING_NEW:
        return replace(toll, draft=harm if harm != toll.told and harm.affected else None)
    told = replace(harm, revision=harm.revision + 1)
    return replace(toll, told=told, draft=None, told_arrival=look.state.arrived_at)
