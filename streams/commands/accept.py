"""``headwater accept``: this is the new normal."""

import sys
import time
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType

from diagnosis.alert import Alert
from diagnosis.silence import SILENCE
from streams.acceptance import Accepted, NothingToAccept, accepted_of, since
from streams.announcing import announce
from streams.commands.explain import NOT_FOUND, find
from streams.commands.overrides import Bootstrap, RedisUrl, refuse, settings_with
from streams.index.reader import Ambiguous, NotFound
from streams.ingest.times import written
from streams.reading.alert import symptom
from streams.reading.layout import bullets, words
from streams.reading.words import harmless
from streams.settings import Settings

EPILOG = """Examples:

`headwater accept 3f2a9c41` everything that the alert says has moved

`headwater accept 3f2a9c41 --column distance --reason "the feed is in metres now"` only this column

`headwater accept --pipeline taxi --component cleaned --column distance` without an alert

Exit codes: 0 accepted, 1 there is no such alert, or nothing of it to accept, 2 the command is wrong or Kafka did not
take it, 3 it was answered no.
"""
ANSWERED_NO = 3


def accept(
    alert_id: Annotated[
        str | None, typer.Argument(help="the alert's id, or a beginning of it that no other id has")
    ] = None,
    column: Annotated[str | None, typer.Option(help="only this column; score for the scores of a model")] = None,
    pipeline: Annotated[str | None, typer.Option(help="without an alert: the pipeline")] = None,
    component: Annotated[str | None, typer.Option(help="without an alert: the dataset or model")] = None,
    reason: Annotated[str | None, typer.Option(help="why it is right as it is now")] = None,
    by: Annotated[str | None, typer.Option(help="who says so")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    bootstrap: Bootstrap = None,
    redis_url: RedisUrl = None,
) -> None:
    """This is the new normal: what moved is learnt afresh, and its alert ends."""
    settings, now = settings_with(bootstrap=bootstrap, redis_url=redis_url), time.time_ns() // 1_000
    if alert_id is not None and pipeline is None and component is None:
        alert = _alert(alert_id, settings)
        chosen, at = _chosen(alert, column), since(alert, now)
        reason = reason or f"accepted with alert {alert.alert_id}"
    elif alert_id is None and pipeline and component:
        chosen, at = (Accepted(pipeline=pipeline, component=component, column=column),), now
    else:
        refuse("name either an alert, or --pipeline and --component")
    Console(highlight=False).print(shown(chosen))
    if not yes and sys.stdin.isatty() and not typer.confirm("Is this the new normal?"):
        raise typer.Exit(ANSWERED_NO)
    announce([one.change(at, f"accepted@{written(at)}", reason, by) for one in chosen], settings)
    typer.echo("accepted: the next batches are what is normal from now on", err=True)
    if alert_id is not None:
        typer.echo("the alert resolves by itself when a few of them have come", err=True)


def shown(chosen: tuple[Accepted, ...]) -> RenderableType:
    """What is to be accepted, with the symptoms that go with it."""
    parts: list[RenderableType] = []
    for one in chosen:
        what = f"column {one.column}" if one.column else "all of it"
        what = "that nothing comes any more" if one.column == SILENCE else what
        parts.append(words(f"{one.pipeline}/{one.component}: {what}", "bold"))
        if one.symptoms:
            parts.append(bullets(map(symptom, one.symptoms)))
    return Group(*parts)


def _alert(alert_id: str, settings: Settings) -> Alert:
    try:
        return find(alert_id, settings)
    except (NotFound, Ambiguous) as error:
        raise _nothing(str(error.args[0])) from error


def _chosen(alert: Alert, column: str | None) -> tuple[Accepted, ...]:
    try:
        return accepted_of(alert, column)
    except NothingToAccept as error:
        raise _nothing(str(error)) from error


def _nothing(sentence: str) -> typer.Exit:
    typer.echo(f"headwater: {harmless(sentence)}", err=True)
    return typer.Exit(NOT_FOUND)
