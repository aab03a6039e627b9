"""An alert as Alertmanager's API v2 takes it: labels that identify it, everything else as annotations."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

from diagnosis.alert import Alert, Status
from streams.notify.why import Labels, Told, labels_of
from streams.settings import Settings

Micros: TypeAlias = int
Message: TypeAlias = dict[str, Any]

FORGOTTEN_AFTER_REPEATS = 4


def messages_of(told: Told, alert: Alert, now: Micros, settings: Settings) -> list[Message]:
    """What is posted for one alert: itself, firing or resolved, and every other label set of it resolved."""
    firing = alert.status is Status.FIRING
    current = labels_of(alert)
    ends = now + int(FORGOTTEN_AFTER_REPEATS * settings.notify_repeat_s * 1e6) if firing else now
    old = sorted(told.open - {current})
    open_now = [(current, ends)] if firing or current in told.open or not old else []
    return [_message(labels, told, alert, until, settings) for labels, until in [*open_now, *((o, now) for o in old)]]


def _message(labels: Labels, told: Told, alert: Alert, until: Micros, settings: Settings) -> Message:
    return {
        "labels": dict(labels),
        "annotations": dict(annotations_of(alert)),
        "startsAt": rfc3339(min(told.first_seen, until)),
        "endsAt": rfc3339(until),
        "generatorURL": console_link(alert, settings),
    }


def annotations_of(alert: Alert) -> Iterator[tuple[str, str]]:
    """Everything that may change, in words; empty ones are left out."""
    cause, impact = alert.cause, alert.impact
    texts: dict[str, object] = {
        "summary": alert.title,
        "description": alert.summary,
        "next_steps": "\n".join(alert.next_steps),
        "kind": alert.kind.value,
        "stage_of_diagnosis": alert.stage_of_diagnosis.value,
        "cause": " ".join(part for part in (cause.component, cause.column, cause.segment) if part),
        "change": " -> ".join(part for part in (cause.before, cause.after) if part),
        "confidence": f"{cause.confidence:.2f}",
        "grounding": cause.grounding.value,
        "onset": rfc3339(alert.onset.earliest),
        "models": ", ".join(impact.models),
        "predictions_affected": impact.predictions_affected or "",
        "symptoms": len(alert.symptoms),
        "revision": alert.revision,
        "superseded_by": alert.superseded_by or "",
        "previous_alert_id": alert.previous_alert_id or "",
        "runbook_url": alert.runbook_url or "",
        "dashboard_url": alert.links.dashboard or "",
        "run_url": alert.links.run or "",
        "change_url": alert.links.change or "",
        "explain": f"headwater explain {alert.alert_id}",
    }
    yield from ((name, str(text)) for name, text in texts.items() if text != "")


def console_link(alert: Alert, settings: Settings) -> str:
    """Where the alert can be looked at, or an empty text."""
    if alert.links.console:
        return alert.links.console
    return (settings.console_url or "").replace("{alert_id}", alert.alert_id)


def rfc3339(at: Micros) -> str:
    """A time as Alertmanager reads it, to the millisecond."""
    text = datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
