"""A family of faults, and the places of a pipeline that families choose from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulation.draws import Choice, Draw, Sometimes
from simulation.faults import Fault, Release
from simulation.pipeline import Pipeline
from simulation.stages import Clean, Derive, Events, Join, Source


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset, source system or model of a pipeline, and a column of it if the fault is in one."""

    component: str
    column: str = ""

    def words(self) -> str:
        """For people."""
        return f"{self.component}.{self.column}" if self.column else self.component


Make = Callable[[Pipeline, Place, np.random.Generator], Fault]


@dataclass(frozen=True, slots=True)
class Family:
    """Faults of one kind: ``make`` gives one at a place, of a size it draws, with nothing else going on."""

    name: str
    places: Callable[[Pipeline], Sequence[Place]]
    make: Make

    def at(self, pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
        """A fault of the family at a place, with a harmless deploy somewhere else just before it or with it."""
        fault = self.make(pipeline, place, rng)
        return replace(fault, name=self.name, innocent=fault.innocent or _innocent(pipeline, fault, rng))

    def draw(self, pipeline: Pipeline, rng: np.random.Generator) -> Fault | None:
        """A fault of the family anywhere, None if the pipeline has no place for it."""
        places = self.places(pipeline)
        return self.at(pipeline, places[int(rng.integers(len(places)))], rng) if places else None


def bumped(version: str | None) -> str:
    """The version after this one."""
    if version is None:
        return "2"
    *rest, last = version.split(".")
    return ".".join((*rest, str(int(last) + 1)))


def deploy(pipeline: Pipeline, component: str, versioned: str = "code", *, ticks: int = 0) -> Release:
    """An announced release of a dataset's stage."""
    before = getattr(pipeline.step(component).headers, f"{versioned}_version")
    return Release(component, versioned, bumped(before), announced=True, ticks=ticks)


def _innocent(pipeline: Pipeline, fault: Fault, rng: np.random.Generator) -> tuple[Release, ...]:
    """A deploy at a stage that is neither the fault's own nor, if it is at a source, what reads it first."""
    own = {fault.component, *(release.component for release in fault.effects if isinstance(release, Release))}
    others = [stage.dataset for stage in pipeline.stages if stage.dataset not in own]
    if fault.harmless or not others:
        return ()
    return (deploy(pipeline, str(rng.choice(others)), ticks=int(rng.integers(-1, 1))),)


def is_category(draw: Draw) -> bool:
    """Whether what is drawn are texts."""
    return isinstance(draw.of if isinstance(draw, Sometimes) else draw, Choice)


def names_of(draw: Draw) -> tuple[str, ...]:
    """The categories that are drawn; none of numbers."""
    inner = draw.of if isinstance(draw, Sometimes) else draw
    return tuple(inner.weights) if isinstance(inner, Choice) else ()


def drawn_columns(pipeline: Pipeline, source: Source) -> dict[str, Draw]:
    """What a source delivers beside its key."""
    if isinstance(source, Events):
        return dict(source.columns)
    known = pipeline.population.columns
    return {name: draw for name, draw in known.items() if not source.columns or name in source.columns}


def sources(pipeline: Pipeline) -> Iterator[Source]:
    """Those that the model is made from."""
    return (source for source in pipeline.sources if source.dataset in pipeline.served)


def raw_numbers(pipeline: Pipeline) -> list[Place]:
    """Every number that a source delivers."""
    return [
        Place(source.dataset, name)
        for source in sources(pipeline)
        for name, draw in drawn_columns(pipeline, source).items()
        if not is_category(draw)
    ]


def raw_categories(pipeline: Pipeline) -> list[Place]:
    """Every category that a source delivers."""
    return [
        Place(source.dataset, name)
        for source in sources(pipeline)
        for name, draw in drawn_columns(pipeline, source).items()
        if is_category(draw)
    ]


def raw(pipeline: Pipeline) -> list[Place]:
    """Every source."""
    return [Place(source.dataset) for source in sources(pipeline)]


def cleaned(pipeline: Pipeline) -> list[Clean]:
    """Cleaning stages that the model is made from."""
    return [stage for stage in pipeline.stages if isinstance(stage, Clean) and stage.dataset in pipeline.served]


def joins(pipeline: Pipeline) -> list[Place]:
    """Every join that the model is made from."""
    return [
        Place(stage.dataset)
        for stage in pipeline.stages
        if isinstance(stage, Join) and stage.dataset in pipeline.served
    ]


def derived(pipeline: Pipeline) -> list[Derive]:
    """Stages that compute something and that the model is made from."""
    return [stage for stage in pipeline.stages if isinstance(stage, Derive) and stage.dataset in pipeline.served]


def model(pipeline: Pipeline) -> list[Place]:
    """The model."""
    return [Place(pipeline.model.name)]
