"""A simulated life: what arrives, in which order, and that a fault does what its truth says and nothing else."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from schemas.events import Change, ChangeKind, DataBatch, Event, Numbers, Outcome, Prediction
from simulation.catalogue import FAULTS
from simulation.checkout import CHECKOUT
from simulation.faults import Fault
from simulation.life import Arrival, Life

TICKS, ONSET = 12, 6


@cache
def lived(fault: Fault | None, seed: int = 1, start: int = 0) -> tuple[list[Arrival], Life]:
    faults = () if fault is None else (fault,)
    life = Life(CHECKOUT, *faults, seed=seed, start=start, ticks=TICKS, onset=ONSET)
    return list(life), life


def fingerprint(event: Event) -> tuple[object, ...]:
    if isinstance(event, DataBatch):
        numbers = [np.nansum(c.values.values) for c in event.columns if isinstance(c.values, Numbers)]
        return event.batch_id, event.produced_at, event.rows, *numbers
    if isinstance(event, Prediction):
        return event.scored_at, *event.prediction_ids, float(event.scores.sum())
    if isinstance(event, Outcome):
        return event.observed_at, *event.prediction_ids, float(event.outcomes.sum())
    return event.at, event.component


def mean(events: list[Arrival], dataset: str, column: str) -> float:
    values = [
        c.values.values
        for a in events
        if isinstance(a.event, DataBatch) and a.event.dataset == dataset
        for c in a.event.columns
        if c.name == column and isinstance(c.values, Numbers)
    ]
    return float(np.nanmean(np.concatenate(values)))


def test_the_same_seed_gives_the_same_life() -> None:
    first, _ = lived(FAULTS["null-burst"])
    second, _ = lived(FAULTS["null-burst"])
    other, _ = lived(FAULTS["null-burst"], seed=2)
    assert [fingerprint(a.event) for a in first] == [fingerprint(a.event) for a in second]
    assert [fingerprint(a.event) for a in first] != [fingerprint(a.event) for a in other]


def test_events_arrive_in_order_and_within_the_promised_time() -> None:
    start = 1_700_000_000_000_000
    arrivals, _ = lived(None, start=start)
    times = [a.at for a in arrivals]
    assert times == sorted(times)
    assert start < times[0]
    assert times[-1] < start + (TICKS + 1) * CHECKOUT.tick


@pytest.mark.parametrize("name", FAULTS)
def test_before_its_onset_a_fault_changes_no_content(name: str) -> None:
    healthy, _ = lived(None)
    broken, _ = lived(FAULTS[name])

    def before(arrivals: list[Arrival]) -> list[tuple[object, ...]]:
        return [fingerprint(a.event) for a in arrivals if a.tick < ONSET and not isinstance(a.event, Change)]

    assert before(broken) == before(healthy)


@pytest.mark.parametrize("name", FAULTS)
def test_the_truth_names_a_component_of_the_pipeline_and_what_it_reached(name: str) -> None:
    arrivals, life = lived(FAULTS[name])
    (truth,) = life.truths
    datasets = {step.dataset for step in CHECKOUT.steps}
    assert truth.component in datasets | {CHECKOUT.model.name}
    scored = [
        i for a in arrivals if isinstance(a.event, Prediction) and a.tick >= ONSET for i in a.event.prediction_ids
    ]
    assert list(truth.affected_predictions) == scored
    assert truth.onset_at is not None
    assert truth.onset_at >= ONSET * CHECKOUT.tick


@pytest.mark.parametrize("name", FAULTS)
def test_upstream_of_a_fault_all_stays_healthy(name: str) -> None:
    fault = FAULTS[name]
    healthy, _ = lived(None)
    broken, _ = lived(fault)
    reached = CHECKOUT.descendants(fault.component)

    def outside(arrivals: list[Arrival]) -> list[tuple[object, ...]]:
        batches = (a.event for a in arrivals if isinstance(a.event, DataBatch))
        return [fingerprint(batch) for batch in batches if batch.dataset not in reached]

    assert outside(broken) == outside(healthy)


def test_every_parent_was_sent_before_its_child() -> None:
    sent: set[str] = set()
    for arrival in lived(None)[0]:
        if isinstance(arrival.event, DataBatch):
            assert {parent.batch_id for parent in arrival.event.parents} <= sent
            sent.add(str(arrival.event.batch_id))
        if isinstance(arrival.event, Prediction):
            assert {batch.batch_id for batch in arrival.event.batches} <= sent


def test_columns_are_as_long_as_rows_says_and_hidden_ones_stay_hidden() -> None:
    for arrival in lived(FAULTS["renamed-column"])[0]:
        if isinstance(arrival.event, DataBatch):
            for column in arrival.event.columns:
                assert not column.name.startswith("_")
                values = column.values.values if isinstance(column.values, Numbers) else column.values.codes
                assert len(values) == arrival.event.rows


def test_scores_are_calibrated_while_nothing_is_wrong() -> None:
    life = Life(CHECKOUT, seed=3, start=0, ticks=60)
    scores: dict[str, float] = {}
    gaps, expected = [], []
    for arrival in life:
        if isinstance(arrival.event, Prediction):
            scores |= zip(arrival.event.prediction_ids, arrival.event.scores.tolist(), strict=True)
        if isinstance(arrival.event, Outcome):
            told = [scores[i] for i in arrival.event.prediction_ids]  # a prediction is told before its outcome
            gaps += (arrival.event.outcomes - told).tolist()
            expected += told
    p = np.array(expected)
    assert abs(np.sum(gaps)) < 4 * np.sqrt(np.sum(p * (1 - p)))
    top = p > np.quantile(p, 0.8)
    assert abs(np.sum(np.array(gaps)[top])) < 4 * np.sqrt(np.sum((p * (1 - p))[top]))


def test_a_unit_change_multiplies_the_amounts() -> None:
    arrivals, _ = lived(FAULTS["unit-change"])
    before, after = ([a for a in arrivals if (a.tick >= ONSET) == late] for late in (False, True))
    assert mean(after, "raw_orders", "amount") == pytest.approx(100 * mean(before, "raw_orders", "amount"), rel=0.1)
    assert mean(after, "raw_customers", "age") == pytest.approx(mean(before, "raw_customers", "age"), rel=0.05)


def test_a_frozen_dataset_is_served_at_a_growing_age() -> None:
    arrivals, _ = lived(FAULTS["stale-features"])
    late = [a.event for a in arrivals if isinstance(a.event, Prediction) and a.tick >= ONSET]
    ages = [np.mean([event.scored_at - (read.event_time or 0) for read in event.feature_reads]) for event in late]
    assert all(later > earlier for earlier, later in zip(ages, ages[3:], strict=False))
    assert ages[-1] > (TICKS - ONSET) * CHECKOUT.tick
    assert {batch.batch_id for event in late for batch in event.batches} == {f"fraud_features-{ONSET - 1:05d}"}


def test_a_stage_that_runs_twice_writes_two_batches_under_one_id() -> None:
    arrivals, _ = lived(FAULTS["duplicated-batch"])
    raw = [a.event for a in arrivals if isinstance(a.event, DataBatch) and a.event.dataset == "raw_orders"]
    late = [batch for batch in raw if batch.batch_id == f"raw_orders-{ONSET:05d}"]
    assert len(raw) == TICKS + (TICKS - ONSET)
    assert [batch.run.attempt for batch in late if batch.run] == [1, 2]
    assert late[0].produced_at < late[1].produced_at


def test_a_renamed_column_keeps_its_values() -> None:
    arrivals, _ = lived(FAULTS["renamed-column"])
    before, after = ([a for a in arrivals if (a.tick >= ONSET) == late] for late in (False, True))
    assert mean(after, "raw_orders", "items_value") == pytest.approx(mean(before, "raw_orders", "items"), rel=0.1)
    assert "items" not in {
        c.name
        for a in after
        if isinstance(a.event, DataBatch) and a.event.dataset == "raw_orders"
        for c in a.event.columns
    }


def test_an_innocent_deploy_is_announced_and_shows_in_the_headers() -> None:
    arrivals, _ = lived(FAULTS["code-deploy"])
    changes = [a.event for a in arrivals if isinstance(a.event, Change)]
    assert [(c.component, c.kind, c.before, c.after) for c in changes] == [
        ("customers", ChangeKind.CODE, "2.8.0", "2.8.1"),
        ("fraud_features", ChangeKind.CODE, "3.4.0", "3.4.1"),
    ]
    versions = [
        a.event.run.code_version
        for a in arrivals
        if isinstance(a.event, DataBatch) and a.event.dataset == "customers" and a.event.run
    ]
    assert versions == ["2.8.0"] * (ONSET - 1) + ["2.8.1"] * (TICKS - ONSET + 1)


def test_what_creeps_grows_with_every_batch() -> None:
    arrivals, _ = lived(FAULTS["creeping"])
    means = [mean([a for a in arrivals if a.tick == tick], "raw_orders", "amount") for tick in range(ONSET, TICKS)]
    assert means[-1] > 1.3 * means[0]


def test_batches_that_come_late_overtake_each_other_and_the_model_reads_what_is_there() -> None:
    arrivals, _ = lived(FAULTS["late-batch"])
    sent = [a.event.batch_id for a in arrivals if isinstance(a.event, DataBatch) and a.event.dataset == "raw_customers"]
    assert sent[:ONSET] == sorted(sent[:ONSET])
    assert sent != sorted(sent)
    done = {str(a.event.batch_id): a.at for a in arrivals if isinstance(a.event, DataBatch)}
    for arrival in arrivals:
        if isinstance(arrival.event, Prediction):
            assert all(done[str(batch.batch_id)] <= arrival.at for batch in arrival.event.batches)


def test_a_source_that_is_missing_stops_what_it_drives_and_leaves_the_other_side_of_a_join_with_old_rows() -> None:
    arrivals, life = lived(FAULTS["missing-source"])
    late = [a.event for a in arrivals if isinstance(a.event, DataBatch) and a.tick >= ONSET]
    assert {batch.dataset for batch in late} == {"raw_orders", "orders", "enriched_orders", "fraud_features"}
    joined = [batch for batch in late if batch.dataset == "enriched_orders"]
    assert {parent.batch_id for batch in joined for parent in batch.parents} >= {f"customers-{ONSET - 1:05d}"}
    (truth,) = life.truths
    assert set(truth.affected_batches) == {
        b.batch_id for b in late if b.dataset in ("enriched_orders", "fraud_features")
    }


def test_reads_that_find_nothing_leave_the_features_missing() -> None:
    arrivals, _ = lived(FAULTS["feature-misses"])
    for event in (a.event for a in arrivals if isinstance(a.event, Prediction) and a.tick >= ONSET):
        hit = np.array([read.hit for read in event.feature_reads])
        (amount,) = (
            c.values.values for c in event.features if c.name == "amount_log" and isinstance(c.values, Numbers)
        )
        assert np.isnan(amount[~hit]).all()
        assert 0.5 < hit.mean() < 0.9


def test_two_faults_have_truths_of_their_own() -> None:
    later = replace(FAULTS["model-swap"], after=3)
    life = Life(CHECKOUT, FAULTS["null-burst"], later, seed=1, start=0, ticks=TICKS, onset=ONSET)
    arrivals = list(life)
    first, second = life.truths
    assert (first.onset_tick, second.onset_tick) == (ONSET, ONSET + 3)
    assert {i.split("-")[0] for i in first.affected_batches} == CHECKOUT.descendants("raw_customers")
    assert second.affected_batches == ()
    scored = [
        i for a in arrivals if isinstance(a.event, Prediction) and a.tick >= ONSET + 3 for i in a.event.prediction_ids
    ]
    assert list(second.affected_predictions) == scored


def test_a_repaired_fault_leaves_no_trace() -> None:
    brief = Fault(
        name="brief", sentence="", kind="SOURCE_DATA", component="raw_orders",
        effects=FAULTS["unit-change"].effects, lasts=2,
    )  # fmt: skip
    healthy, _ = lived(None)
    broken, life = lived(brief)
    assert [fingerprint(a.event) for a in broken if a.tick >= ONSET + 2 and isinstance(a.event, DataBatch)] == [
        fingerprint(a.event) for a in healthy if a.tick >= ONSET + 2 and isinstance(a.event, DataBatch)
    ]
    (truth,) = life.truths
    assert len(truth.affected_batches) == 2 * len(CHECKOUT.descendants("raw_orders"))


def test_outcomes_that_follow_the_scores_less_are_as_frequent_as_ever() -> None:
    life = Life(CHECKOUT, FAULTS["calibration-slope"], seed=2, start=0, ticks=40, onset=0)
    scores: dict[str, float] = {}
    told, happened = [], []
    for arrival in life:
        if isinstance(arrival.event, Prediction):
            scores |= zip(arrival.event.prediction_ids, arrival.event.scores.tolist(), strict=True)
        if isinstance(arrival.event, Outcome):
            told += [scores[i] for i in arrival.event.prediction_ids]
            happened += arrival.event.outcomes.tolist()
    p, y = np.array(told), np.array(happened)
    top = p > np.quantile(p, 0.8)
    assert y.mean() == pytest.approx(p.mean(), abs=0.015)
    assert y[top].mean() < 0.8 * p[top].mean()
