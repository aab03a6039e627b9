"""Families of faults: drawn for any pipeline that has a place, and true to what they say."""

import numpy as np
import pytest

from diagnosis.alert import CauseKind
from schemas.events import DataBatch
from simulation.catalogue import FAMILIES, FAULTS, HARMLESS, PLACES
from simulation.checkout import CHECKOUT
from simulation.faults import Fault, Release
from simulation.generated import generate
from simulation.life import Life
from simulation.pipeline import Pipeline

TICKS, ONSET = 5, 3


def drawn(name: str, seed: int = 1) -> tuple[Pipeline, Fault]:
    """A fault of a family in the first generated pipeline that has a place for it."""
    family = FAMILIES.get(name) or HARMLESS[name]
    for attempt in range(20):
        pipeline = generate(100 * seed + attempt)
        fault = family.draw(pipeline, np.random.default_rng(seed))
        if fault is not None:
            return pipeline, fault
    raise AssertionError(name)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fault_expects_a_kind_of_the_taxonomy_and_a_place_that_the_model_is_made_from(name: str) -> None:
    pipeline, fault = drawn(name)
    assert CauseKind(fault.kind) is not CauseKind.UNKNOWN
    reached = pipeline.descendants(fault.component)
    assert pipeline.model.name in reached or pipeline.model.reads in reached
    assert len(fault.sentence.split()) > 4


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_fault_did_begins_with_its_onset(name: str) -> None:
    pipeline, fault = drawn(name)
    life = Life(pipeline, fault, seed=1, start=0, ticks=TICKS, onset=ONSET)
    list(life)
    (truth,) = life.truths
    assert truth.affected_predictions
    assert truth.onset_at is not None
    assert truth.onset_at >= ONSET * pipeline.tick


@pytest.mark.parametrize("name", FAMILIES)
def test_the_deploy_beside_a_fault_is_somewhere_else(name: str) -> None:
    _, fault = drawn(name)
    guilty = {effect.component for effect in fault.effects if isinstance(effect, Release)}
    assert len(fault.innocent) == 1
    assert {release.component for release in fault.innocent}.isdisjoint({fault.component, *guilty})


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_changes_nothing_that_the_model_reads(name: str) -> None:
    pipeline, fault = drawn(name)
    life = Life(pipeline, fault, seed=1, start=0, ticks=TICKS, onset=ONSET)
    batches = [a.event for a in life if isinstance(a.event, DataBatch) and a.event.dataset == pipeline.model.reads]
    healthy = Life(pipeline, seed=1, start=0, ticks=TICKS)
    usual = [a.event for a in healthy if isinstance(a.event, DataBatch) and a.event.dataset == pipeline.model.reads]
    assert [batch.rows for batch in batches if batch.replaces is None] == [batch.rows for batch in usual]
    assert fault.harmless


def test_the_truth_about_a_fault_in_some_rows_says_in_which() -> None:
    pipeline, fault = drawn("subgroup")
    life = Life(pipeline, fault, seed=1, start=0, ticks=TICKS, onset=ONSET)
    list(life)
    column, _, name = str(life.truths[0].segment).partition(" = ")
    assert fault.sentence.endswith(f"only where {column} is {name}")
    assert drawn("unit-change")[1].segment is None


def test_a_rerun_on_purpose_says_what_it_replaces() -> None:
    pipeline, fault = drawn("healthy-rerun")
    life = Life(pipeline, fault, seed=1, start=0, ticks=TICKS, onset=ONSET)
    again = [a.event for a in life if isinstance(a.event, DataBatch) and a.event.replaces is not None]
    assert [(batch.dataset, batch.replaces) for batch in again] == [(fault.component, again[0].batch_id)]


def test_the_demos_faults_are_all_families_that_its_pipeline_has_a_place_for() -> None:
    possible = [name for name, family in FAMILIES.items() if family.places(CHECKOUT)]
    assert sorted(FAULTS) == sorted(possible)
    assert all(PLACES[name] in FAMILIES[name].places(CHECKOUT) for name in FAULTS)
