"""What the demo has seen so far: per dataset and model how much flowed and what speaks against it, and the alerts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from detectors.finding import Finding
from diagnosis.alert import Alert, StageOfDiagnosis, Status
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind

SHOWN = (ObservationKind.BATCH, ObservationKind.WINDOW, ObservationKind.OUTCOMES)


@dataclass(slots=True)
class Subject:
    """A dataset or model as its observations tell it; ``evidence`` is of its most suspicious statistic, in nats."""

    name: str
    batches: int = 0
    rows: int = 0
    warming_up: bool = True
    evidence: float = 0.0
    suspicious: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Board:
    """Fed with observations and alerts in the order they come; ``subjects`` in the order of the pipeline.

    fresh: findings nobody was told of yet; ``take_fresh`` empties it.
    """

    pipeline: str
    subjects: dict[str, Subject]
    alerts: dict[str, Alert] = field(default_factory=dict)
    first_alert_at: float | None = None
    revised_at: float | None = None
    _known: set[tuple[str, str | None, str, str]] = field(default_factory=set)
    _fresh: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, pipeline: str, names: Iterable[str]) -> "Board":
        """An empty board for the datasets and models ``names``."""
        return cls(pipeline, {name: Subject(name) for name in names})

    def note(self, observation: Observation) -> None:
        """Takes in an observation."""
        if observation.pipeline != self.pipeline or observation.kind not in SHOWN:
            return
        subject = self.subjects.setdefault(observation.name, Subject(observation.name))
        if observation.kind is not ObservationKind.OUTCOMES:
            subject.batches += 1
            subject.rows += observation.rows
            subject.warming_up = observation.warming_up
            subject.findings = observation.findings
            subject.evidence, subject.suspicious = _strongest(observation)
        for finding in observation.findings:
            identity = (finding.subject, finding.column, finding.statistic, finding.alarm_batch_id)
            if identity not in self._known:
                self._known.add(identity)
                self._fresh.append(finding)

    def hear(self, alert: Alert, now: float) -> None:
        """Takes in a revision of an alert; ``now`` is any monotonic clock in seconds."""
        if alert.pipeline != self.pipeline:
            return
        known = self.alerts.get(alert.alert_id)
        if known is not None and known.revision >= alert.revision:
            return
        if known is None or _says(known) != _says(alert):
            self.revised_at = now
        if self.first_alert_at is None:
            self.first_alert_at = now
        self.alerts[alert.alert_id] = alert

    def take_fresh(self) -> list[Finding]:
        """The findings that are new since the last time, in the order they came."""
        fresh, self._fresh = self._fresh, []
        return fresh

    @property
    def seen_everywhere(self) -> int:
        """Batches that every dataset and model has at least shown."""
        return min((subject.batches for subject in self.subjects.values()), default=0)

    @property
    def alert(self) -> Alert | None:
        """The alert to show: firing before closed, diagnosed before suspected, then the first."""
        ranked = sorted(
            (alert for alert in self.alerts.values() if alert.status is not Status.SUPERSEDED),
            key=lambda alert: (
                alert.status is not Status.FIRING,
                alert.stage_of_diagnosis is not StageOfDiagnosis.DIAGNOSED,
                alert.detected_at,
            ),
        )
        return ranked[0] if ranked else None


def _says(alert: Alert) -> tuple[object, ...]:
    return alert.status, alert.stage_of_diagnosis, alert.cause.kind, alert.cause.component, alert.cause.column


def _strongest(observation: Observation) -> tuple[float, str]:
    """The highest evidence, in nats, and what it is about; an exact check, being certain, goes first."""
    certain = [finding for finding in observation.findings if finding.evidence_nats == np.inf]
    if certain:
        return float("inf"), _about(certain[0].column, certain[0].statistic)
    readings = observation.readings
    evidence = np.nan_to_num(readings.evidence, nan=0.0)
    if evidence.size == 0:
        return 0.0, ""
    top = int(evidence.argmax())
    return float(evidence[top]), _about(readings.column[top], readings.statistic[top])


def _about(column: str | None, statistic: str) -> str:
    words = statistic.replace("_", " ")
    return f"{words} of {column}" if column else words
