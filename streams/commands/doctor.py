"""``headwater doctor``: what is wrong, and how to mend it."""

import os
from collections.abc import Callable, Iterator
from typing import Annotated

import msgspec
import typer
from pydantic import ValidationError
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from streams.commands.overrides import AsJson, Bootstrap, RedisUrl, settings_with
from streams.doctor.broker import (
    check_all_topics,
    check_broker,
    check_rights,
    check_transaction_and_clock,
    existing_topics,
)
from streams.doctor.environment import check_settings
from streams.doctor.events import check_events
from streams.doctor.line import Level, Line, fail
from streams.doctor.services import check_alertmanager, check_redis, check_registry
from streams.reading.layout import words
from streams.settings import Settings

EPILOG = """Examples:

`headwater doctor --bootstrap kafka:9092`

`headwater doctor --json | jq '.[] | select(.level != "ok")'` for scripts

Nothing is changed. A record is written to the inbox topic in a transaction that is aborted: no reader sees it.

Exit codes: 0 nothing keeps Headwater from working, 1 something does.
"""
STYLE = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor(
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="only what is not ok")] = False,
    bootstrap: Bootstrap = None,
    redis_url: RedisUrl = None,
) -> None:
    """Check settings, broker, topics, rights, clocks, Redis, registry, Alertmanager and recent events."""
    lines: list[Line] = []
    console = Console(highlight=False)
    for line in _lines(bootstrap, redis_url):
        lines.append(line)
        if not as_json and not (quiet and line.level is Level.OK):
            console.print(render_line(line))
    if as_json:
        typer.echo(msgspec.json.encode(lines).decode())
    if any(line.level is Level.FAIL for line in lines):
        raise typer.Exit(1)


def render_line(line: Line) -> RenderableType:
    """A line with its level first and what to do about it below."""
    text = words(line.text)
    if line.mend:
        text.append_text(words(f"\n→ {line.mend}", "cyan"))
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(width=4)
    table.add_column(width=12)
    table.add_column(ratio=1, overflow="fold")
    table.add_row(Text(line.level.value, style=STYLE[line.level]), Text(line.check, style="bold"), text)
    return table


def _lines(bootstrap: str | None, redis_url: str | None) -> Iterator[Line]:
    try:
        settings = settings_with(bootstrap=bootstrap, redis_url=redis_url)
    except ValidationError as error:
        for wrong in error.errors(include_input=False):
            name = f"HEADWATER_{'_'.join(map(str, wrong['loc'])).upper()}"
            yield fail("settings", f"{name}: {wrong['msg']}", f"correct {name} (environment or .env)")
        return
    yield from check_settings(settings, os.environ)
    yield from _broker_lines(settings)
    services: tuple[Callable[[Settings], list[Line]], ...] = (check_redis, check_registry, check_alertmanager)
    for check in services:
        yield from check(settings)


def _broker_lines(settings: Settings) -> Iterator[Line]:
    broker = check_broker(settings)
    yield from broker
    if any(line.level is Level.FAIL for line in broker):
        return
    yield from check_all_topics(settings)
    report = existing_topics(settings)
    if report is None or not report.existing:
        return
    yield from check_rights(settings, report.existing)
    if not report.missing:
        yield from check_transaction_and_clock(settings)
        yield from check_events(settings)
