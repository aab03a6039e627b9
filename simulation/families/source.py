"""Faults of what a source delivers. All are made by functions of one signature, whatever they need of it."""

from dataclasses import replace

import numpy as np

from simulation import damage
from simulation.damage import Damage
from simulation.families.family import (
    Family,
    Place,
    bumped,
    cleaned,
    drawn_columns,
    is_category,
    names_of,
    raw,
    raw_categories,
    raw_numbers,
)
from simulation.faults import Creep, Delay, Effect, Fault, Freeze, Release, Rerun, Rewrite
from simulation.pipeline import Pipeline
from simulation.stages import Events

WEEK = 14  # ticks in which what creeps arrives


def _source_data(place: Place, sentence: str, *effects: Effect) -> Fault:
    return Fault(
        name="",
        sentence=sentence,
        kind="SOURCE_DATA",
        component=place.component,
        column=place.column or None,
        effects=effects,
    )


def _rewritten(place: Place, sentence: str, whole: Damage) -> Fault:
    return _source_data(place, sentence, Rewrite(place.component, whole))


def _null_burst(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    share = float(rng.uniform(0.25, 0.5))
    return _rewritten(
        place, f"{share:.0%} of {place.words()} arrive without a value", damage.nulled(place.column, share)
    )


def _unit_change(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    factor = float(rng.choice([100.0, 1000.0, 0.01]))
    return _rewritten(
        place,
        f"{place.words()} arrives in another unit, multiplied by {factor:g}",
        damage.scaled(place.column, factor),
    )


def _locale_parse(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    share = float(rng.uniform(0.3, 0.6))
    return _rewritten(
        place,
        f"the decimal comma in {share:.0%} of {place.words()} is read as a separator of thousands",
        damage.scaled(place.column, 100.0, share),
    )


def _category_remap(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return _rewritten(
        place, f"the codes of {place.words()} were renumbered: each means the next one", damage.remapped(place.column)
    )


def _new_category(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    share = float(rng.uniform(0.15, 0.35))
    return _rewritten(
        place,
        f"{share:.0%} of {place.words()} have a value that nobody has seen before",
        damage.recategorised(place.column, "unlisted", share),
    )


def _volume_drop(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    share = float(rng.uniform(0.35, 0.6))
    return _rewritten(place, f"{share:.0%} of the rows no longer reach {place.component}", damage.thinned(share))


def _covariate_shift(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    factor = float(rng.choice([0.7, 1.4, 1.7]))
    return _rewritten(
        place,
        f"other people come: {place.words()} is {factor:g} times what it was",
        damage.scaled(place.column, factor),
    )


def _creeping(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    factor = float(rng.choice([1.8, 2.5]))
    creep = Creep(place.component, lambda far: damage.scaled(place.column, 1 + (factor - 1) * far), WEEK)
    return _source_data(place, f"{place.words()} grows a little with every batch, to {factor:g} times", creep)


def _segments(pipeline: Pipeline) -> list[Place]:
    """Numbers of sources that also deliver a category."""
    divided = {place.component for place in raw_categories(pipeline)}
    return [place for place in raw_numbers(pipeline) if place.component in divided]


def _subgroup(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    source = next(source for source in pipeline.sources if source.dataset == place.component)
    categories = {name: names_of(draw) for name, draw in drawn_columns(pipeline, source).items() if is_category(draw)}
    segment = str(rng.choice(list(categories)))
    name = categories[segment][int(rng.integers(2))]
    fault = _rewritten(
        place,
        f"{place.words()} is wrong by a factor of 10, but only where {segment} is {name}",
        damage.within(segment, name, damage.scaled(place.column, 10.0)),
    )
    return replace(fault, segment=f"{segment} = {name}")


def _filled(pipeline: Pipeline) -> list[Place]:
    return [Place(stage.parent, name) for stage in cleaned(pipeline) for name in stage.fill]


def _masked(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    share = float(rng.uniform(0.3, 0.5))
    return _rewritten(
        place,
        f"{share:.0%} of {place.words()} go missing, and the next stage fills them in as if nothing were wrong",
        damage.nulled(place.column, share),
    )


def _schema(pipeline: Pipeline, place: Place, rng: np.random.Generator, sentence: str, whole: Damage) -> Fault:
    """The columns change; half of the time the schema's version says so."""
    before = pipeline.step(place.component).headers.schema_version
    told = (Release(place.component, "schema", bumped(before)),) if before is not None and rng.random() < 0.5 else ()
    return Fault(
        name="",
        sentence=sentence,
        kind="SCHEMA_CHANGE",
        component=place.component,
        column=place.column,
        effects=(Rewrite(place.component, whole), *told),
    )


def _dropped_column(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return _schema(pipeline, place, rng, f"{place.words()} is no longer delivered", damage.dropped(place.column))


def _renamed_column(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    to = f"{place.column}_value"
    return _schema(pipeline, place, rng, f"{place.words()} is now called {to}", damage.renamed(place.column, to))


def _type_change(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return _schema(pipeline, place, rng, f"numbers of {place.words()} arrive as text", damage.retyped(place.column))


def _duplicated_batch(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return Fault(
        name="",
        sentence=f"two schedulers run the ingestion of {place.component}: each batch is written twice, not quite alike",
        kind="DUPLICATION",
        component=place.component,
        effects=(Rerun(place.component, damage.thinned(0.02)),),
    )


def _late_batch(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    ticks = float(rng.uniform(1.8, 2.8))
    return Fault(
        name="",
        sentence=f"batches of {place.component} come up to {ticks:.1f} intervals late, and overtake each other",
        kind="LATENESS",
        component=place.component,
        effects=(Delay(place.component, ticks),),
    )


def _missing_source(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return Fault(
        name="",
        sentence=f"{place.component} is no longer delivered at all",
        kind="SILENCE",
        component=place.component,
        effects=(Freeze(place.component),),
    )


def _shared_systems(pipeline: Pipeline) -> list[Place]:
    found = [source.system for source in pipeline.sources if source.dataset in pipeline.served]
    return [Place(system) for system in sorted({system for system in found if found.count(system) > 1})]


def _system_shift(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    factor = float(rng.choice([0.5, 1.6, 2.0]))
    effects = []
    for source in pipeline.sources:
        numbers = [name for name, draw in drawn_columns(pipeline, source).items() if not is_category(draw)]
        if source.system == place.component and source.dataset in pipeline.served and numbers:
            effects.append(Rewrite(source.dataset, damage.scaled(str(rng.choice(numbers)), factor)))
    return Fault(
        name="",
        sentence=f"{place.component} is migrated: numbers in all that it delivers are {factor:g} times what they were",
        kind="SOURCE_DATA",
        component=place.component,
        effects=tuple(effects),
    )


def _events(pipeline: Pipeline) -> list[Place]:
    return [
        Place(source.dataset)
        for source in pipeline.sources
        if isinstance(source, Events) and source.dataset in pipeline.served
    ]


FAMILIES = (
    Family("unit-change", raw_numbers, _unit_change),
    Family("null-burst", lambda pipeline: [*raw_numbers(pipeline), *raw_categories(pipeline)], _null_burst),
    Family("locale-parse", raw_numbers, _locale_parse),
    Family("category-remap", raw_categories, _category_remap),
    Family("new-category", raw_categories, _new_category),
    Family("volume-drop", _events, _volume_drop),
    Family("covariate-shift", raw_numbers, _covariate_shift),
    Family("creeping", raw_numbers, _creeping),
    Family("subgroup", _segments, _subgroup),
    Family("masked", _filled, _masked),
    Family("dropped-column", raw_numbers, _dropped_column),
    Family("renamed-column", raw_numbers, _renamed_column),
    Family("type-change", raw_numbers, _type_change),
    Family("duplicated-batch", raw, _duplicated_batch),
    Family("late-batch", raw, _late_batch),
    Family("missing-source", raw, _missing_source),
    Family("system-shift", _shared_systems, _system_shift),
)
