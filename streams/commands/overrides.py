"""What several commands have in common: options that take precedence over settings, and how one refuses."""

from typing import Annotated, NoReturn

import typer

from streams.settings import Settings

Bootstrap = Annotated[str | None, typer.Option(help="Kafka brokers, host:port,…; else HEADWATER_BOOTSTRAP")]
RedisUrl = Annotated[str | None, typer.Option(help="the index, redis://host:port/db; else HEADWATER_REDIS_URL")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts")]


def settings_with(*, bootstrap: str | None = None, redis_url: str | None = None) -> Settings:
    """The settings, with what was given on the command line in place of what they say."""
    given = {"bootstrap": bootstrap, "redis_url": redis_url}
    return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


def refuse(sentence: str) -> NoReturn:
    """End the command: one line on stderr, exit code 2."""
    typer.echo(f"headwater: {sentence}", err=True)
    raise typer.Exit(2)
