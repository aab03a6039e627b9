"""From options and the first rows to a mapping, with a note for everything that was guessed or left out."""

from dataclasses import dataclass, field

import polars as pl

from schemas.events import Task
from streams.ingest import guess
from streams.ingest.guess import Guessed
from streams.ingest.mapping import BatchMapping, OutcomeMapping, PredictionMapping, Version, parent_of
from streams.ingest.options import Batches, Outcomes, Predictions, Reading
from streams.ingest.problem import BadInput
from streams.ingest.rows import Rows
from streams.ingest.values import Field, Kind, mostly


@dataclass(slots=True)
class Planning:
    """Hands out the columns of the first piece, each to one role, and writes down why."""

    rows: Rows
    reading: Reading
    notes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.taken |= set(guess.listed(self.frame, self.reading.ignored, self.rows.file))
        guess.listed(self.frame, self.reading.as_text, self.rows.file)

    @property
    def frame(self) -> pl.DataFrame:
        """The first piece."""
        return self.rows.frame

    def named(self, name: str | None) -> str | None:
        """A column someone named, or None."""
        if name is not None:
            self.taken.add(guess.named(self.frame, name, self.rows.file))
        return name

    def guessed(self, role: str, found: Guessed | None, otherwise: str) -> str | None:
        """A column that was guessed, noted; ``otherwise`` says what it means that there is none."""
        if found is None:
            self.notes.append(f"{role}: {otherwise}")
            return None
        self.taken.add(found.name)
        self.notes.append(f"{role}: {found.name} ({found.why})")
        return found.name

    def at(self, name: str | None, option: str = "--at") -> str | None:
        """The column of times."""
        if name is not None:
            return self.named(name)
        found = guess.a_time(self.frame, self.taken)
        return self.guessed("time", found, f"no column looks like one, rows are dated now ({option} COLUMN)")

    def rest(self, role: str, listed: tuple[str, ...]) -> tuple[Field, ...]:
        """The columns someone listed, or all that have no other role and do not merely number the rows."""
        if listed:
            names = guess.listed(self.frame, listed, self.rows.file)
        else:
            self.leave_out(guess.indexes(self.frame, self.taken), "it only numbers the rows")
            while extra := guess.an_id(self.frame, self.taken):
                self.leave_out([extra.name], extra.why)
            names = [name for name in self.frame.columns if name not in self.taken]
        chosen = guess.fields(self.frame, names, self.reading.as_text)
        kinds = {Kind.NUMBER: "", Kind.TIME: " (time)", Kind.BOOLEAN: " (true or false)", Kind.TEXT: " (text)"}
        listing = ", ".join(f"{one.name}{kinds[one.kind]}" for one in chosen) or "none"
        self.notes.append(f"{role}: {listing}")
        if listed:
            left = [name for name in self.frame.columns if name not in self.taken | set(names)]
            self.leave_out(left, "not listed")
        return chosen

    def leave_out(self, names: list[str], why: str) -> None:
        """Columns that are not sent."""
        self.taken |= set(names)
        if names:
            self.notes.append(f"not sent: {', '.join(names)} ({why})")


def predictions(options: Predictions, planning: Planning) -> PredictionMapping:
    """The mapping of a table of predictions.

    Raises:
        BadInput: a named column is missing, or none looks like a score.
    """
    for name in (options.outcome, options.id, options.at, options.score, options.predicted):
        planning.named(name)
    segments = tuple(guess.listed(planning.frame, options.segments, planning.rows.file))
    version = _version(options.model_version, planning)
    at = planning.at(options.at)
    key = options.id or planning.guessed(
        "id", guess.an_id(planning.frame, planning.taken), "none, so outcomes cannot be joined (--id COLUMN)"
    )
    score = options.score or planning.guessed("score", guess.a_score(planning.frame, planning.taken), "none")
    if score is None:
        raise BadInput(
            "no column looks like a score (a number in [0, 1] named score, probability, y_pred_proba, …): "
            f"name it with --score; {planning.rows.file} has {', '.join(planning.frame.columns)}"
        )
    found = guess.a_predicted(planning.frame, planning.taken)
    predicted = options.predicted or (planning.guessed("predicted", found, "") if found else None)
    if not options.features:
        planning.leave_out(guess.truths(planning.frame, planning.taken), "looks like the outcome: `send outcomes`")
    features = planning.rest("features", options.features)
    parents = tuple(parent_of(parent) for parent in options.parents)
    batches = None
    if options.batch_rows is not None:
        batches = BatchMapping(
            pipeline=options.pipeline,
            dataset=options.dataset or f"{options.model}-features",
            rows=options.batch_rows,
            at=at,
            columns=features,
            parents=parents,
            stage=options.stage,
        )
    elif options.dataset is not None or options.stage is not None:
        raise BadInput("--dataset and --stage name the feature batches: say how many rows each has with --batch-rows")
    return PredictionMapping(
        pipeline=options.pipeline,
        model=options.model,
        id=key,
        at=at,
        score=score,
        predicted=predicted,
        features=features,
        segments=segments,
        version=version,
        task=options.task or _task(planning, score, predicted),
        rows_per_event=options.rows_per_event,
        batches=batches,
        parents=parents,
    )


def outcomes(options: Outcomes, planning: Planning) -> OutcomeMapping:
    """The mapping of a table of outcomes.

    Raises:
        BadInput: a named column is missing, or id, outcome or time cannot be guessed.
    """
    if (
        sum(
            (
                options.at is not None and not options.times_from,
                bool(options.times_from),
                options.observed_at is not None,
            )
        )
        > 1
    ):
        raise BadInput("outcomes get their time from one of --at, --times-from and --observed-at: pass one")
    # With --times-from, --at is a column of that other file.
    at = None if options.times_from else options.at
    for name in (options.id, at, options.outcome):
        planning.named(name)
    frame, columns = planning.frame, ", ".join(planning.frame.columns)
    key = options.id or planning.guessed("id", guess.an_id(frame, planning.taken), "none")
    if key is None:
        raise BadInput(f"no column looks like the predictions' id: name it with --id; the file has {columns}")
    if at is None and not options.times_from and options.observed_at is None:
        at = planning.guessed("time", guess.a_time(frame, planning.taken), "none")
        if at is None:
            raise BadInput(
                f"no column of {planning.rows.file} looks like a time, and outcomes need one: --at COLUMN; or "
                "--times-from PREDICTIONS_FILE --delay 7d (each id's time there, plus what the truth takes to arrive); "
                "or --observed-at now"
            )
    outcome = options.outcome or planning.guessed("outcome", guess.an_outcome(frame, planning.taken), "none")
    if outcome is None:
        raise BadInput(f"no column looks like the outcome: name it with --outcome; the file has {columns}")
    planning.taken.add(outcome)
    planning.leave_out([name for name in frame.columns if name not in planning.taken], "no part of an outcome")
    (kind,) = guess.fields(frame, [outcome], planning.reading.as_text)
    return OutcomeMapping(
        pipeline=options.pipeline,
        model=options.model,
        id=key,
        outcome=kind,
        at=at,
        observed_at=options.observed_at,
        delay=options.delay,
        rows_per_event=options.rows_per_event,
    )


def batches(options: Batches, planning: Planning) -> BatchMapping:
    """The mapping of any table to batches of a dataset.

    Raises:
        BadInput: a named column is missing.
    """
    at = planning.at(options.at)
    return BatchMapping(
        pipeline=options.pipeline,
        dataset=options.dataset,
        rows=options.batch_rows,
        at=at,
        columns=planning.rest("columns", options.columns),
        parents=tuple(parent_of(parent) for parent in options.parents),
        stage=options.stage,
        source=options.source,
    )


def _version(written: str | None, planning: Planning) -> Version:
    if written is None:
        return Version()
    if written in planning.frame.columns:
        planning.taken.add(written)
        planning.notes.append(f"model version: the column {written}")
        return Version(column=written)
    return Version(text=written)


def _task(planning: Planning, score: str, predicted: str | None) -> Task:
    """What the model does, by its scores and classes in the first piece."""
    numbers = planning.frame[score].cast(pl.Float64, strict=False).drop_nulls()
    if not mostly(numbers.is_between(0, 1)):
        task, why = Task.REGRESSION, f"{score} leaves [0, 1]"
    elif predicted is not None and planning.frame[predicted].drop_nulls().n_unique() > 2:
        task, why = Task.MULTICLASS, f"{predicted} has more than two classes"
    else:
        task, why = Task.BINARY, f"{score} is within [0, 1]"
    planning.notes.append(f"task: {task} ({why})")
    return task
