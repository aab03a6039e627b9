"""Faults at the model: another one answers, it is served other features, or the world no longer follows it."""

from collections.abc import Callable

import numpy as np

from simulation import damage
from simulation.families.family import Family, Place, bumped, model
from simulation.faults import Effect, Fault, Flatten, Misserve, Reality, Release, Rescore
from simulation.pipeline import Pipeline

Effects = Callable[[Pipeline, np.random.Generator], tuple[Effect, ...]]


def _at_model(kind: str, sentence: str, effects: Effects) -> Callable[[Pipeline, Place, np.random.Generator], Fault]:
    def make(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
        return Fault(name="", sentence=sentence, kind=kind, component=place.component, effects=effects(pipeline, rng))

    return make


def _swap(pipeline: Pipeline, rng: np.random.Generator) -> tuple[Effect, ...]:
    version = pipeline.model.version
    year, _, month = version.partition("-")
    after = f"{year}-{int(month) + 1:02d}" if month else bumped(version)
    return (
        Rescore(shift=float(rng.choice([-1.2, 1.2]))),
        Release(pipeline.model.name, "model", after, announced=True),
    )


def _flattened(pipeline: Pipeline, rng: np.random.Generator) -> tuple[Effect, ...]:
    return (Flatten(slope=float(rng.uniform(0.2, 0.4))),)


def _shifted(pipeline: Pipeline, rng: np.random.Generator) -> tuple[Effect, ...]:
    return (Reality(shift=float(rng.choice([1.2, 1.6]))),)


def _missed(pipeline: Pipeline, rng: np.random.Generator) -> tuple[Effect, ...]:
    return (Misserve(lambda table, _: table, miss=float(rng.uniform(0.2, 0.4))),)


def _features(pipeline: Pipeline) -> list[Place]:
    return [Place(pipeline.model.name, name) for name in pipeline.model.terms]


def _skewed(pipeline: Pipeline, place: Place, rng: np.random.Generator) -> Fault:
    return Fault(
        name="",
        sentence=f"the serving process computes {place.column} in its own way: twice as far from its mean, and shifted",
        kind="SERVING_SKEW",
        component=place.component,
        column=place.column,
        effects=(Misserve(damage.twisted(place.column)),),
    )


FAMILIES = (
    Family("model-swap", model, _at_model("MODEL_CHANGE", "a new model goes live that answers far off", _swap)),
    Family(
        "calibration-slope",
        model,
        _at_model("CALIBRATION", "the model is far too sure of itself: outcomes are closer to the average", _flattened),
    ),
    Family(
        "concept-shift",
        model,
        _at_model("CONCEPT_SHIFT", "what is scored looks as ever, but far more of it comes true", _shifted),
    ),
    Family(
        "feature-misses",
        model,
        _at_model(
            "FEATURE_STORE", "the feature store no longer finds many of the rows: they are scored without", _missed
        ),
    ),
    Family("serving-skew", _features, _skewed),
)
