"""The ``headwater`` command."""

import sys
from typing import Annotated

import typer
from pydantic import ValidationError

from streams.admin import BrokerUnreachable, NotAllowed, WrongPartitions
from streams.commands.alerts import alerts
from streams.commands.demo import demo
from streams.commands.doctor import doctor
from streams.commands.explain import explain
from streams.commands.send import send_app
from streams.commands.topics import topics_app
from streams.commands.trace import trace
from streams.commands.worker import EPILOG as WORKER_EXAMPLES
from streams.commands.worker import worker
from streams.index.index import IndexMissing, IndexUnreachable
from streams.settings import MissingBroker
from streams.version import VERSION

MENDABLE = (MissingBroker, BrokerUnreachable, NotAllowed, WrongPartitions, IndexMissing, IndexUnreachable)

app = typer.Typer(
    name="headwater",
    help="Headwater finds where an anomaly started.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"headwater {VERSION}")
        raise typer.Exit


@app.callback()
def _headwater(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_show_version)] = False,
) -> None:
    """Headwater finds where an anomaly started."""


app.command()(demo)
app.command(epilog=WORKER_EXAMPLES)(worker)
app.add_typer(send_app, name="send")
app.command()(alerts)
app.command()(explain)
app.command()(trace)
app.command()(doctor)
app.add_typer(topics_app, name="topics")


def main() -> None:
    """Run the command: what a user can mend is told in a sentence, an interrupt is no error."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except ValidationError as error:
        told = "; ".join(f"HEADWATER_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
        sys.exit(_told(f"a setting is wrong: {told}"))
    except MENDABLE as error:
        sys.exit(_told(str(error)))


def _told(sentence: str) -> int:
    typer.echo(f"headwater: {sentence}", err=True)
    return 2


if __name__ == "__main__":
    main()
