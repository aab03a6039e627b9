"""``headwater report``: an alert as an incident report, in a file to pass on."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from streams.commands.explain import NOT_FOUND, find
from streams.commands.overrides import Bootstrap, RedisUrl, refuse, settings_with
from streams.index.reader import Ambiguous, NotFound
from streams.observed import profile_at_cause
from streams.reading.incident.content import Incident, incident
from streams.reading.incident.html import render_html
from streams.reading.incident.markdown import render_markdown

EPILOG = """Examples:

`headwater report 3f2a9c41 -o incident.html` one file with drawings, to mail or attach

`headwater report 3f2a9c41 -o incident.md` for a ticket; without `-o` the same on the terminal

Exit codes: 0 written, 1 there is no such alert, 2 the command is wrong, or nothing can be read or written.
"""
FORMATS = {".html": render_html, ".htm": render_html, ".md": render_markdown, ".markdown": render_markdown}


def report(
    alert_id: Annotated[str, typer.Argument(help="the alert's id, or a beginning of it that no other id has")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="incident.html or incident.md; else Markdown to the terminal")
    ] = None,
    bootstrap: Bootstrap = None,
    redis_url: RedisUrl = None,
) -> None:
    """Write an incident report: what happened, when, why, whom it reached, and what to do."""
    render = _format(output)
    settings = settings_with(bootstrap=bootstrap, redis_url=redis_url)
    try:
        alert = find(alert_id, settings)
    except (NotFound, Ambiguous) as error:
        typer.echo(f"headwater: {error.args[0]}", err=True)
        raise typer.Exit(NOT_FOUND) from error
    text = render(incident(alert, profile_at_cause(alert, settings)))
    if output is None:
        typer.echo(text, nl=False)
    else:
        write(output, text)
        typer.echo(f"wrote {output}", err=True)


def write(path: Path, text: str) -> None:
    """Put ``text`` into a file, all of it or none."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        refuse(f"{path} cannot be written: {error.strerror}")


def _format(output: Path | None) -> Callable[[Incident], str]:
    if output is None:
        return render_markdown
    if output.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"{output} ends neither in .html nor in .md", param_hint="--output")
    return FORMATS[output.suffix.lower()]
