"""``headwater alerts``: what there is to know, from the alerts topic itself."""

from typing import Annotated

import typer
from rich.console import Console

from diagnosis.alert import Alert, Status
from schemas.codec import Codec
from streams.alert_log import AlertLog, latest
from streams.commands.overrides import AsJson, Bootstrap, settings_with
from streams.commands.since import moment
from streams.reading.listing import alert_line

EPILOG = """Examples:

`headwater alerts` lists every alert once, in its latest revision

`headwater alerts --firing --pipeline taxi` only what lasts, of one pipeline

`headwater alerts --since 2h --json` one JSON object a line

`headwater alerts --follow` goes on with every new revision, until Ctrl-C

Exit codes: 0 done, 2 the command is wrong or Kafka cannot be read.
"""


def alerts(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on with every new revision")] = False,
    pipeline: Annotated[str | None, typer.Option(help="only alerts of this pipeline")] = None,
    firing: Annotated[bool, typer.Option("--firing", help="only alerts that are firing")] = False,
    since: Annotated[str | None, typer.Option(help="only what was published since: 2h, 7d, 2026-01-31T12:00Z")] = None,
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
) -> None:
    """List alerts: the latest revision of each, oldest first."""
    settings = settings_with(bootstrap=bootstrap)
    printer = _Printer(as_json)
    with AlertLog(settings, moment(since)) as log:
        for alert in latest(log.past()):
            if wanted(alert, pipeline, firing):
                printer.show(alert)
        printer.finish(log.unreadable, following=follow)
        for published in log.follow() if follow else ():
            if published is not None and wanted(published.alert, pipeline, firing):
                printer.show(published.alert)


def wanted(alert: Alert, pipeline: str | None, firing: bool) -> bool:
    """Whether an alert passes the filters."""
    return (pipeline is None or alert.pipeline == pipeline) and (not firing or alert.status is Status.FIRING)


class _Printer:
    """Writes alerts as they come: a line each, or a JSON object each."""

    def __init__(self, as_json: bool) -> None:
        self._codec = Codec("alert", Alert) if as_json else None
        self._console = Console(soft_wrap=True, highlight=False)
        self._shown = 0

    def show(self, alert: Alert) -> None:
        self._shown += 1
        if self._codec is not None:
            typer.echo(self._codec.encode_json(alert).decode())
        else:
            self._console.print(alert_line(alert))

    def finish(self, unreadable: int, *, following: bool) -> None:
        """What is to be said beside the alerts goes to stderr."""
        if unreadable:
            typer.echo(f"headwater: {unreadable} records of the alerts topic are no alerts", err=True)
        if self._codec is None and not self._shown:
            typer.echo("no alerts" + (" yet" if following else ""), err=True)
