"""``headwater send``: a table of your own becomes events, to try Headwater on your data in a minute."""

import json
import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from schemas.events import Micros, Task
from streams.admin import BrokerUnreachable, NotAllowed
from streams.ingest import job
from streams.ingest.delivery import BrokerProblem
from streams.ingest.encoding import Encoding
from streams.ingest.job import Job
from streams.ingest.options import Batches, OnError, Outcomes, Predictions, Reading
from streams.ingest.problem import BadInput, shown
from streams.ingest.sending import Exit, Manner, Sending, report
from streams.ingest.tables import Format
from streams.ingest.times import duration_of, one_time
from streams.settings import MissingBroker, Settings

send_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Send CSV, Parquet or JSON lines as events: your own data, in a minute.\n\n"
    "Exit codes: 0 sent, 1 the input is wrong, 2 the command is wrong, 3 Kafka did not take it, 130 interrupted.",
)

Files = Annotated[
    list[str],
    typer.Argument(help="CSV, Parquet or JSON lines (.xz .gz .bz2 too), in order of time; - is standard input"),
]
Pipeline = Annotated[str, typer.Option(help="the pipeline that the events belong to")]
Model = Annotated[str, typer.Option(help="the model that scored the rows")]
Id = Annotated[str | None, typer.Option("--id", help="column with the prediction's id; guessed")]
At = Annotated[
    str | None, typer.Option(help="column with the time of each row (UTC unless it says otherwise); guessed")
]
RowsPerEvent = Annotated[int, typer.Option(min=1, max=100_000, help="rows gathered in one event")]
Parents = Annotated[
    list[str] | None,
    typer.Option(help="PIPELINE/DATASET@BATCH_ID the rows were made from, DATASET alone will do; repeatable"),
]
Stage = Annotated[str | None, typer.Option(help="stage that makes the batches")]
AsReference = Annotated[
    bool, typer.Option("--as-reference", help="declare all of it healthy: the baseline to compare with")
]
FormatOf = Annotated[Format | None, typer.Option("--format", help="where the file's name does not say it")]
AsText = Annotated[list[str] | None, typer.Option("--text", help="column to read as text though it looks like numbers")]
Ignore = Annotated[list[str] | None, typer.Option(help="column not to send; repeatable")]
OnErrors = Annotated[OnError, typer.Option(help="a wrong row: send nothing at all (stop), or the others (skip)")]
Speed = Annotated[
    str, typer.Option(help="max, or how much faster than in reality: 1 is real time, 3600 an hour a second")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="check everything, print the first event as JSON, send nothing")
]
AsJson = Annotated[bool, typer.Option("--json", help="print a closing object for scripts")]
Bootstrap = Annotated[str | None, typer.Option(help="Kafka brokers, host:port,…; else HEADWATER_BOOTSTRAP")]


@send_app.command("predictions")
def send_predictions(
    files: Files,
    pipeline: Pipeline,
    model: Model,
    id_column: Id = None,
    at: At = None,
    score: Annotated[str | None, typer.Option(help="column with the score; guessed")] = None,
    predicted: Annotated[str | None, typer.Option(help="column with the predicted class; guessed")] = None,
    outcome: Annotated[str | None, typer.Option(help="column with the truth, which is no feature")] = None,
    features: Annotated[list[str] | None, typer.Option(help="columns, a,b,… or repeated; else all that remain")] = None,
    segment: Annotated[list[str] | None, typer.Option(help="column whose values are judged apart; repeatable")] = None,
    model_version: Annotated[str | None, typer.Option(help="a version, or the column that holds it")] = None,
    task: Annotated[Task | None, typer.Option(help="what the model predicts; guessed")] = None,
    rows_per_event: RowsPerEvent = 250,
    batch_rows: Annotated[int | None, typer.Option(min=1, help="also send feature batches of so many rows")] = None,
    dataset: Annotated[str | None, typer.Option(help="dataset of the feature batches; default MODEL-features")] = None,
    parents: Parents = None,
    stage: Stage = None,
    as_reference: AsReference = False,
    format_: FormatOf = None,
    text: AsText = None,
    ignore: Ignore = None,
    on_error: OnErrors = OnError.STOP,
    speed: Speed = "max",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Rows scored by a model, with their features.

    `headwater send predictions scored.csv --pipeline loans --model car-loan --batch-rows 5000 --as-reference`
    """

    def make() -> Job:
        options = Predictions(
            pipeline=pipeline,
            model=model,
            id=id_column,
            at=at,
            score=score,
            predicted=predicted,
            outcome=outcome,
            features=tuple(features or ()),
            segments=tuple(segment or ()),
            model_version=model_version,
            task=task,
            rows_per_event=rows_per_event,
            batch_rows=batch_rows,
            dataset=dataset,
            parents=tuple(parents or ()),
            stage=stage,
        )
        return job.of_predictions(options, _reading(files, format_, text, ignore, on_error))

    _run(make, _manner(as_reference, speed, dry_run), bootstrap, as_json)


@send_app.command("outcomes")
def send_outcomes(
    files: Files,
    pipeline: Pipeline,
    model: Model,
    id_column: Id = None,
    outcome: Annotated[
        str | None, typer.Option(help="column with the truth: 0/1, a value, or a class; guessed")
    ] = None,
    at: At = None,
    times_from: Annotated[
        list[str] | None, typer.Option(help="predictions file to take each id's time from, where this one has none")
    ] = None,
    observed_at: Annotated[str | None, typer.Option(help="one time for all rows: now, or 2026-01-31T12:00:00Z")] = None,
    delay: Annotated[
        str, typer.Option(help="added to the time: how long the truth takes to arrive (90s, 12h, 7d)")
    ] = "0s",
    rows_per_event: RowsPerEvent = 250,
    format_: FormatOf = None,
    text: AsText = None,
    ignore: Ignore = None,
    on_error: OnErrors = OnError.STOP,
    speed: Speed = "max",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
) -> None:
    """The truth for predictions sent before, joined by id.

    `headwater send outcomes truth.csv --pipeline loans --model car-loan --times-from scored.csv --delay 7d`
    """

    def make() -> Job:
        options = Outcomes(
            pipeline=pipeline,
            model=model,
            id=id_column,
            outcome=outcome,
            at=at,
            times_from=tuple(times_from or ()),
            observed_at=_observed_at(observed_at),
            delay=duration_of(delay),
            rows_per_event=rows_per_event,
        )
        return job.of_outcomes(options, _reading(files, format_, text, ignore, on_error))

    _run(make, _manner(False, speed, dry_run), bootstrap, as_json)


@send_app.command("batches")
def send_batches(
    files: Files,
    pipeline: Pipeline,
    dataset: Annotated[str, typer.Option(help="the dataset that the batches belong to")],
    at: At = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--columns", "--features", help="columns, a,b,… or repeated; else all that remain"),
    ] = None,
    batch_rows: Annotated[int, typer.Option(min=1, help="rows of a batch")] = 5_000,
    parents: Parents = None,
    stage: Stage = None,
    source: Annotated[str | None, typer.Option(help="external system the rows were ingested from")] = None,
    as_reference: AsReference = False,
    format_: FormatOf = None,
    text: AsText = None,
    ignore: Ignore = None,
    on_error: OnErrors = OnError.STOP,
    speed: Speed = "max",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Any table, cut into batches of a dataset.

    `headwater send batches orders.parquet --pipeline shop --dataset orders --batch-rows 1000`
    """

    def make() -> Job:
        options = Batches(
            pipeline=pipeline,
            dataset=dataset,
            at=at,
            columns=tuple(columns or ()),
            batch_rows=batch_rows,
            parents=tuple(parents or ()),
            stage=stage,
            source=source,
        )
        return job.of_batches(options, _reading(files, format_, text, ignore, on_error))

    _run(make, _manner(as_reference, speed, dry_run), bootstrap, as_json)


def _reading(
    files: list[str], format_: Format | None, text: list[str] | None, ignore: list[str] | None, on_error: OnError
) -> Reading:
    return Reading(
        files=tuple(files), format=format_, as_text=tuple(text or ()), ignored=tuple(ignore or ()), on_error=on_error
    )


def _manner(as_reference: bool, speed: str, dry_run: bool) -> Callable[[], Manner]:
    """Read inside the run, where a wrong speed is reported like any other wrong input."""
    return lambda: Manner(as_reference=as_reference, speed=_speed(speed), dry_run=dry_run)


def _run(make: Callable[[], Job], manner: Callable[[], Manner], bootstrap: str | None, as_json: bool) -> None:
    """The one place where errors become words and exit codes."""
    console = Console(stderr=True)
    try:
        settings = Settings() if bootstrap is None else Settings(bootstrap=bootstrap)
        code, summary = Sending(make(), manner(), settings, console, Encoding(), typer.echo).run()
    except BadInput as error:
        report(console, error)
        raise typer.Exit(Exit.INPUT) from error
    except (BrokerProblem, BrokerUnreachable, NotAllowed, MissingBroker) as error:
        report(console, error)
        raise typer.Exit(Exit.BROKER) from error
    except KeyboardInterrupt as error:
        console.print("interrupted: nothing was sent", style="yellow")
        raise typer.Exit(Exit.INTERRUPTED) from error
    if as_json:
        typer.echo(json.dumps(summary))
    raise typer.Exit(code)


def _speed(written: str) -> float | None:
    if written == "max":
        return None
    try:
        speed = float(written.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise BadInput(f"--speed {shown(written)}: write max, or how many times faster than in reality, such as 3600")
    return speed


def _observed_at(written: str | None) -> Micros | None:
    if written is None:
        return None
    return time.time_ns() // 1_000 if written == "now" else one_time(written)
