"""The new normal that an alert's symptoms amount to, as changes that the detect agent applies."""

from collections.abc import Iterable
from dataclasses import dataclass

from detectors.finding import Finding
from diagnosis.alert import Alert, Status
from diagnosis.silence import SILENCE
from schemas.events import Change, ChangeKind, Micros

SCORE = "score"


class NothingToAccept(LookupError):
    """An alert has nothing (any more) that could be taken for normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What is to be learnt afresh: a column of a dataset or model, its scores (``score``), or all of it (None).

    What is silent for good is accepted with ``silence`` in the column's place: nothing of it is learnt afresh.
    """

    pipeline: str
    component: str
    column: str | None = None
    symptoms: tuple[Finding, ...] = ()

    def change(self, at: Micros, change_id: str, reason: str | None, by: str | None) -> Change:
        """The event that says so."""
        return Change(
            pipeline=self.pipeline,
            component=self.component,
            kind=ChangeKind.BASELINE,
            at=at,
            change_id=f"{change_id}:{self.component}{f'.{self.column}' if self.column else ''}",
            after=self.column,
            by=by,
            reason=reason,
        )


def accepted_of(alert: Alert, column: str | None = None) -> tuple[Accepted, ...]:
    """What an alert that lasts amounts to; ``column`` as for ``accepted``.

    The scores of a model whose features moved are part of it: they follow, often too slowly to have moved already.
    What outcomes say of them is not, unless the alert says it: being wrong more often is news.

    Raises:
        NothingToAccept: the alert is over, or nothing that moved is in this column.
    """
    if alert.status is not Status.FIRING:
        over = f"superseded by {alert.superseded_by}" if alert.superseded_by else alert.status.value.lower()
        raise NothingToAccept(f"alert {alert.alert_id} is {over}: there is nothing left to accept")
    symptoms = sorted(alert.symptoms, key=lambda finding: (finding.onset_earliest, -finding.evidence_nats))
    if chosen := accepted(symptoms, column):
        return chosen if column else _with_scores(chosen, alert)
    known = sorted({one.column for one in accepted(symptoms) if one.column})
    if column is not None and known:
        raise NothingToAccept(f"alert {alert.alert_id} has no symptom in column {column!r}, only in {', '.join(known)}")
    raise NothingToAccept(f"alert {alert.alert_id} names nothing that could be accepted")


def _with_scores(chosen: tuple[Accepted, ...], alert: Alert) -> tuple[Accepted, ...]:
    moved = dict.fromkeys((one.pipeline, one.component) for one in chosen)
    known = {(one.pipeline, one.component) for one in chosen if one.column in (None, SCORE)}
    models = {(alert.pipeline, model) for model in alert.impact.models}
    scores = [place for place in moved if place in models and place not in known]
    return (*chosen, *(Accepted(pipeline=pipeline, component=model, column=SCORE) for pipeline, model in scores))


def accepted(symptoms: Iterable[Finding], column: str | None = None) -> tuple[Accepted, ...]:
    """What the symptoms name, once each, in their order; a subject that is accepted whole covers its columns.

    column: only this one (``score`` for a model's scores, ``silence`` for what comes no more).
    """
    named: dict[tuple[str, str | None], list[Finding]] = {}
    for finding in symptoms:
        place = (finding.subject, column_of(finding))
        if column in (None, place[1]):
            named.setdefault(place, []).append(finding)
    whole = {subject for subject, held in named if held is None}
    gathered: dict[tuple[str, str | None], list[Finding]] = {}
    for (subject, held), findings in named.items():
        gathered.setdefault((subject, None if subject in whole and held != SILENCE else held), []).extend(findings)
    return tuple(_accepted(subject, held, found) for (subject, held), found in gathered.items())


def column_of(finding: Finding) -> str | None:
    """The column that is to be learnt afresh for the finding to end; None is the whole subject."""
    if finding.column is None and finding.statistic == SILENCE:
        return SILENCE
    return SCORE if finding.column is None and finding.statistic.startswith("score_") else finding.column


def since(alert: Alert, now: Micros) -> Micros:
    """The event time of accepting an alert: not before anything it is about began."""
    return max(now, *(finding.alarm_at for finding in alert.symptoms), *(f.onset_latest for f in alert.symptoms), 0)


def _accepted(subject: str, column: str | None, symptoms: list[Finding]) -> Accepted:
    pipeline, _, component = subject.partition("/")
    return Accepted(pipeline=pipeline, component=component, column=column, symptoms=tuple(symptoms))
