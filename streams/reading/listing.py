"""Alerts as a list, one line each."""

from rich.text import Text

from diagnosis.alert import Alert, Status
from streams.reading.layout import words
from streams.reading.measures import time
from streams.reading.words import SEVERITY_STYLE

ID_SHOWN = 12


def alert_line(alert: Alert) -> Text:
    """When it was detected, how bad it is, whether it lasts, what it is, and the beginning of its id."""
    firing = alert.status is Status.FIRING
    line = Text(time(alert.detected_at), style="dim")
    line.append("  ")
    line.append(f"{alert.severity.value:<8}", style=SEVERITY_STYLE[alert.severity] if firing else "dim")
    line.append(f"  {alert.status.value.lower():<10}", style="bold" if firing else "dim")
    line.append_text(words(f"  {alert.alert_id[:ID_SHOWN]}", "cyan"))
    line.append_text(words(f"  {alert.pipeline}: ", "dim"))
    line.append_text(words(alert.title))
    return line
