"""The same fault, made weak: on 40 % of the rows, amid noise, jitter and drifts that have nothing to do with it."""

from dataclasses import replace

import numpy as np

from simulation import damage
from simulation.columns import Table, rows_of
from simulation.damage import Damage, mixed
from simulation.faults import Creep, Effect, Fault, Flatten, Misread, Misserve, Reality, Rescore, Rewrite
from simulation.pipeline import Pipeline

SHARE = 0.4  # of the rows
NOISE = 0.03  # of what moves a whole raw batch by chance, relative
JITTER = 15_000_000  # microseconds, of every stage and every event


def unsteady(pipeline: Pipeline) -> Pipeline:
    """A pipeline whose raw signals are noisy and whose batches keep no exact time."""
    return replace(pipeline, noise=NOISE, jitter=JITTER)


def weakened(fault: Fault) -> Fault:
    """The same on 40 % of the rows, or with 40 % of the shift; what has no rows stays as it is."""
    return replace(fault, effects=tuple(map(_weaker, fault.effects)))


def _weaker(effect: Effect) -> Effect:
    match effect:
        case Rewrite() | Misread():
            return replace(effect, damage=some(effect.damage))
        case Creep():
            return replace(effect, damage=lambda far: some(effect.damage(far)))
        case Misserve():
            return replace(effect, damage=some(effect.damage), miss=SHARE * effect.miss)
        case Rescore() | Reality():
            return replace(effect, shift=SHARE * effect.shift, slope=1 + SHARE * (effect.slope - 1))
        case Flatten():
            return replace(effect, slope=1 + SHARE * (effect.slope - 1))
    return effect


def some(whole: Damage) -> Damage:
    """Done to a share of the rows: the others stay, or come back where it changes how many there are."""

    def partly(table: Table, rng: np.random.Generator) -> Table:
        hit = rng.random(rows_of(table)) < SHARE
        damaged = whole(table, rng)
        if rows_of(damaged) != rows_of(table):
            return _thinly(table, damaged, rng)
        if any(type(damaged.get(name)) is not type(values) for name, values in table.items()):
            return damaged  # a schema cannot change in some rows
        return {name: mixed(damaged[name], old, hit) for name, old in table.items()}

    return partly


def _thinly(table: Table, damaged: Table, rng: np.random.Generator) -> Table:
    """A lost or doubled row is lost or doubled with probability ``SHARE``."""
    before, after = rows_of(table), rows_of(damaged)
    share = SHARE * abs(before - after) / max(before, 1)
    return (damage.thinned if after < before else damage.repeated)(share)(table, rng)
