"""``headwater demo``: a simulated pipeline, broken on purpose, and what Headwater says about it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulation.catalogue import FAULTS
from simulation.faults import Fault
from streams.demo.interruption import Interruption
from streams.demo.workplace import WorkerFailed
from streams.embedded.errors import EmbeddedError

EPILOG = """Examples:

`headwater demo` breaks the unit of a column and shows how it is found

`headwater demo --fault code-deploy --keep` leaves everything running, to look at

`headwater demo --fault join-mismatch --json` for scripts: one closing object

Exit codes: 0 Headwater was right, 1 it was not, 2 the command is wrong, 3 it could not be run, 130 interrupted.
"""
WRONG, COULD_NOT_RUN, INTERRUPTED = 1, 3, 130


def demo(
    fault: Annotated[str, typer.Option(help="what to break, see --list-faults")] = "unit-change",
    list_faults: Annotated[bool, typer.Option("--list-faults", help="print what can be broken, and end")] = False,
    seed: Annotated[int, typer.Option(min=0, help="another seed, another life")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="leave everything running until Ctrl-C")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one closing object for scripts")] = False,
    truth: Annotated[
        Path | None, typer.Option(help="write what the fault really did into this file, as JSON", dir_okay=False)
    ] = None,
    bootstrap: Annotated[str | None, typer.Option(help="use this Kafka, in topics of our own")] = None,
) -> None:
    """Break a simulated pipeline on purpose and see what Headwater says.

    Brings its own Kafka and Valkey; takes about half a minute.
    """
    if list_faults:
        width = max(len(name) for name in FAULTS)
        for name, each in FAULTS.items():
            typer.echo(f"{name:{width}}  {each.sentence}")
        return
    chosen = _fault(fault)
    from streams.demo.show import Wish, perform  # only here: listing faults needs no Kafka

    console = Console(stderr=as_json)
    try:
        with Interruption() as interruption:
            wish = Wish(fault=chosen, seed=seed, bootstrap=bootstrap, keep=keep, truth=truth)
            result = perform(wish, console, interruption)
    except (WorkerFailed, EmbeddedError) as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(COULD_NOT_RUN) from error
    except KeyboardInterrupt as error:
        console.print("interrupted: everything was stopped and removed", style="yellow")
        raise typer.Exit(INTERRUPTED) from error
    if as_json:
        typer.echo(json.dumps(result.as_json()))
    raise typer.Exit(0 if result.right else WRONG)


def _fault(name: str) -> Fault:
    if name not in FAULTS:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(FAULTS)}", param_hint="--fault")
    return FAULTS[name]
