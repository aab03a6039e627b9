"""The lives that are lived: every fault of the catalogue, the same made weak, pairs of faults, and healthy ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulation import damage
from simulation.catalogue import (
    CUSTOMERS_DEPLOY,
    FAULTS,
    FEATURES_DEPLOY,
    ORDERS_DEPLOY,
)
from simulation.checkout import CHECKOUT
from simulation.columns import Categories, Floats, Table, rows_of
from simulation.faults import Effect, Fault, Misread, Reality, Release, Rescore, Rewrite
from simulation.life import Life

Values: TypeAlias = Floats | Categories
WEAK = 0.4  # of the rows
HEALTHY, SINCE = 60, 14  # ticks before and since the onset
START = 1_780_000_000_000_000
DEPLOYS: tuple[Release, ...] = (CUSTOMERS_DEPLOY, ORDERS_DEPLOY, FEATURES_DEPLOY)
PAIRS = (("null-burst", "new-category"), ("new-category", "model-swap"), ("unit-change", "null-burst"))


class Setting(StrEnum):
    """What kind of life it is."""

    FULL = "full"
    WEAK = "weak"
    PAIR = "pair"
    HEALTHY = "healthy"
    DEPLOY = "deploy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One life to be lived: of ``faults``, names of the catalogue; ``deploy`` is a place in ``DEPLOYS``."""

    setting: Setting
    seed: int
    faults: tuple[str, ...] = ()
    deploy: int = 0

    @property
    def fault(self) -> Fault | None:
        """What is wrong in it; a harmless deploy is a fault without effects."""
        match self.setting:
            case Setting.HEALTHY:
                return None
            case Setting.DEPLOY:
                release = DEPLOYS[self.deploy]
                return Fault(
                    name="deploy", sentence="", kind="", component=release.component, effects=(), innocent=(release,)
                )
            case Setting.PAIR:
                first, second = (FAULTS[name] for name in self.faults)
                return replace(first, effects=(*first.effects, *second.effects), innocent=())
        full = FAULTS[self.faults[0]]
        return replace(full, effects=tuple(map(weakened, full.effects))) if self.setting is Setting.WEAK else full

    def life(self) -> Life:
        """The life itself."""
        return Life(CHECKOUT, self.fault, seed=self.seed, start=START, ticks=HEALTHY + SINCE, onset=HEALTHY)


def _some(whole: damage.Damage) -> damage.Damage:
    """Done to a share of the rows: the others stay, or come back where it changes how many there are."""

    def partly(table: Table, rng: np.random.Generator) -> Table:
        hit = rng.random(rows_of(table)) < WEAK
        damaged = whole(table, rng)
        if rows_of(damaged) != rows_of(table) or damaged.keys() != table.keys():
            return _thinly(table, damaged, rng)
        return {name: _mixed(damaged[name], old, hit) for name, old in table.items()}

    return partly


def _thinly(table: Table, damaged: Table, rng: np.random.Generator) -> Table:
    """A lost or doubled row is lost or doubled with probability ``WEAK``; a schema cannot change in some rows."""
    before, after = rows_of(table), rows_of(damaged)
    if before == after:
        return damaged
    share = WEAK * abs(before - after) / before
    return (damage.thinned if after < before else damage.repeated)(share)(table, rng)


def _mixed(new: Values, old: Values, hit: NDArray[np.bool_]) -> Values:
    if isinstance(new, Categories) and isinstance(old, Categories):  # damage only ever adds names at the end
        return Categories(new.dictionary, np.where(hit, new.codes, old.codes).astype(np.int32))
    if isinstance(new, Categories) or isinstance(old, Categories):
        raise TypeError("a damage made categories of numbers, or numbers of categories")
    return np.where(hit, new, old)


def weakened(effect: Effect) -> Effect:
    """The same on 40 % of the rows, or with 40 % of the shift; what has no rows stays as it is."""
    match effect:
        case Rewrite() | Misread():
            return replace(effect, damage=_some(effect.damage))
        case Rescore() | Reality():
            return replace(effect, shift=WEAK * effect.shift, slope=1 + WEAK * (effect.slope - 1))
    return effect


def cases(seed: int, quick: bool) -> Sequence[Case]:
    """What is lived in the quick form and in the full one; every life has a seed of its own."""
    seeds = iter(range(1000 * seed + 1, 1000 * (seed + 1)))
    found = [
        Case(setting=Setting.FULL, seed=next(seeds), faults=(name,))
        for _ in range(1 if quick else 5)
        for name in FAULTS
    ]
    weak = () if quick else [name for name in FAULTS for _ in range(2)]
    found += [Case(setting=Setting.WEAK, seed=next(seeds), faults=(name,)) for name in weak]
    found += [Case(setting=Setting.PAIR, seed=next(seeds), faults=pair) for pair in PAIRS[: 1 if quick else None]]
    found += [Case(setting=Setting.HEALTHY, seed=next(seeds)) for _ in range(2 if quick else 10)]
    times = 1 if quick else 4
    found += [
        Case(setting=Setting.DEPLOY, seed=next(seeds), deploy=i) for i in range(len(DEPLOYS)) for _ in range(times)
    ]
    return found
