"""Rows checked against their mapping: what can be sent, and what is wrong with the rest."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.events import Micros, Task
from streams.ingest.guess import named
from streams.ingest.mapping import BatchMapping, OutcomeMapping, PredictionMapping
from streams.ingest.problem import Problem, shown
from streams.ingest.rows import Rows
from streams.ingest.times import micros_of
from streams.ingest.values import Field, Kind, Values, missing, read, texts

EARLIEST = -62_135_596_800_000_000  # 0001-01-01, the first instant a Python datetime can show
LATEST = 253_402_300_799_000_000  # 9999-12-31, the last


@dataclass(slots=True)
class Checking:
    """Gathers what is wrong with one piece of a table, at most one reason per row."""

    rows: Rows
    wrong: NDArray[np.bool_] = field(init=False)
    problems: list[Problem] = field(init=False)

    def __post_init__(self) -> None:
        self.wrong = np.zeros(len(self.rows.lines), dtype=bool)
        self.problems = list(self.rows.problems)

    def refuse(self, mask: NDArray[np.bool_], reason: Callable[[int], str]) -> None:
        """Marks rows; ``reason`` is asked for each row's words, by its position."""
        for row in np.flatnonzero(mask & ~self.wrong):
            line = int(self.rows.lines[row])
            self.problems.append(Problem(file=self.rows.file, line=line, reason=reason(int(row))))
        self.wrong |= mask

    def series(self, name: str) -> pl.Series:
        """A column of the piece."""
        if self.rows.sparse and name not in self.rows.frame.columns:
            return pl.Series(name, [None] * len(self.rows.lines), dtype=pl.String)
        return self.rows.frame[named(self.rows.frame, name, self.rows.file)]

    def read(self, wanted: Field) -> Values:
        """A column by its kind; unreadable values are refused."""
        series = self.series(wanted.name)
        values = read(series, wanted)
        what = {Kind.NUMBER: "a number", Kind.TIME: "a time", Kind.BOOLEAN: "true or false"}.get(wanted.kind, "text")
        advice = "correct it, pass --on-error skip, or --text to read the column as text"
        self.refuse(values.wrong, lambda row: f"{wanted.name} is {shown(series[row])}, not {what} ({advice})")
        return values

    def times(self, name: str | None, now: Micros) -> NDArray[np.int64]:
        """The times in a column, or ``now`` for all rows."""
        if name is None:
            return np.full(len(self.rows.lines), now, dtype=np.int64)
        series = self.series(name)
        at = micros_of(series)
        self.refuse(missing(series), lambda _: f"{name} is missing: every row needs its time")
        self.refuse(
            at.is_null().to_numpy(),
            lambda row: f"{name} is {shown(series[row])}, not a time (such as 2026-01-31T12:00:00Z)",
        )
        filled = np.array(at.fill_null(0).to_numpy(), dtype=np.int64)
        self.refuse(
            (filled < EARLIEST) | (filled > LATEST), lambda row: f"{name} is {shown(series[row])}: no such year"
        )
        return filled

    def ids(self, name: str) -> list[str]:
        """The ids in a column."""
        written = texts(self.series(name))
        self.refuse(np.array([not text for text in written], dtype=bool), lambda _: f"{name} is missing: it is the id")
        return written

    def finite(self, values: Values, what: str) -> NDArray[np.float64]:
        """Numbers that must all be there."""
        assert values.numbers is not None
        name = values.field.name
        self.refuse(np.isnan(values.numbers), lambda _: f"{name} is missing: it is the {what}")
        self.refuse(np.isinf(values.numbers), lambda _: f"{name} is infinite: it is the {what}")
        return values.numbers

    @property
    def good(self) -> NDArray[np.int64]:
        """Positions of the rows nothing is wrong with."""
        return np.flatnonzero(~self.wrong)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checked:
    """A piece of a table, read; only the positions in ``good`` may be used. Arrays have shape ``(rows,)``."""

    file: str
    lines: NDArray[np.int64]
    row_numbers: NDArray[np.int64]
    good: NDArray[np.int64]
    problems: tuple[Problem, ...]
    at: NDArray[np.int64]
    ids: list[str] | None = None
    numbers: NDArray[np.float64] | None = None
    words: Values | None = None
    columns: tuple[Values, ...] = ()
    groups: tuple[Values, ...] = ()
    unknown: int = 0


def predictions(rows: Rows, mapping: PredictionMapping, now: Micros) -> Checked:
    """Rows as predictions: ``numbers`` are the scores, ``words`` the classes, ``groups`` what an event shares."""
    checking = Checking(rows)
    at = checking.times(mapping.at, now)
    ids = None if mapping.id is None else checking.ids(mapping.id)
    score = Field(name=mapping.score, kind=Kind.NUMBER)
    scores = checking.finite(checking.read(score), "score")
    if mapping.task is not Task.REGRESSION:
        outside = (scores < 0) | (scores > 1)
        checking.refuse(outside, lambda row: f"{mapping.score} is {scores[row]:g}, outside [0, 1] (--task REGRESSION?)")
    predicted = None
    if mapping.predicted is not None:
        predicted = checking.read(Field(name=mapping.predicted, kind=Kind.TEXT))
        absent = missing(checking.series(mapping.predicted))
        checking.refuse(absent, lambda _: f"{mapping.predicted} is missing: it is the predicted class")
    shared = (*mapping.segments, *([mapping.version.column] if mapping.version.column else []))
    return Checked(
        file=rows.file,
        lines=rows.lines,
        row_numbers=rows.numbers,
        at=at,
        ids=ids,
        numbers=scores,
        words=predicted,
        columns=tuple(checking.read(feature) for feature in mapping.features),
        groups=tuple(checking.read(Field(name=name, kind=Kind.TEXT)) for name in shared),
        good=checking.good,
        problems=tuple(checking.problems),
    )


def batches(rows: Rows, mapping: BatchMapping, now: Micros) -> Checked:
    """Rows as parts of batches."""
    checking = Checking(rows)
    at = checking.times(mapping.at, now)
    columns = tuple(checking.read(column) for column in mapping.columns)
    return Checked(
        file=rows.file,
        lines=rows.lines,
        row_numbers=rows.numbers,
        at=at,
        columns=columns,
        good=checking.good,
        problems=tuple(checking.problems),
    )


def outcomes(rows: Rows, mapping: OutcomeMapping, scored: pl.DataFrame | None, now: Micros) -> Checked:
    """Rows as outcomes: ``numbers`` or ``words``. A row without an outcome is not wrong, it is ``unknown`` as yet.

    ``scored`` maps ``id`` to ``at`` where the table itself has no times.
    """
    checking = Checking(rows)
    ids = checking.ids(mapping.id)
    at = (
        _scored_at(checking, ids, scored)
        if scored is not None
        else checking.times(mapping.at, mapping.observed_at or now)
    )
    absent = missing(checking.series(mapping.outcome.name))
    values = checking.read(mapping.outcome)
    if values.numbers is not None:
        absent |= np.isnan(values.numbers) & ~values.wrong
        checking.refuse(np.isinf(values.numbers), lambda _: f"{mapping.outcome.name} is infinite: it is the outcome")
    numbers = values.numbers
    if mapping.outcome.kind is Kind.BOOLEAN:
        numbers = np.asarray(values.codes, dtype=np.float64)
    unknown = absent & ~checking.wrong
    return Checked(
        file=rows.file,
        lines=rows.lines,
        row_numbers=rows.numbers,
        at=at + mapping.delay,
        ids=ids,
        numbers=numbers,
        words=None if numbers is not None else values,
        good=np.flatnonzero(~checking.wrong & ~absent),
        problems=tuple(checking.problems),
        unknown=int(unknown.sum()),
    )


def _scored_at(checking: Checking, ids: list[str], scored: pl.DataFrame) -> NDArray[np.int64]:
    wanted = pl.DataFrame({"id": ids}, schema={"id": pl.String})
    at = wanted.join(scored, on="id", how="left", maintain_order="left")["at"]
    checking.refuse(at.is_null().to_numpy(), lambda row: f"id {shown(ids[row])} is not in the file of --times-from")
    return np.array(at.fill_null(0).to_numpy(), dtype=np.int64)
