"""``headwater topics``: what must exist on the broker."""

import msgspec
import typer

from streams.admin import create_topics
from streams.commands.overrides import AsJson, Bootstrap, settings_with

EPILOG = """Examples:

`headwater topics create --bootstrap kafka:9092`

`HEADWATER_PARTITIONS=24 headwater topics create` fixes their number for ever, at the first time

Exit codes: 0 all topics are there, 2 they cannot be created, or have another number of partitions.
"""

topics_app = typer.Typer(no_args_is_help=True, add_completion=False, help="The topics on the broker.")


@topics_app.callback()
def _topics() -> None:
    """The topics on the broker."""


@topics_app.command("create", epilog=EPILOG)
def create(as_json: AsJson = False, bootstrap: Bootstrap = None) -> None:
    """Create what is missing: every topic with the same number of partitions. Harmless to repeat."""
    report = create_topics(settings_with(bootstrap=bootstrap))
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    for name in report.created:
        typer.echo(f"created   {name}")
    for name in report.existing:
        typer.echo(f"exists    {name}")
    typer.echo(f"{len(report.created) + len(report.existing)} topics of {report.partitions} partitions each")
