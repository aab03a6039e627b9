"""What happens every day and is nobody's fault: none of it may be called one."""

import numpy as np

from simulation import damage
from simulation.families.family import Family, Place, deploy
from simulation.faults import Fault, Rerun, Rewrite
from simulation.pipeline import Pipeline
from simulation.stages import Derive


def _harmless_deploy(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    release = deploy(pipeline, place.component, ticks=int(rng.integers(-1, 2)))
    return Fault(
        name="",
        sentence=f"{place.component} is deployed, and nothing comes of it",
        kind="",
        component=place.component,
        effects=(),
        innocent=(release,),
        harmless=True,
    )


def _rerun(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return Fault(
        name="",
        sentence=f"one run of {place.component} is repeated on purpose, with the same result",
        kind="",
        component=place.component,
        effects=(Rerun(place.component, lambda table, _: table, replaces=True),),
        lasts=1,
        harmless=True,
    )


def _elsewhere(pipeline: Pipeline) -> list[Place]:
    """Computed columns from which no model is made."""
    return [
        Place(stage.dataset, name)
        for stage in pipeline.stages
        if isinstance(stage, Derive) and stage.dataset not in pipeline.served
        for name in stage.columns
    ]


def _unrelated_drift(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return Fault(
        name="",
        sentence=f"{place.words()} drifts, which no model is made from",
        kind="SOURCE_DATA",
        also=("UNKNOWN", "CODE_CHANGE"),
        component=place.component,
        column=place.column,
        effects=(Rewrite(place.component, damage.respread(place.column, float(rng.choice([0.6, 1.6])))),),
        harmless=True,
    )


FAMILIES = (
    Family("harmless-deploy", lambda pipeline: [Place(stage.dataset) for stage in pipeline.stages], _harmless_deploy),
    Family("healthy-rerun", lambda pipeline: [Place(step.dataset) for step in pipeline.steps], _rerun),
    Family("unrelated-drift", _elsewhere, _unrelated_drift),
)
