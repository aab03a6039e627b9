"""The ``headwater`` command; each of its commands is loaded when it is asked for."""

import gc
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from streams.mendable import Mendable
from streams.version import installed_version

COMMANDS = (
    "demo",
    "worker",
    "send",
    "change",
    "alerts",
    "explain",
    "report",
    "accept",
    "trace",
    "replay",
    "topics",
    "doctor",
)
"""Every command is a module of ``streams.commands`` with a function of its name, or a ``<name>_app`` of several."""


class Commands(TyperGroup):
    """Loads a command's module when the command is asked for: ``headwater worker`` needs no table reader."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands, in the order people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command called ``cmd_name``."""
        del ctx
        return load(cmd_name) if cmd_name in COMMANDS else None


def load(name: str) -> Any:
    """The command called ``name``, with its examples."""
    gc.disable()  # what is imported stays: looking through it for garbage takes a fifth of the start, and finds none
    module: Any = import_module(f"streams.commands.{name}")
    gc.freeze()
    gc.enable()
    group: typer.Typer | None = getattr(module, f"{name}_app", None)
    if group is None:
        group = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
        group.command(name, epilog=module.EPILOG)(getattr(module, name))
    command = typer.main.get_command(group)
    command.name = name
    return command


app = typer.Typer(
    name="headwater",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"headwater {installed_version()}")
        raise typer.Exit


@app.callback()
def _headwater(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_show_version)] = False,
) -> None:
    """Headwater finds where an anomaly started."""


def main() -> None:
    """Run the command: what a user can mend is told in a sentence, an interrupt is no error."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except ValidationError as error:
        told = "; ".join(f"HEADWATER_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
        sys.exit(_told(f"a setting is wrong: {told}"))
    except Mendable as error:
        sys.exit(_told(str(error)))


def _told(sentence: str) -> int:
    typer.echo(f"headwater: {sentence}", err=True)
    return 2


if __name__ == "__main__":
    main()
