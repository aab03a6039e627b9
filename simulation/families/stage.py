"""Faults of what a stage does: its code, its configuration, its joins, its schedule."""

import numpy as np

from simulation import damage
from simulation.damage import Damage
from simulation.derivations import Differs, Is
from simulation.families.family import Family, Place, bumped, cleaned, deploy, derived, joins
from simulation.faults import Effect, Fault, Freeze, Misread, Release, Rewrite, Toggle
from simulation.pipeline import Pipeline
from simulation.stages import Join


def _fault(place: Place, kind: str, sentence: str, *effects: Effect) -> Fault:
    return Fault(
        name="", sentence=sentence, kind=kind, component=place.component, column=place.column or None, effects=effects
    )


def _formulas(pipeline: Pipeline) -> list[Place]:
    """Computed columns that are not only 0 and 1."""
    return [
        Place(stage.dataset, name)
        for stage in derived(pipeline)
        for name, formula in stage.columns.items()
        if not isinstance(formula, Is | Differs)
    ]


def _deployed(pipeline: Pipeline, place: Place, sentence: str, whole: Damage) -> Fault:
    return _fault(place, "CODE_CHANGE", sentence, Rewrite(place.component, whole), deploy(pipeline, place.component))


def _code_deploy(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    column = place.column
    wrong, whole = (
        ("twice what it should be", damage.scaled(column, 2.0)),
        ("the wrong way round", damage.twisted(column)),
        ("missing in half of the rows", damage.nulled(column, 0.5)),
    )[int(rng.integers(3))]
    return _deployed(pipeline, place, f"a new version of the code of {place.component} makes {column} {wrong}", whole)


def _mean_preserving(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    factor = float(rng.choice([0.4, 2.0]))
    return _deployed(
        pipeline,
        place,
        f"a new version of the code of {place.component} spreads {place.column} {factor:g} times as far about its mean",
        damage.respread(place.column, factor),
    )


def _configured(pipeline: Pipeline) -> list[Place]:
    """Computed numbers, and those that cleaning insists on, of stages with a configuration."""
    cleaned_numbers = [Place(stage.dataset, name) for stage in cleaned(pipeline) for name in stage.required]
    places = [*_formulas(pipeline), *cleaned_numbers]
    return [place for place in places if pipeline.step(place.component).headers.config_version is not None]


def _config_change(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    share = float(rng.uniform(0.35, 0.65))
    config = Release(place.component, "config", bumped(pipeline.step(place.component).headers.config_version))
    return _fault(
        place,
        "CONFIG_CHANGE",
        f"a new configuration of {place.component} caps {place.column} far too low",
        Rewrite(place.component, damage.capped(place.column, share)),
        config,
    )


def _switched(pipeline: Pipeline) -> list[Place]:
    return [place for place in _configured(pipeline) if pipeline.step(place.component).headers.toggles]


def _toggle_change(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    switch = str(rng.choice(sorted(pipeline.step(place.component).headers.toggles)))
    return _fault(
        place,
        "CONFIG_CHANGE",
        f"the switch {switch} of {place.component} is turned on: a third of {place.column} is thrown away",
        Rewrite(place.component, damage.nulled(place.column, 0.35)),
        Toggle(place.component, switch, "on"),
    )


def _join_fanout(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    join = pipeline.step(place.component)
    assert isinstance(join, Join)
    share = float(rng.uniform(0.4, 0.9))
    return _fault(
        place,
        "JOIN",
        f"the join reads {share:.0%} of {join.right} twice: rows of {join.left} multiply",
        Misread(place.component, join.right, damage.repeated(share)),
    )


def _join_mismatch(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    join = pipeline.step(place.component)
    assert isinstance(join, Join)
    share = float(rng.uniform(0.4, 0.8))
    return _fault(
        place,
        "JOIN",
        f"the join reads the keys of {join.right} in another format: {share:.0%} no longer match",
        Misread(place.component, join.right, damage.estranged(join.key, share)),
    )


def _duplicated_rows(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return _fault(
        place,
        "DUPLICATION",
        f"{place.component} reads its input twice after a retry: every row is there two times",
        Rewrite(place.component, damage.repeated(1.0)),
    )


def _stale_features(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return _fault(
        place,
        "FEATURE_STALENESS",
        f"{place.component} is no longer renewed: the model goes on with the last batch it got",
        Freeze(place.component),
    )


FAMILIES = (
    Family("code-deploy", _formulas, _code_deploy),
    Family("mean-preserving-deploy", _formulas, _mean_preserving),
    Family("config-change", _configured, _config_change),
    Family("toggle-change", _switched, _toggle_change),
    Family("join-fanout", joins, _join_fanout),
    Family("join-mismatch", joins, _join_mismatch),
    Family("duplicated-rows", lambda pipeline: [Place(stage.dataset) for stage in cleaned(pipeline)], _duplicated_rows),
    Family("stale-features", lambda pipeline: [Place(pipeline.model.reads)], _stale_features),
)
