"""``headwater explain``: one alert, as a person wants to read it."""

from typing import Annotated

import redis
import typer
from rich.console import Console, RenderableType

from diagnosis.alert import Alert
from streams.commands.overrides import AsJson, Bootstrap, RedisUrl, settings_with
from streams.index.reader import Ambiguous, NotFound, open_reader
from streams.index.stored import UnreadableEntry
from streams.reading.alert import render_alert
from streams.settings import Settings

EPILOG = """Examples:

`headwater explain 3f2a9c41` the beginning of the id is enough

`headwater explain 3f2a9c41 --json | jq .cause` for scripts

Exit codes: 0 found, 1 there is no such alert, 2 the command is wrong or nothing can be read.
"""
NOT_FOUND = 1


def explain(
    alert_id: Annotated[str, typer.Argument(help="the alert's id, or a beginning of it that no other id has")],
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
    redis_url: RedisUrl = None,
) -> None:
    """Explain an alert: what to do, where it started, how it spread, what was ruled out."""
    settings = settings_with(bootstrap=bootstrap, redis_url=redis_url)
    try:
        alert = find(alert_id, settings)
    except (NotFound, Ambiguous) as error:
        typer.echo(f"headwater: {error.args[0]}", err=True)
        raise typer.Exit(NOT_FOUND) from error
    if as_json:
        typer.echo(_json(alert))
    else:
        Console(highlight=False).print(render_alert(alert, _values(alert, settings)))


def find(alert_id: str, settings: Settings) -> Alert:
    """An alert by its id: from the index where there is one that has it, else from the topic.

    Raises:
        NotFound, Ambiguous: as they say.
        Mendable: neither can be read.
    """
    if settings.redis_url is not None:
        try:
            return open_reader(settings).alert(alert_id)
        except redis.RedisError as error:
            typer.echo(f"headwater: the index cannot be read ({error}); reading the alerts topic instead", err=True)
        except UnreadableEntry as error:
            typer.echo(f"headwater: {error}; reading the alerts topic instead", err=True)
        except NotFound:
            if settings.bootstrap is None:
                raise
    from streams.alert_log import AlertLog, latest  # only here: reading the index needs no Kafka

    with AlertLog(settings) as log:
        return among(alert_id, latest(log.past()))


def among(alert_id: str, alerts: list[Alert]) -> Alert:
    """The alert whose id is, or as the only one begins with, ``alert_id``.

    Raises:
        NotFound, Ambiguous: as they say.
    """
    found = [alert for alert in alerts if alert.alert_id.startswith(alert_id)]
    exact = [alert for alert in found if alert.alert_id == alert_id]
    if not found:
        raise NotFound(f"there is no alert {alert_id!r}")
    if len(exact or found) > 1:
        raise Ambiguous(alert_id, tuple(alert.alert_id for alert in found))
    return (exact or found)[0]


def _values(alert: Alert, settings: Settings) -> RenderableType | None:
    """The column the alert blames, before and at the cause; None where there is none, or Kafka no longer has it."""
    if settings.bootstrap is None or alert.cause.column is None:
        return None
    from streams.observed import profile_at_cause  # only here, as above
    from streams.reading.histogram import render_histogram  # only here: the rest of an alert needs no arrays

    profile = profile_at_cause(alert, settings)
    return None if profile is None else render_histogram(profile)


def _json(alert: Alert) -> str:
    from schemas.codec import Codec  # only here: people read no JSON

    return Codec("alert", Alert).encode_json(alert).decode()
