"""What a stage computes of a row: one formula per class, each a function of the parent's table."""

from dataclasses import dataclass

import numpy as np

from simulation.columns import Floats, Table, category, number


@dataclass(frozen=True, slots=True)
class Logarithm:
    """Order of magnitude of a column that is not negative: log(1 + x)."""

    column: str

    def __call__(self, table: Table) -> Floats:
        """One value per row."""
        return np.log1p(np.maximum(number(table, self.column), 0.0))


@dataclass(frozen=True, slots=True)
class Sum:
    """A weighted sum of two columns."""

    first: str
    second: str
    weight: float = 1.0

    def __call__(self, table: Table) -> Floats:
        """One value per row."""
        return number(table, self.first) + self.weight * number(table, self.second)


@dataclass(frozen=True, slots=True)
class Ratio:
    """One column over another that is positive."""

    above: str
    below: str

    def __call__(self, table: Table) -> Floats:
        """One value per row."""
        return number(table, self.above) / np.maximum(np.abs(number(table, self.below)), 1e-3)


@dataclass(frozen=True, slots=True)
class LogRatio:
    """Logarithm of the ratio of two columns that are not negative, each plus one."""

    above: str
    below: str

    def __call__(self, table: Table) -> Floats:
        """One value per row."""
        above, below = (np.maximum(number(table, name), 0.0) for name in (self.above, self.below))
        return np.log1p(above) - np.log1p(below)


@dataclass(frozen=True, slots=True)
class Is:
    """1 where a category is ``name``, 0 where it is another, NaN where it is missing."""

    column: str
    name: str

    def __call__(self, table: Table) -> Floats:
        """One value per row."""
        return category(table, self.column).equal(self.name)


@dataclass(frozen=True, slots=True)
class Differs:
    """1 where two categories differ, NaN where either is missing."""

    first: str
    second: str

    def __call__(self, table: Table) -> Floats:
        """One value per row."""
        first, second = category(table, self.first), category(table, self.second)
        names = [np.array([*each.dictionary, ""]) for each in (first, second)]
        differs = names[0][first.codes] != names[1][second.codes]
        return np.where((first.codes < 0) | (second.codes < 0), np.nan, differs.astype(float))
