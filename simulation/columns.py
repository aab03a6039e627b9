"""Tables between stages: named columns of equal length, and what of them a producer sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.events import Codes, Column, Numbers

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]

Scalar = TypeVar("Scalar", bound=np.generic)

ROW = "_row"  # which of the tick's events a row is; columns whose name begins with "_" are never sent


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A categorical column: int32 codes into ``dictionary``, -1 means missing."""

    dictionary: tuple[str, ...]
    codes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.codes)

    def equal(self, name: str) -> Floats:
        """1 where the value is ``name``, 0 where it is another, NaN where it is missing."""
        code = self.dictionary.index(name) if name in self.dictionary else -2
        return np.where(self.codes < 0, np.nan, (self.codes == code).astype(float))


Values: TypeAlias = Floats | Categories
Table: TypeAlias = Mapping[str, Values]


def number(table: Table, name: str) -> Floats:
    """A numeric column; all missing where there is none or it is text: stages read tolerantly, as most do."""
    values = table.get(name)
    return np.full(rows_of(table), np.nan) if values is None or isinstance(values, Categories) else values


def category(table: Table, name: str) -> Categories:
    """A categorical column; all missing where there is none or it is numeric."""
    values = table.get(name)
    return values if isinstance(values, Categories) else Categories((), np.full(rows_of(table), -1, np.int32))


def rows_of(table: Table) -> int:
    """How many rows a table has."""
    return len(next(iter(table.values()), ()))


def missing_of(values: Values) -> NDArray[np.bool_]:
    """Where values are missing, bool of shape ``(rows,)``."""
    return values.codes < 0 if isinstance(values, Categories) else np.isnan(values)


def blanked(values: Values, where: NDArray[np.bool_]) -> Values:
    """The same values, missing where told."""
    if isinstance(values, Categories):
        return Categories(values.dictionary, np.where(where, np.int32(-1), values.codes))
    return np.where(where, np.nan, values)


def take(table: Table, rows: Rows) -> Table:
    """The rows of ``rows`` in that order; -1 stands for a row of missing values."""
    absent = rows < 0
    if rows_of(table) == 0:
        return {name: blanked(_none_like(values, len(rows)), absent) for name, values in table.items()}
    return {name: blanked(_pick(values, rows), absent) for name, values in table.items()}


def _pick(values: Values, rows: Rows) -> Values:
    return Categories(values.dictionary, values.codes[rows]) if isinstance(values, Categories) else values[rows]


def _none_like(values: Values, rows: int) -> Values:
    if isinstance(values, Categories):
        return Categories(values.dictionary, np.full(rows, -1, np.int32))
    return np.full(rows, np.nan)


def sent_columns(table: Table) -> tuple[Column, ...]:
    """What a producer sends of a table: every column but the hidden ones."""
    return tuple(_column(name, values) for name, values in table.items() if not name.startswith("_"))


def _column(name: str, values: Values) -> Column:
    if isinstance(values, Categories):
        return Column(name=name, type="string", values=Codes(dictionary=values.dictionary, codes=_frozen(values.codes)))
    return Column(name=name, type="double", values=Numbers(values=_frozen(values)))


def _frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    copy = array.copy()
    copy.setflags(write=False)
    return copy
