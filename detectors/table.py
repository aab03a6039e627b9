"""Which statistics a subject has, one row each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import FINEST, FLOOR
from detectors.reference import Floats, Reference

SUBJECT = ("rows", "gap")
NUMBER = ("missing_rate", "location", "scale", "skew", "tail", "distinct", "out_of_range")
OUTSIDE = NUMBER.index("out_of_range") - NUMBER.index("location")  # so far after the location it stands
SHAPELESS = ("missing_rate", "mean")  # of a sketch that tells no distribution
CATEGORY = ("missing_rate", "new_category")  # and rates of categories, and the mixture of those that have none
IDENTIFIER = ("missing_rate", "distinct")  # likewise, where categories are too many to be known
RATED = 4  # categories that have a rate of their own each; where there are more, three have, and the rest a mixture
STATISTICS = (*SUBJECT, *NUMBER, "new_category", "category_rate", "category_mix", "mean")  # by place: add at the end
RATES = frozenset({"missing_rate", "out_of_range", "new_category", "category_rate"})
ASSUMED = frozenset(
    {"rows", "gap", "distinct", "category_mix", "mean"}
)  # statistics whose sampling variance is a convention
UNIT = {"rows": 1.0, "gap": 4.0, "distinct": 2.0, "category_mix": 0.05}  # one standard deviation of a row; rates: half
ENTERED = 0.45  # of the arcsine: a fifth of the rows, where there were none of that kind
FAR = {"rows": 1.6, "gap": np.inf, "distinct": 1.6, "category_mix": 0.25}  # a fifth, or five times, of what is usual
FLOORS = {"mean": FINEST}  # variance between batches, in units of what drawing rows gives; others: a tenth
MOST = 7  # statistics of a column

_DISTINCT = STATISTICS.index("distinct")
_RATE = np.array([name in RATES for name in STATISTICS])
_DRAWN = np.array([name not in ASSUMED for name in STATISTICS])
_UNIT = np.array([UNIT.get(name, 0.5 if name in RATES else 1.0) for name in STATISTICS])
_FAR = np.array([FAR.get(name, ENTERED if name in RATES else 1.0) for name in STATISTICS])
_FLOOR = np.array([FLOORS.get(name, FLOOR) for name in STATISTICS])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """The statistics of a subject: ``m`` rows of 4 bytes, the subject's own first, then each column's side by side.

    names: of the columns, ``""`` for the subject. place: int16 ``(m,)``, which of them. kind: int8 ``(m,)``, which of
    ``STATISTICS``. rank: int8 ``(m,)``, which frequent category, else 0.
    """

    names: tuple[str, ...]
    place: NDArray[np.int16]
    kind: NDArray[np.int8]
    rank: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.place)

    @property
    def column(self) -> list[str]:
        """The column's name of every row."""
        return [self.names[place] for place in self.place.tolist()]

    @property
    def statistic(self) -> list[str]:
        """The statistic's name of every row."""
        return [STATISTICS[kind] for kind in self.kind.tolist()]

    @property
    def rate(self) -> NDArray[np.bool_]:
        """Whether it counts rows of a kind out of all rows."""
        rates: NDArray[np.bool_] = _RATE[self.kind]
        return rates

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """Whether the variance that drawing rows gives it is known."""
        drawn: NDArray[np.bool_] = _DRAWN[self.kind]
        return drawn

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Whether it counts different values."""
        counted: NDArray[np.bool_] = self.kind == _DISTINCT
        return counted

    @property
    def unit(self) -> Floats:
        """What one standard deviation of a row is in the statistic's value: tolerances are in units of it."""
        return _UNIT[self.kind]

    @property
    def far(self) -> Floats:
        """A shift of the value that a single batch proves."""
        return _FAR[self.kind]

    @property
    def floor(self) -> Floats:
        """The least variance between batches, in units of what drawing rows gives."""
        return _FLOOR[self.kind]

    def of(self, column: str) -> NDArray[np.bool_]:
        """Which rows are of ``column``."""
        rows: NDArray[np.bool_] = self.place == (self.names.index(column) if column in self.names else -1)
        return rows

    def at(self, rows: NDArray[np.int64]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns' and the statistics' names of some rows."""
        columns = tuple([self.names[place] for place in self.place[rows].tolist()])
        return columns, tuple([STATISTICS[kind] for kind in self.kind[rows].tolist()])


def subject_table() -> Table:
    """The table of a subject without columns."""
    none = np.empty(0, np.int8)
    return extend(Table(names=(), place=np.empty(0, np.int16), kind=none, rank=none), [("", SUBJECT)])


def extend(table: Table, columns: Sequence[tuple[str, tuple[str, ...]]]) -> Table:
    """The table with the statistics of more columns, each given by its name and its statistics."""
    places = np.repeat(np.arange(len(columns)) + len(table.names), [len(statistics) for _, statistics in columns])
    kinds = [STATISTICS.index(name) for _, statistics in columns for name in statistics]
    ranks = [rank for _, statistics in columns for rank in _ranks(statistics)]
    return Table(
        names=table.names + tuple(name for name, _ in columns),
        place=np.concatenate([table.place, places.astype(np.int16)]),
        kind=np.concatenate([table.kind, np.array(kinds, np.int8)]),
        rank=np.concatenate([table.rank, np.array(ranks, np.int8)]),
    )


def without(table: Table, column: str) -> Table:
    """The table without the statistics of ``column``."""
    kept, gone = ~table.of(column), table.names.index(column)
    return Table(
        names=tuple(name for name in table.names if name != column),
        place=(table.place - (table.place > gone))[kept].astype(np.int16),
        kind=table.kind[kept],
        rank=table.rank[kept],
    )


def _ranks(statistics: tuple[str, ...]) -> list[int]:
    """Which frequent category each statistic is about, 0 where it is about none."""
    return [i - len(CATEGORY) if name == "category_rate" else 0 for i, name in enumerate(statistics)]


def statistics_of(reference: Reference) -> tuple[str, ...]:
    """The statistics of a column with ``reference``."""
    if reference.kind == "number":
        return SHAPELESS if reference.shapeless else NUMBER
    rates = rated(reference)
    first = IDENTIFIER if reference.saturated else CATEGORY
    return first + ("category_rate",) * rates + ("category_mix",) * (len(reference.categories) > rates)


def rated(reference: Reference) -> int:
    """How many of its categories have a rate of their own."""
    return len(reference.categories) if len(reference.categories) <= RATED else RATED - 1
