"""Which column is what, where nobody said: by name first, and only if the values agree.

A guess is made on the first piece of the first file and printed; an option overrides it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from streams.ingest.problem import BadInput, shown
from streams.ingest.times import micros_of
from streams.ingest.values import Field, Kind, kind_of, missing, mostly, texts

MOST_CLASSES = 50

_IDS = (
    "id",
    "prediction_id",
    "request_id",
    "row_id",
    "event_id",
    "record_id",
    "uuid",
    r".*[_-](uu)?id",
    r"(?-i:.*[a-z]Id)",
)
_TIMES = (
    "timestamp",
    "scored_at",
    "observed_at",
    "produced_at",
    "event_time",
    r"date_?time",
    "time",
    "ts",
    "date",
    "at",
    r".*_(at|ts)",
    r".*(timestamp|date|time).*",
)
_SCORES = (
    r"(y_)?(pred_)?prob(a|ability)?",
    "score",
    r".*(proba|probability).*",
    r".*[_-]score",
    r"score[_-].*",
    r"p|p_?hat|confidence",
    r"(y_)?(pred|hat|prediction)",
)
_PREDICTED = (r"predicted([_-](class|label))?", r"y_?(pred|hat)", r"pred(iction)?([_-](class|label))?")
_OUTCOMES = ("outcome", "actual", "truth", r"ground_?truth", r"y_?true", "target", "label", "y")
_INDEX = (r"unnamed: ?\d+", r"column_1", "index", r"row_?(number|nr|num)", r"__index_level_\d+__")


@dataclass(frozen=True, slots=True)
class Guessed:
    """A column and the reason it was taken, for the person who reads it."""

    name: str
    why: str


def named(frame: pl.DataFrame, name: str, file: str) -> str:
    """A column someone named.

    Raises:
        BadInput: there is none of that name.
    """
    if name in frame.columns:
        return name
    raise BadInput(f"{file} has no column {shown(name)}; it has {', '.join(frame.columns)}")


def listed(frame: pl.DataFrame, written: Iterable[str], file: str) -> list[str]:
    """Columns someone listed, one by one or separated by commas.

    Raises:
        BadInput: one of them is not there.
    """
    names: list[str] = []
    for entry in written:
        parts = [entry] if entry in frame.columns else [part.strip() for part in entry.split(",") if part.strip()]
        names += [named(frame, part, file) for part in parts]
    return list(dict.fromkeys(names))


def an_id(frame: pl.DataFrame, taken: set[str]) -> Guessed | None:
    """A column with an id's name and another value in nearly every row."""
    for name in _called(frame, _IDS, taken):
        if not frame[name].dtype.is_float() and mostly(pl.Series(texts(frame[name])).is_unique()):
            return Guessed(name, "an id by its name, another one in every row")
    return None


def a_time(frame: pl.DataFrame, taken: set[str]) -> Guessed | None:
    """A column with a time's name, or of dates, where nearly every value is a time."""
    likely = list(_called(frame, _TIMES, taken))
    dates = [name for name in _left(frame, taken) if name not in likely and kind_of(frame[name]) is Kind.TIME]
    for name in [*likely, *dates]:
        at = micros_of(frame[name])
        # A number counts only if it is an epoch after 1973, however it is called: `loan_time` may hold months.
        if len(at) and mostly((at > 10**14).fill_null(False)):
            return Guessed(name, "its values are times")
    return None


def a_score(frame: pl.DataFrame, taken: set[str]) -> Guessed | None:
    """A number in [0, 1] with a score's name."""
    for name in _called(frame, _SCORES, taken):
        if kind_of(frame[name]) is Kind.NUMBER and not missing(frame[name]).all():
            numbers = frame[name].cast(pl.Float64, strict=False).drop_nulls()
            if mostly(numbers.is_between(0, 1)) and numbers.n_unique() > 2:
                return Guessed(name, "a score by its name, in [0, 1]")
    return None


def a_predicted(frame: pl.DataFrame, taken: set[str]) -> Guessed | None:
    """A column of few classes with the name of a prediction."""
    for name in _called(frame, _PREDICTED, taken):
        if frame[name].n_unique() <= MOST_CLASSES:
            return Guessed(name, "the predicted class by its name")
    return None


def an_outcome(frame: pl.DataFrame, taken: set[str]) -> Guessed | None:
    """A column with the name of a truth, or the only one left."""
    for name in _called(frame, _OUTCOMES, taken):
        return Guessed(name, "the outcome by its name")
    left = list(_left(frame, taken))
    return Guessed(left[0], "the only column left") if len(left) == 1 else None


def truths(frame: pl.DataFrame, taken: set[str]) -> list[str]:
    """Columns that are called like an outcome: they are no features."""
    return list(_called(frame, _OUTCOMES, taken))


def indexes(frame: pl.DataFrame, taken: set[str]) -> list[str]:
    """Columns that only number the rows."""
    return list(_called(frame, _INDEX, taken))


def fields(frame: pl.DataFrame, names: Sequence[str], as_text: Sequence[str]) -> tuple[Field, ...]:
    """Columns with the kind their values agree with."""
    return tuple(Field(name=name, kind=Kind.TEXT if name in as_text else kind_of(frame[name])) for name in names)


def _left(frame: pl.DataFrame, taken: set[str]) -> Iterable[str]:
    return (name for name in frame.columns if name not in taken)


def _called(frame: pl.DataFrame, patterns: Sequence[str], taken: set[str]) -> Iterable[str]:
    """Columns whose name matches, those with the likelier name first."""
    left = list(_left(frame, taken))
    seen: set[str] = set()
    for pattern in patterns:
        for name in left:
            if name not in seen and re.fullmatch(pattern, name.strip(), re.IGNORECASE):
                seen.add(name)
                yield name
