"""Putting an alert together: the one place where findings, diagnosis and impact become what is published."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from detectors.finding import Finding

from diagnosis import measuring
from diagnosis.alert import Alert, Impact, Links, Severity, StageOfDiagnosis, Status
from diagnosis.cause import Diagnosis
from diagnosis.harm import worst
from diagnosis.identity import alert_id, cause_key
from diagnosis.impact import severity_of
from diagnosis.lineage import Lineage
from diagnosis.measuring import Began, Measured, known_of
from diagnosis.policy import Policy
from diagnosis.segments import held_by, segment_of
from diagnosis.state import Active, Fault
from diagnosis.wording import Story, tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One fault about to be put into words: its findings, and what is known of it."""

    lineage: Lineage
    policy: Policy
    pipeline: str
    opening: Active
    members: tuple[Active, ...]
    fault: Fault | None = None


def compose(
    subject: Subject, diagnosis: Diagnosis, impact: Impact, stage: StageOfDiagnosis, previous: str | None
) -> Alert:
    """Return the alert as it now is; its revision is the one already published (0 if none)."""
    policy, finding = subject.policy, subject.opening.finding
    known = subject.fault.alert if subject.fault else None
    name = known.alert_id if known else alert_id(policy.environment, finding)
    node = subject.lineage.nodes.get(diagnosis.origin)
    words = {"alert_id": name, "kind": diagnosis.cause.kind, "pipeline": subject.pipeline}
    words["component"] = diagnosis.cause.component
    sooner = known if known is not None and diagnosis.onset.earliest > known.detected_at else diagnosis
    alert = Alert(
        alert_id=name,
        revision=known.revision if known else 0,
        status=known.status if known else Status.FIRING,
        stage_of_diagnosis=stage,
        environment=policy.environment,
        pipeline=subject.pipeline,
        severity=Severity.UNKNOWN,
        kind=diagnosis.cause.kind,
        title="",
        summary="",
        onset=sooner.onset,  # what a later finding of the same fault says of its onset is not news
        last_good=sooner.last_good,
        detected_at=known.detected_at if known else finding.alarm_at,
        cause=diagnosis.cause,
        cause_key=cause_key(policy.environment, subject.pipeline, diagnosis.cause),
        suspects=diagnosis.suspects,
        rejected=diagnosis.rejected,
        path=diagnosis.path,
        symptoms=_symptoms(subject.members, policy.max_symptoms),
        context=diagnosis.context,
        impact=impact,
        owner=(node.owner if node else None) or _any_owner(subject.lineage),
        runbook_url=_filled(policy.runbook_url, words),
        links=Links(
            console=_filled(policy.console_url, words),
            dashboard=_filled(policy.dashboard_url, words),
            change=diagnosis.change_url,
            trace=diagnosis.first.trace_id if diagnosis.first else None,
        ),
        previous_alert_id=previous,
    )
    return worded(_weighed(subject, alert, diagnosis.origin))


def _filled(template: str | None, words: dict[str, str]) -> str | None:
    return template.format(**words) if template else None


def refresh(subject: Subject, fault: Fault, impact: Impact) -> Alert:
    """Return a settled alert with today's symptoms, impact and severity; its cause stays, but for its segment."""
    known = fault.draft or fault.alert
    alert = replace(
        known,
        cause=replace(known.cause, segment=_segment(subject, fault, known)),
        symptoms=_symptoms(subject.members, subject.policy.max_symptoms) or known.symptoms,
        impact=impact,
    )
    return worded(_weighed(subject, alert, fault.origin))


def _segment(subject: Subject, fault: Fault, known: Alert) -> str | None:
    """Return the segment that holds all of the cause's shift, which shows only after some batches of others."""
    at, cause = fault.origin, known.cause
    told = [one.finding for one in subject.members if (one.node, one.finding.column) == (at, cause.column)]
    if not told or cause.column is None:
        return cause.segment
    since, statistic = known.onset.latest, told[0].statistic
    return held_by(told) or segment_of(subject.lineage, at, since, cause.column, statistic, cause.segment)


def worded(alert: Alert) -> Alert:
    """Return the alert with title, summary and next steps that fit it."""
    texts = tell(
        Story(
            status=alert.status,
            stage=alert.stage_of_diagnosis,
            cause=alert.cause,
            onset=alert.onset,
            last_good=alert.last_good,
            path=alert.path,
            symptoms=alert.symptoms,
            impact=alert.impact,
            rejected=len(alert.rejected),
            resolved_at=alert.resolved_at,
        )
    )
    return replace(alert, title=texts.title, summary=texts.summary, next_steps=texts.next_steps)


def measure(subject: Subject, origin: str, known: Diagnosis | Alert, newest: int | None = None) -> Measured:
    """Return which predictions a fault has reached; ``newest`` limits the look to each node's newest batches."""
    onset, deliberate = known.onset, known.cause.change_id is not None
    began = Began(earliest=onset.earliest, latest=onset.latest, deliberate=deliberate)
    before = known_of(subject.fault)
    return measuring.measure(subject.lineage, subject.policy, subject.members, origin, began, before, newest)


def _weighed(subject: Subject, alert: Alert, origin: str) -> Alert:
    severity = severity_of(subject.lineage, origin, alert.kind, subject.members, alert.impact, subject.policy)
    return replace(alert, severity=worst(severity, subject.fault.harms if subject.fault else {}))


def _symptoms(members: Sequence[Active], most: int) -> tuple[Finding, ...]:
    findings = [member.finding for member in members]
    kept = sorted(findings, key=lambda one: (-one.evidence_nats, _order(one)))[:most]
    return tuple(sorted(kept, key=_order))


def _order(finding: Finding) -> tuple[int, str, str, str, str, str]:
    return (
        finding.onset_latest,
        finding.subject,
        finding.column or "",
        finding.segment or "",
        finding.statistic,
        finding.alarm_batch_id,
    )


def _any_owner(lineage: Lineage) -> str | None:
    owners = (lineage.nodes[key].owner for key in sorted(lineage.nodes))
    return next((owner for owner in owners if owner), None)
