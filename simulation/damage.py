"""Ways a table goes wrong: each function gives one, a pure function of the healthy table."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulation.columns import Categories, Floats, Table, Values, blanked, category, number, rows_of, take

Damage: TypeAlias = Callable[[Table, np.random.Generator], Table]


def _hit(table: Table, rng: np.random.Generator, share: float) -> NDArray[np.bool_]:
    return rng.random(rows_of(table)) < share


def scaled(column: str, factor: float, share: float = 1.0) -> Damage:
    """A unit change: values times ``factor`` in a share of the rows."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        values = number(table, column)
        return {**table, column: np.where(_hit(table, rng, share), values * factor, values)}

    return damage


def nulled(column: str, share: float) -> Damage:
    """Values go missing in a share of the rows."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        return {**table, column: blanked(table[column], _hit(table, rng, share))}

    return damage


def renamed(column: str, to: str) -> Damage:
    """A column gets another name."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        return {(to if name == column else name): values for name, values in table.items()}

    return damage


def clipped(column: str, limit: float) -> Damage:
    """Values above ``limit`` become it."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        return {**table, column: np.minimum(number(table, column), limit)}

    return damage


def recategorised(column: str, name: str, share: float) -> Damage:
    """A share of the rows says ``name``, which may never have been seen."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        old = category(table, column)
        names = old.dictionary if name in old.dictionary else (*old.dictionary, name)
        codes = np.where(_hit(table, rng, share), np.int32(names.index(name)), old.codes)
        return {**table, column: Categories(names, codes.astype(np.int32))}

    return damage


def repeated(share: float) -> Damage:
    """A share of the rows is there twice."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        rows = np.repeat(np.arange(rows_of(table)), 1 + _hit(table, rng, share))
        return take(table, rows)

    return damage


def thinned(share: float) -> Damage:
    """A share of the rows is lost."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        return take(table, np.flatnonzero(~_hit(table, rng, share)))

    return damage


def estranged(key: str, share: float) -> Damage:
    """Keys that no one else has, in a share of the rows."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        keys = number(table, key)
        return {**table, key: np.where(_hit(table, rng, share), -keys, keys)}

    return damage


def recomputed(column: str, formula: Callable[[Table], Floats]) -> Damage:
    """A derived column is computed by another formula."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        return {**table, column: formula(table)}

    return damage


def dropped(column: str) -> Damage:
    """A column is no longer there."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        return {name: values for name, values in table.items() if name != column}

    return damage


def retyped(column: str) -> Damage:
    """A number arrives as the text that a person would write."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        values = number(table, column)
        known, codes = np.unique(np.round(values[~np.isnan(values)], 2), return_inverse=True)
        written = np.full(len(values), -1, np.int32)
        written[~np.isnan(values)] = codes
        return {**table, column: Categories(tuple(f"{value:.2f}".replace(".", ",") for value in known), written)}

    return damage


def remapped(column: str) -> Damage:
    """Every category arrives under the name of the next one."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        old = category(table, column)
        return {**table, column: Categories((*old.dictionary[1:], *old.dictionary[:1]), old.codes)}

    return damage


def respread(column: str, factor: float) -> Damage:
    """The mean stays, the distance from it is multiplied."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        values = number(table, column)
        centre = np.nanmean(values) if np.isfinite(values).any() else 0.0
        return {**table, column: centre + factor * (values - centre)}

    return damage


def capped(column: str, share: float) -> Damage:
    """Values above the quantile ``share`` of the batch become it."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        values = number(table, column)
        known = values[np.isfinite(values)]
        return clipped(column, float(np.quantile(known, share)))(table, rng) if len(known) else table

    return damage


def within(segment: str, name: str, whole: Damage) -> Damage:
    """Only the rows whose ``segment`` is ``name`` are damaged; ``whole`` keeps rows and columns."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        hit = category(table, segment).equal(name) == 1.0
        return {column: mixed(values, table[column], hit) for column, values in whole(table, rng).items()}

    return damage


def mixed(new: Values, old: Values, hit: NDArray[np.bool_]) -> Values:
    """``new`` where told, else ``old``.

    Raises:
        TypeError: one is numeric, the other categorical.
    """
    if isinstance(new, Categories) and isinstance(old, Categories):
        names = tuple(dict.fromkeys((*old.dictionary, *new.dictionary)))
        codes = [np.append([names.index(name) for name in one.dictionary], -1)[one.codes] for one in (new, old)]
        return Categories(names, np.where(hit, *codes).astype(np.int32))
    if isinstance(new, Categories) or isinstance(old, Categories):
        raise TypeError("numbers and categories cannot be mixed")
    return np.where(hit, new, old)


def twisted(column: str) -> Damage:
    """The sign is lost the wrong way: large becomes small, about the middle of the batch, and twice as far."""

    def damage(table: Table, rng: np.random.Generator) -> Table:
        values = number(table, column)
        centre = np.nanmedian(values) if np.isfinite(values).any() else 0.0
        return {**table, column: centre - 2.0 * (values - centre) - np.abs(values - centre)}

    return damage
