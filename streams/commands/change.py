"""``headwater change``: one line in a deploy script announces a deploy."""

import time
from typing import Annotated

import typer

from schemas.events import Change, ChangeKind, Micros
from streams.announcing import announce
from streams.commands.overrides import AsJson, Bootstrap, settings_with
from streams.ingest.encoding import Encoding
from streams.ingest.problem import BadInput
from streams.ingest.times import one_time, written
from streams.reading.words import harmless

EPILOG = """Examples:

`headwater change --pipeline taxi --component clean --kind CODE --before v41 --after v42` in a deploy script

`headwater change --pipeline taxi --component fare --kind MODEL --after 8 --url https://ci/runs/71 || true` never
stops the deploy

Exit codes: 0 announced, 2 the command is wrong or Kafka did not take it.
"""
KINDS = tuple(kind.value for kind in ChangeKind if kind not in (ChangeKind.UNKNOWN, ChangeKind.BASELINE))


def change(
    pipeline: Annotated[str, typer.Option(help="the pipeline that was changed")],
    component: Annotated[str, typer.Option(help="the dataset, stage or model that was changed, as its events name it")],
    kind: Annotated[str, typer.Option(help=f"what was changed: {', '.join(KINDS)}", metavar="KIND")],
    after: Annotated[str | None, typer.Option(help="the version, or value, from now on")] = None,
    before: Annotated[str | None, typer.Option(help="the version, or value, until now")] = None,
    at: Annotated[str | None, typer.Option(help="when it took effect: 2026-01-31T12:00Z; default now")] = None,
    by: Annotated[str | None, typer.Option(help="who changed it")] = None,
    reason: Annotated[str | None, typer.Option(help="why")] = None,
    url: Annotated[str | None, typer.Option(help="where to read more; alerts link to it")] = None,
    change_id: Annotated[str | None, typer.Option("--id", help="its id in your own tool; default made of it")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the event as JSON, announce nothing")] = False,
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Announce a change, so that an anomaly that begins with it is told with its name."""
    of_kind, since = _kind(kind), _time(at)
    event = Change(
        pipeline=_named(pipeline, "--pipeline"),
        component=_named(component, "--component"),
        kind=of_kind,
        at=since,
        change_id=change_id or f"{component}:{after or of_kind.value.lower()}@{written(since)}",
        before=before,
        after=after,
        by=by,
        reason=reason,
        url=url,
    )
    if not dry_run:
        announce([event], settings_with(bootstrap=bootstrap))
    if dry_run or as_json:
        typer.echo(Encoding().encode_json(event).decode())
    else:
        typer.echo(harmless(f"announced {event.change_id}: {sentence(event)}"))


def sentence(event: Change) -> str:
    """What was announced, in words.

    >>> sentence(Change(pipeline="taxi", component="clean", kind=ChangeKind.CODE, at=0, before="v1", after="v2"))
    'code of taxi/clean, v1 → v2, at 1970-01-01T00:00:00Z'
    """
    versions = " → ".join(part for part in (event.before, event.after) if part)
    parts = (f"{event.kind.value.lower()} of {event.pipeline}/{event.component}", versions, f"at {written(event.at)}")
    return ", ".join(part for part in parts if part)


def _kind(given: str) -> ChangeKind:
    if given.upper() == ChangeKind.BASELINE:
        raise typer.BadParameter("a new normal is accepted with `headwater accept`", param_hint="--kind")
    if given.upper() not in KINDS:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(KINDS)}", param_hint="--kind")
    return ChangeKind(given.upper())


def _named(given: str, option: str) -> str:
    if not given.strip():
        raise typer.BadParameter("is empty", param_hint=option)
    return given


def _time(given: str | None) -> Micros:
    if given is None:
        return time.time_ns() // 1_000
    try:
        return one_time(given)
    except BadInput as error:
        raise typer.BadParameter(str(error), param_hint="--at") from error
