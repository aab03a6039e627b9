"""Pipelines from a seed: of every size and shape, whole, and calibrated at the end."""

from functools import cache

import numpy as np
import pytest

from schemas.events import DataBatch, Outcome, Prediction
from simulation.generated import LEAST, MOST, generate
from simulation.life import Life
from simulation.pipeline import Pipeline
from simulation.stages import Aggregate, Events, Join

SEEDS = range(40)


@cache
def drawn() -> tuple[Pipeline, ...]:
    return tuple(map(generate, SEEDS))


def test_a_seed_gives_the_same_pipeline_every_time() -> None:
    again = generate(3)
    assert [step.dataset for step in again.steps] == [step.dataset for step in drawn()[3].steps]
    assert again.model == drawn()[3].model


def test_sizes_and_shapes_are_all_there() -> None:
    sizes = [len(pipeline.steps) for pipeline in drawn()]
    assert LEAST <= min(sizes) <= LEAST + 2
    assert max(sizes) >= MOST - 6
    assert max(sizes) <= MOST
    assert max(pipeline.depth for pipeline in drawn()) >= 8
    kinds = [{type(stage) for stage in pipeline.stages} for pipeline in drawn()]
    assert np.mean([Join in each for each in kinds]) > 0.7
    assert any(Aggregate in each for each in kinds)


def test_some_have_a_season_a_shared_system_and_what_no_model_is_made_from() -> None:
    seasonal = [bool(pipeline.daily_swing) for pipeline in drawn()]
    swinging = [any(isinstance(one, Events) and one.swings for one in pipeline.sources) for pipeline in drawn()]
    shared = [len({one.system for one in pipeline.sources}) < len(pipeline.sources) for pipeline in drawn()]
    aside = [len(pipeline.served) < len(pipeline.steps) for pipeline in drawn()]
    assert swinging == seasonal
    for each in (seasonal, shared, aside):
        assert 0.2 < np.mean(each) < 1


def test_names_are_unique_and_parents_come_first() -> None:
    for pipeline in drawn():
        seen: set[str] = set()
        for step in pipeline.steps:
            assert step.dataset not in seen
            assert isinstance(step, Events) or set(getattr(step, "parents", ())) <= seen
            seen.add(step.dataset)


@pytest.mark.parametrize("seed", SEEDS[::8])
def test_its_life_sends_whole_batches_and_calibrated_scores(seed: int) -> None:
    scores: dict[str, float] = {}
    gaps, spread = 0.0, 0.0
    for arrival in Life(generate(seed), seed=seed, start=0, ticks=8):
        if isinstance(arrival.event, DataBatch):
            assert all(
                len(getattr(c.values, "values", getattr(c.values, "codes", ()))) == arrival.event.rows
                for c in arrival.event.columns
            )
        if isinstance(arrival.event, Prediction):
            scores |= zip(arrival.event.prediction_ids, arrival.event.scores.tolist(), strict=True)
        if isinstance(arrival.event, Outcome):
            told = np.array([scores[i] for i in arrival.event.prediction_ids])
            gaps += float(np.sum(arrival.event.outcomes - told))
            spread += float(np.sum(told * (1 - told)))
    assert abs(gaps) < 4 * np.sqrt(spread)
