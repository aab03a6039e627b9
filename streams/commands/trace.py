"""``headwater trace``: up to the sources and down to the predictions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import redis
import typer
from rich.console import Console

from streams.commands.overrides import AsJson, RedisUrl, settings_with
from streams.index.connection import IndexUnreachable
from streams.index.reader import WIDEST, Ambiguous, NotFound, open_reader
from streams.index.stored import UnreadableEntry
from streams.reading.trace import render_trace

EPILOG = """Examples:

`headwater trace ride-88123` a prediction: what it was made from, up to the source

`headwater trace rides-0412` a batch: the same, and down to the predictions scored with it

`headwater trace taxi/rides/2026-11-01` where several datasets use the same batch id

`headwater trace rides-0412 --limit 1000 --json` ten times as wide, for what very much was made from

Exit codes: 0 found, 1 not found or not unique, 2 the command is wrong or Redis cannot be read.
"""
NOT_FOUND = 1


def trace(
    asked: Annotated[str, typer.Argument(metavar="ID", help="a batch, a window or a prediction")],
    limit: Annotated[
        int, typer.Option(min=1, help="batches and windows followed on each level, those made first")
    ] = WIDEST,
    as_json: AsJson = False,
    redis_url: RedisUrl = None,
) -> None:
    """Trace a batch or a prediction, with versions, times and offsets."""
    settings = settings_with(redis_url=redis_url)
    try:
        with reachable():
            found = open_reader(settings).trace(asked, limit)
    except (NotFound, Ambiguous) as error:
        typer.echo(f"headwater: {error.args[0]}", err=True)
        raise typer.Exit(NOT_FOUND) from error
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        Console(highlight=False).print(render_trace(found))


@contextmanager
def reachable() -> Iterator[None]:
    """Redis' refusals as an error that says what to do.

    Raises:
        IndexUnreachable: Redis does not answer, refuses us, or holds what we cannot read.
    """
    try:
        yield
    except (redis.RedisError, UnreadableEntry) as error:
        raise IndexUnreachable(f"the index cannot be read: {error} (HEADWATER_REDIS_URL)") from error
