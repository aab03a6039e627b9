"""Whether a revision of an alert is worth telling people."""

from dataclasses import dataclass
from enum import StrEnum

from diagnosis.alert import Alert
from diagnosis.following import OF_OUTCOMES
from diagnosis.observation import Harm

_FAR = 2  # a count that is off by more than so many times is news at any time


class Reason(StrEnum):
    """Why a revision is published, or ``NOTHING_NEW``."""

    OPENED = "OPENED"
    STATUS = "STATUS"
    STAGE = "STAGE"
    SEVERITY = "SEVERITY"
    CAUSE = "CAUSE"
    PATH = "PATH"
    SYMPTOMS = "SYMPTOMS"
    IMPACT = "IMPACT"
    NUMBERS = "NUMBERS"
    NOTHING_NEW = "NOTHING_NEW"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where an alert is when its next revision is considered.

    settled: its cause is final and its findings are gathered; until then it spreads with every batch, which is told
    with the ticks. due: it is one, and what was told is no longer fresh.
    """

    settled: bool = False
    due: bool = False


def why_publish(previous: Alert | None, current: Alert, moment: Moment) -> Reason:
    """Return the first material difference between what was published and what would be."""
    if previous is None:
        return Reason.OPENED
    if (previous.status, previous.superseded_by) != (current.status, current.superseded_by):
        return Reason.STATUS
    if previous.stage_of_diagnosis is not current.stage_of_diagnosis:
        return Reason.STAGE
    if previous.severity is not current.severity:
        return Reason.SEVERITY
    if _cause(previous) != _cause(current):
        return Reason.CAUSE
    if moment.settled and _path(previous) != _path(current):
        return Reason.PATH
    if (moment.settled or moment.due) and _spread(previous, current):
        return Reason.SYMPTOMS
    before, after = previous.impact, current.impact
    if before.models != after.models:
        return Reason.IMPACT
    told, known = before.predictions_affected, after.predictions_affected
    return Reason.NUMBERS if _differ(told, known) or (moment.due and told != known) else Reason.NOTHING_NEW


def why_tell(previous: Harm | None, current: Harm, *, due: bool) -> Reason:
    """Return the first material difference between what a reader told of another pipeline's alert and what it knows."""
    if previous is None:
        return Reason.OPENED if current.affected else Reason.NOTHING_NEW
    if previous.severity is not current.severity:
        return Reason.SEVERITY
    if previous.models != current.models:
        return Reason.IMPACT
    news = _differ(previous.affected, current.affected) or (due and current != previous)
    return Reason.NUMBERS if news else Reason.NOTHING_NEW


def _differ(told: int, known: int) -> bool:
    """Tell whether a count is so far from what was told that it is news at any time."""
    return max(told, known) > _FAR * min(told, known)


def _cause(alert: Alert) -> tuple[object, ...]:
    cause = alert.cause
    return alert.kind, cause.component, cause.column, cause.segment, cause.change_id, alert.previous_alert_id


def _path(alert: Alert) -> tuple[object, ...]:
    return tuple((hop.pipeline, hop.dataset, hop.stage, hop.verdict) for hop in alert.path)


def _spread(previous: Alert, current: Alert) -> bool:
    """Tell whether another subject is hit, outcomes too now, or many more statistics: a tenth column is no news."""
    before, after = _found(previous), _found(current)
    news = _about(after) - _about(before)
    return bool(news) or len(after).bit_length() // 2 > len(before).bit_length() // 2


def _about(found: frozenset[tuple[str, str, str]]) -> set[tuple[str, bool]]:
    return {(subject, statistic in OF_OUTCOMES) for subject, _, statistic in found}


def _found(alert: Alert) -> frozenset[tuple[str, str, str]]:
    return frozenset((finding.subject, finding.column or "", finding.statistic) for finding in alert.symptoms)
