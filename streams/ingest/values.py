"""The values of a column by its kind: numbers, codes into a dictionary, or times."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.events import Codes, Column, Numbers
from streams.ingest.times import SECOND, micros_of

MISSING_NUMBERS = ("", "na", "n/a", "nan", "null", "none", "nil", "-", "?", "#n/a", "<na>", "nat")
TRUTHS = ("false", "true")
MOSTLY = 0.95  # a few wrong values are rows to name, not a reason to read the whole column as something else


class Kind(StrEnum):
    """What a column holds; the value is the type that is written into the event."""

    NUMBER = "double"
    TIME = "timestamp"
    BOOLEAN = "boolean"
    TEXT = "string"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column of the table by name, and how its values are read."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """A column read as its field says: floats (NaN missing) or codes (-1 missing); ``wrong`` marks unreadable rows."""

    field: Field
    numbers: NDArray[np.float64] | None
    codes: NDArray[np.int32] | None
    dictionary: tuple[str, ...]
    wrong: NDArray[np.bool_]

    def column(self, rows: NDArray[np.int64]) -> Column:
        """The event's column for some rows; a dictionary holds only what these rows use."""
        name, kind = self.field.name, self.field.kind.value
        if self.numbers is not None:
            return Column(name=name, values=Numbers(values=self.numbers[rows]), type=kind)
        assert self.codes is not None
        used, codes = np.unique(self.codes[rows], return_inverse=True)
        missing = int(used.size > 0 and used[0] < 0)
        words = tuple(self.dictionary[code] for code in used[missing:])
        return Column(name=name, values=Codes(dictionary=words, codes=(codes - missing).astype(np.int32)), type=kind)

    def words(self, rows: NDArray[np.int64]) -> tuple[str, ...]:
        """The texts of some rows; missing ones are empty."""
        assert self.codes is not None
        return tuple("" if code < 0 else self.dictionary[code] for code in self.codes[rows])


def mostly(agree: pl.Series | NDArray[np.bool_]) -> bool:
    """Whether all values agree, but for a few; true where there are none."""
    return len(agree) == 0 or float(np.mean(np.asarray(agree))) >= MOSTLY


def kind_of(series: pl.Series) -> Kind:
    """The kind that nearly all values of a column agree with; a column without any value counts as numbers."""
    dtype = series.dtype
    if dtype == pl.Boolean:
        return Kind.BOOLEAN
    if dtype.is_numeric() or dtype == pl.Null:
        return Kind.NUMBER
    if dtype.is_temporal():
        return Kind.TIME
    present = _text(series).drop_nulls()
    if mostly(~_numbers(present)[1]):
        return Kind.NUMBER
    if mostly(present.str.to_lowercase().is_in(TRUTHS)):
        return Kind.BOOLEAN
    if mostly(present.str.contains(r"^\d{4}[-/]\d")) and mostly(micros_of(present).is_not_null()):
        return Kind.TIME
    return Kind.TEXT


def read(series: pl.Series, field: Field) -> Values:
    """A column's values as its field says."""
    if field.kind is Kind.NUMBER:
        numbers, wrong = _numbers(series)
        return Values(field, numbers, None, (), wrong)
    if field.kind is Kind.TIME:
        micros = micros_of(series)
        seconds = micros.cast(pl.Float64).fill_null(float("nan")).to_numpy() / SECOND
        return Values(field, seconds, None, (), np.isnan(seconds) & ~missing(series))
    text = _text(series)
    if field.kind is Kind.BOOLEAN:
        text = text.str.to_lowercase()
    wrong = np.zeros(len(text), dtype=bool)
    dictionary = TRUTHS if field.kind is Kind.BOOLEAN else tuple(text.drop_nulls().unique(maintain_order=True))
    if field.kind is Kind.BOOLEAN:
        wrong = (~text.is_in(TRUTHS)).fill_null(False).to_numpy()
        text = text.set(pl.Series(wrong), None)
    codes = text.cast(pl.Enum(list(dictionary))).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    return Values(field, None, codes, dictionary, wrong)


def missing(series: pl.Series) -> NDArray[np.bool_]:
    """Which values are absent: null, an empty text, or a NaN among floats."""
    absent = series.is_null()
    if series.dtype == pl.String:
        absent |= series.str.strip_chars() == ""
    if series.dtype.is_float():
        absent |= series.is_nan()
    return absent.fill_null(True).to_numpy()


def texts(series: pl.Series) -> list[str]:
    """Every value as text, such as ids are; missing ones are empty."""
    return _text(series).fill_null("").to_list()


def _text(series: pl.Series) -> pl.Series:
    """Strings, trimmed; null where absent. Whole floats are written without a fraction, so that ids agree."""
    if series.dtype.is_float() and (series.drop_nulls().is_finite().all() and (series.drop_nulls() % 1 == 0).all()):
        series = series.cast(pl.Int64, strict=False)
    text = series.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


def _numbers(series: pl.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if series.dtype != pl.String:
        numbers = series.cast(pl.Float64, strict=False)
        wrong = numbers.is_null() & series.is_not_null()
        return _filled(numbers), wrong.to_numpy()
    text = series.str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    unread = numbers.is_null() & text.is_not_null()
    wrong = unread & ~text.str.to_lowercase().is_in(MISSING_NUMBERS)
    return _filled(numbers), wrong.fill_null(False).to_numpy()


def _filled(numbers: pl.Series) -> NDArray[np.float64]:
    return np.ascontiguousarray(numbers.fill_null(float("nan")).to_numpy(), dtype=np.float64)
