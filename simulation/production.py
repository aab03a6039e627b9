"""One tick of production: every dataset's batch, healthy or under a fault's effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulation.columns import Table
from simulation.damage import Damage
from simulation.faults import Delay, Effect, Freeze, Misread, Rewrite
from simulation.pipeline import Pipeline, season
from simulation.stages import Stage, Tick

SECOND = 1_000_000  # microseconds
AGAIN = 2 * SECOND  # after its first run, a stage's second


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """A batch as it lies in its dataset; times are microseconds."""

    dataset: str
    batch_id: str
    tick: int
    table: Table
    started_at: int
    produced_at: int
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """The production line of a pipeline: the same ``seed`` and tick always give the same raw draws."""

    pipeline: Pipeline
    seed: int
    start: int
    population: Table

    def random(self, tick: int, purpose: int) -> np.random.Generator:
        """A generator of its own for a purpose in a tick."""
        return np.random.default_rng([self.seed, tick, purpose])

    def ends_at(self, tick: int) -> int:
        """When a tick ends, microseconds."""
        return self.start + (tick + 1) * self.pipeline.tick

    def produce(self, tick: int, effects: Sequence[Effect], before: Mapping[str, Made]) -> dict[str, Made]:
        """Every dataset's batch of a tick; a frozen one, and one that is driven by it, keeps that of ``before``."""
        rng, broken, pace = self.random(tick, 0), self.random(tick, 1), self.random(tick, 2)
        moment = self._moment(tick, rng)
        frozen = {effect.dataset for effect in effects if isinstance(effect, Freeze)} & before.keys()
        made: dict[str, Made] = {}
        for source in self.pipeline.sources:
            table = _rewritten(source.dataset, source.ingest(moment), effects, broken)
            fresh = self._batch(source.dataset, tick, table, self.ends_at(tick), (), pace)
            made[source.dataset] = before[source.dataset] if source.dataset in frozen else fresh
        for stage in self.pipeline.stages:
            read = [made[parent] for parent in stage.parents]
            table = _rewritten(stage.dataset, stage.make(_as_read(stage, read, effects, broken)), effects, broken)
            ready = max(parent.produced_at for parent in read)
            ids = tuple(parent.batch_id for parent in read)
            fresh = self._batch(stage.dataset, tick, table, ready, ids, pace)
            stands = stage.dataset in frozen or (read[0].tick < tick and stage.dataset in before)
            made[stage.dataset] = before[stage.dataset] if stands else fresh
        return {name: self._delayed(each, effects) if each.tick == tick else each for name, each in made.items()}

    def _moment(self, tick: int, rng: np.random.Generator) -> Tick:
        end = self.ends_at(tick)
        rows = int(rng.poisson(self.pipeline.volume(end)))
        return Tick(
            rng=rng,
            population=self.population,
            actors=rng.integers(0, self.pipeline.population.size, rows),
            season=season(end),
            noise=self.pipeline.noise,
        )

    def _delayed(self, made: Made, effects: Sequence[Effect]) -> Made:
        """The batch as late as it and what it was made from are."""
        late = 0.0
        for effect in effects:
            if isinstance(effect, Delay) and made.dataset in self.pipeline.descendants(effect.dataset):
                late += effect.ticks * float(self.random(made.tick, 5).uniform())
        wait = int(late * self.pipeline.tick)
        return replace(made, started_at=made.started_at + wait, produced_at=made.produced_at + wait) if wait else made

    def run_again(self, made: Made, damage: Damage) -> Made:
        """The batch of a second run under the same id, a little later."""
        table = damage(made.table, self.random(made.tick, 4))
        return replace(made, table=table, started_at=made.started_at + AGAIN, produced_at=made.produced_at + AGAIN)

    def _batch(
        self, dataset: str, tick: int, table: Table, ready: int, parents: tuple[str, ...], pace: np.random.Generator
    ) -> Made:
        started = ready + int(pace.uniform(1, 3) * SECOND)
        return Made(
            dataset=dataset,
            batch_id=f"{dataset}-{tick:05d}",
            tick=tick,
            table=table,
            started_at=started,
            produced_at=started + int(pace.uniform(4, 8) * SECOND) + int(pace.uniform() * self.pipeline.jitter),
            parents=parents,
        )


def _rewritten(dataset: str, table: Table, effects: Sequence[Effect], rng: np.random.Generator) -> Table:
    for effect in effects:
        if isinstance(effect, Rewrite) and effect.dataset == dataset:
            table = effect.damage(table, rng)
    return table


def _as_read(stage: Stage, read: list[Made], effects: Sequence[Effect], rng: np.random.Generator) -> list[Table]:
    tables = [parent.table for parent in read]
    for effect in effects:
        if isinstance(effect, Misread) and effect.dataset == stage.dataset:
            place = stage.parents.index(effect.parent)
            tables[place] = effect.damage(tables[place], rng)
    return tables
