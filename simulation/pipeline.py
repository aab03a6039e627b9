"""A pipeline as a declaration: population, sources, stages in order, a model."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulation.columns import Table
from simulation.draws import Draw
from simulation.model import Model
from simulation.stages import Source, Stage

MINUTE = 60_000_000  # microseconds
DAY = 1440 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Those who act: ``size`` of them, known by ``key``, with lasting properties."""

    key: str
    size: int
    columns: Mapping[str, Draw]

    def draw(self, rng: np.random.Generator) -> Table:
        """Everybody, one row each."""
        drawn = {name: draw.draw(rng, self.size) for name, draw in self.columns.items()}
        return {self.key: np.arange(1.0, self.size + 1), **drawn}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A pipeline; ``stages`` come after what they read.

    events_per_tick: mean rows of the event sources, one tick being ``tick`` microseconds. daily_swing: relative
    amplitude of the daily season of volume. noise: relative size of what moves all numbers of a raw batch by chance.
    jitter: microseconds that a stage may take longer than usual, and an event on its way into Kafka.
    """

    name: str
    population: Population
    sources: tuple[Source, ...]
    stages: tuple[Stage, ...]
    model: Model
    owner: str | None = None
    tick: int = 10 * MINUTE
    events_per_tick: float = 1000.0
    daily_swing: float = 0.0
    noise: float = 0.0
    jitter: int = 0

    def volume(self, at: int) -> float:
        """Expected events in the tick that ends at ``at``."""
        return self.events_per_tick * (1 + self.daily_swing * season(at))

    @property
    def depth(self) -> int:
        """Steps on the longest way from a source."""
        depth = dict.fromkeys((source.dataset for source in self.sources), 1)
        for stage in self.stages:
            depth[stage.dataset] = 1 + max(depth[parent] for parent in stage.parents)
        return max(depth.values())

    @property
    def steps(self) -> tuple[Source | Stage, ...]:
        """Everything that writes a dataset, parents first."""
        return (*self.sources, *self.stages)

    def step(self, dataset: str) -> Source | Stage:
        """What writes a dataset.

        Raises:
            KeyError: nothing does.
        """
        for step in self.steps:
            if step.dataset == dataset:
                return step
        raise KeyError(dataset)

    def descendants(self, place: str) -> frozenset[str]:
        """A dataset, or all that a source system delivers, and everything made from it."""
        reached = {place, *(source.dataset for source in self.sources if source.system == place)}
        for stage in self.stages:
            if reached.intersection(stage.parents):
                reached.add(stage.dataset)
        return frozenset(reached)

    @property
    def served(self) -> frozenset[str]:
        """The datasets that the model is made from."""
        return frozenset(step.dataset for step in self.steps if self.model.reads in self.descendants(step.dataset))


def season(at: int) -> float:
    """Where in its day a moment lies, from -1 to 1."""
    return float(np.sin(2 * np.pi * at / DAY))
