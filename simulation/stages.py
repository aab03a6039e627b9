"""Stages: what makes a batch from raw draws or from its parents' batches. Pure functions of tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np

from simulation.columns import ROW, Categories, Floats, Rows, Table, Values, missing_of, number, rows_of, take
from simulation.draws import Draw

Derivation: TypeAlias = Callable[[Table], Values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What a stage's runs say about themselves; ``None`` is left out."""

    code_version: str | None = "1.0.0"
    config_version: str | None = None
    schema_version: str | None = None
    feature_version: str | None = None
    host: str | None = None
    toggles: Mapping[str, str] = field(default_factory=dict)

    def released(self, versioned: str, after: str) -> "Headers":
        """The same with another version of ``code``, ``config``, ``schema`` or ``feature``."""
        changes: dict[str, Any] = {f"{versioned}_version": after}
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One period of the world outside: the random source, the population, and who acted in it (rows of it).

    season: where in the day it lies, -1 to 1. noise: relative size of what moves a whole batch's numbers by chance.
    """

    rng: np.random.Generator
    population: Table
    actors: Rows
    season: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Ingests one row per event of the tick: ``key`` says whose it was.

    swings: relative amplitude of the daily season of some columns' values.
    """

    dataset: str
    system: str
    key: str
    columns: Mapping[str, Draw]
    swings: Mapping[str, float] = field(default_factory=dict)
    stage: str = "ingest"
    headers: Headers = Headers()

    def ingest(self, tick: Tick) -> Table:
        """The tick's events."""
        rows = len(tick.actors)
        drawn = {name: self._moved(name, draw.draw(tick.rng, rows), tick) for name, draw in self.columns.items()}
        return {ROW: np.arange(rows, dtype=float), self.key: number(tick.population, self.key)[tick.actors], **drawn}

    def _moved(self, name: str, values: Values, tick: Tick) -> Values:
        if isinstance(values, Categories):
            return values
        by_chance = float(np.exp(tick.noise * tick.rng.standard_normal())) if tick.noise else 1.0
        return values * by_chance * (1 + self.swings.get(name, 0.0) * tick.season)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """Ingests the population's rows of those who acted in the tick, each once; a share of ``late`` is not there yet.

    columns: which of the population's it holds, all if none are named.
    """

    dataset: str
    system: str
    columns: tuple[str, ...] = ()
    late: float = 0.0
    stage: str = "ingest"
    headers: Headers = Headers()

    def ingest(self, tick: Tick) -> Table:
        """The profiles of the tick's actors."""
        actors = np.unique(tick.actors)
        known = {name: tick.population[name] for name in self.columns or tick.population}
        return take(known, actors[tick.rng.random(len(actors)) >= self.late])


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """Keeps declared columns, drops rows whose ``required`` columns are missing, fills some others.

    A declared column that the parent lacks is all missing: the stage reads tolerantly, as most do.
    """

    dataset: str
    parent: str
    columns: tuple[str, ...]
    required: tuple[str, ...] = ()
    fill: Mapping[str, float] = field(default_factory=dict)
    stage: str = "clean"
    headers: Headers = Headers()
    join_keys: tuple[str, ...] = ()

    @property
    def parents(self) -> tuple[str, ...]:
        """The dataset it reads."""
        return (self.parent,)

    def make(self, parents: Sequence[Table]) -> Table:
        """The parent's rows, cleaned."""
        (raw,) = parents
        rows = rows_of(raw)
        table: dict[str, Values] = {ROW: raw[ROW]} if ROW in raw else {}
        table |= {name: raw.get(name, np.full(rows, np.nan)) for name in self.columns}
        keep = np.ones(rows, bool)
        for name in self.required:
            keep &= ~missing_of(table[name])
        for name, value in self.fill.items():
            if not isinstance(table[name], Categories):
                table[name] = np.where(missing_of(table[name]), value, number(table, name))
        return take(table, np.flatnonzero(keep))


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Left join on ``key``: a row without a match keeps missing values, one with several is repeated."""

    dataset: str
    left: str
    right: str
    key: str
    stage: str = "join"
    headers: Headers = Headers()

    @property
    def parents(self) -> tuple[str, ...]:
        """The datasets it reads."""
        return (self.left, self.right)

    @property
    def join_keys(self) -> tuple[str, ...]:
        """The column it joins on."""
        return (self.key,)

    def make(self, parents: Sequence[Table]) -> Table:
        """The left rows with the right columns beside them."""
        left, right = parents
        chosen, matched = matches(number(left, self.key), number(right, self.key))
        joined = take(right, matched)
        return {**take(left, chosen), **{n: v for n, v in joined.items() if n not in left}}


def matches(left: Floats, right: Floats) -> tuple[Rows, Rows]:
    """Row numbers of a left join: left rows in order, each with its right row, -1 where none matches."""
    order = np.append(np.argsort(right, kind="stable"), -1)  # the last place stands for "none"
    begin = np.searchsorted(right, left, "left", sorter=order[:-1])
    found = np.searchsorted(right, left, "right", sorter=order[:-1]) - begin
    repeats = np.maximum(found, 1)
    chosen = np.repeat(np.arange(len(left)), repeats)
    within = np.arange(len(chosen)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    place = np.where(found[chosen] > 0, begin[chosen] + within, len(right))
    return chosen, order[place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Derive:
    """Computes columns from its parent's, and carries some over."""

    dataset: str
    parent: str
    columns: Mapping[str, Derivation]
    carried: tuple[str, ...] = ()
    stage: str = "features"
    headers: Headers = Headers()
    join_keys: tuple[str, ...] = ()

    @property
    def parents(self) -> tuple[str, ...]:
        """The dataset it reads."""
        return (self.parent,)

    def make(self, parents: Sequence[Table]) -> Table:
        """One row per parent's row."""
        (table,) = parents
        kept = {name: table[name] for name in (ROW, *self.carried) if name in table}
        return {**kept, **{name: derivation(table) for name, derivation in self.columns.items()}}


class How(StrEnum):
    """What becomes of the values of a group."""

    COUNT = "count"
    MEAN = "mean"
    LARGEST = "largest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """One row per value of ``key``: of each named column, how many, the mean, or the largest of those not missing."""

    dataset: str
    parent: str
    key: str
    columns: Mapping[str, tuple[str, How]]
    stage: str = "aggregate"
    headers: Headers = Headers()
    join_keys: tuple[str, ...] = ()

    @property
    def parents(self) -> tuple[str, ...]:
        """The dataset it reads."""
        return (self.parent,)

    def make(self, parents: Sequence[Table]) -> Table:
        """The groups in the order of their keys."""
        (table,) = parents
        keys, group = np.unique(number(table, self.key), return_inverse=True)
        made = {name: _grouped(number(table, of), group, len(keys), how) for name, (of, how) in self.columns.items()}
        return {self.key: keys, **made}


def _grouped(values: Floats, group: Rows, groups: int, how: How) -> Floats:
    known = ~np.isnan(values)
    count = np.bincount(group[known], minlength=groups).astype(float)
    if how is How.COUNT:
        return count
    if how is How.MEAN:
        total = np.bincount(group[known], values[known], minlength=groups)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
    largest = np.full(groups, -np.inf)
    np.maximum.at(largest, group[known], values[known])
    return np.where(count > 0, largest, np.nan)


Source: TypeAlias = Events | Profiles  # ingests from an external system
Stage: TypeAlias = (
    Clean | Join | Derive | Aggregate
)  # reads other datasets: `make` takes their tables in the order of `parents`
