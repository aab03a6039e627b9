"""When people are told of an alert: a pure decision that names its reason."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from diagnosis.alert import Alert, StageOfDiagnosis, Status
from streams.settings import Settings

Micros: TypeAlias = int
Labels: TypeAlias = tuple[tuple[str, str], ...]

ALERT_NAME = "HeadwaterAnomaly"


class Reason(StrEnum):
    """Why an alert is posted now."""

    DIAGNOSED = "DIAGNOSED"  # for the first time, its cause is known
    UNDIAGNOSED = "UNDIAGNOSED"  # for the first time, the diagnosis takes longer than people should wait
    RELABELLED = "RELABELLED"  # its severity or owner changed: the old label set is resolved with it
    REVISED = "REVISED"  # something else in it changed
    REPEATED = "REPEATED"  # Alertmanager forgets what is not repeated
    RESOLVED = "RESOLVED"  # it is over
    SUPERSEDED = "SUPERSEDED"  # another alert tells of the same fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What Alertmanager was told of one alert: wall-clock times in microseconds.

    first_seen: when its first revision was stored. open: label sets that may be firing there. told_at, told_revision:
    of the last post that arrived, None before the first.
    """

    first_seen: Micros
    open: frozenset[Labels] = frozenset()
    told_at: Micros | None = None
    told_revision: int | None = None


def labels_of(alert: Alert) -> Labels:
    """The labels, which make an alert's identity in Alertmanager: what never changes, and the severity."""
    labels = {
        "alertname": ALERT_NAME,
        "alert_id": alert.alert_id,
        "environment": alert.environment,
        "pipeline": alert.pipeline,
        "owner": alert.owner or "",
        "severity": alert.severity.value.lower(),
    }
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def why_notify(told: Told, alert: Alert, now: Micros, settings: Settings) -> Reason | None:
    """Why ``alert`` is to be posted at ``now``, or None where there is nothing to tell."""
    if alert.status is not Status.FIRING:
        return _why_ended(told, alert)
    if told.told_at is None or told.told_revision is None:
        if alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED:
            return Reason.DIAGNOSED
        waited = now - told.first_seen >= settings.notify_after_s * 1e6
        return Reason.UNDIAGNOSED if waited else None
    if told.open != {labels_of(alert)}:
        return Reason.RELABELLED
    if told.told_revision < alert.revision:
        return Reason.REVISED
    return Reason.REPEATED if now - told.told_at >= settings.notify_repeat_s * 1e6 else None


def _why_ended(told: Told, alert: Alert) -> Reason | None:
    if not told.open:
        return None
    return Reason.SUPERSEDED if alert.status is Status.SUPERSEDED else Reason.RESOLVED
