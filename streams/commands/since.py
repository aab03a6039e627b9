"""The option ``--since``: a span back from now, or a time."""

import time
from typing import TypeAlias

import typer

from streams.ingest.problem import BadInput
from streams.ingest.times import duration_of, one_time

Micros: TypeAlias = int


def moment(since: str | None) -> Micros | None:
    """What ``--since`` means now; None where it is not given.

    Raises:
        typer.BadParameter: it is neither a span nor a time.
    """
    if since is None:
        return None
    try:
        return int(time.time() * 1e6) - duration_of(since)
    except BadInput:
        try:
            return one_time(since)
        except BadInput as error:
            raise typer.BadParameter(f"{error} - or a span such as 2h", param_hint="--since") from error
