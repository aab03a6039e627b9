"""Ways a table goes wrong: each function gives one, a pure function of the healthy table."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulation.columns import Categories, Floats, Table, blanked, category, number, rows_of, take

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

    def damage(table: Table, rng: np.random.Generator) -> Table:  # noqa: ARG001  # the signature is Damage's
        return {(to if name == column else name): values for name, values in table.items()}

    return damage


def clipped(column: str, limit: float) -> Damage:
    """Values above ``limit`` become it."""

    def damage(table: Table, rng: np.random.Generator) -> Table:  # noqa: ARG001  # the signature is Damage's
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

    def damage(table: Table, rng: np.random.Generator) -> Table:  # noqa: ARG001  # the signature is Damage's
        return {**table, column: formula(table)}

    return damage
