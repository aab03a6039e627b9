import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import joining
from detectors.joining import Join, put_outcomes, put_predictions, read_step
from detectors.maturity import Delays, moved, observe, usual_delay, watermark
from detectors.model_policy import DAY_US, Policy
from detectors.outcomes import OutcomesInput, summarise
from detectors.pending import BYTES_PER_ROW, Pending, attach, insert, release
from detectors.runs import NEVER, Run, sampled

SECOND = 1_000_000
USUAL = Policy()


def predictions(keys, *, at=None, score=0.5, entity=None, predicted=None):
    n = len(keys)
    return Run(
        key=np.asarray(keys, np.uint64),
        at=np.arange(n) * SECOND if at is None else np.asarray(at, np.int64),
        score=np.full(n, score),
        segment=np.full(n, -1, np.int16),
        entity=np.empty(0, np.uint64) if entity is None else np.asarray(entity, np.uint64),
        predicted=np.empty(0, np.uint64) if predicted is None else np.asarray(predicted, np.uint64),
        outcome=np.full(n, np.nan),
        released=np.zeros(n, bool),
    )


def outcomes(keys, values=1.0, *, at=0, entity=(), as_of=None, actual=(), arrived_at=10**15):
    n = max(len(keys), len(entity))
    return summarise(
        OutcomesInput(
            subject="p/m",
            id_hash=np.asarray(keys, np.uint64) if len(keys) else np.zeros(n, np.uint64),
            entity_hash=np.asarray(entity, np.uint64),
            as_of=as_of,
            outcome=np.full(n, values, float) if np.ndim(values) == 0 else np.asarray(values, float),
            actual=np.asarray(actual, np.uint64),
            at=np.full(n, at, np.int64),
            arrived_at=arrived_at,
        ),
        0,
    )


def read_all(join, policy=USUAL):
    matured = []
    while len(join.unread):
        join, run, _ = read_step(join, 500, policy)
        matured.append(run)
    return join, [run for run in matured if run is not None]


def test_an_outcome_is_joined_and_released_in_prediction_order_once_its_time_is_mature():
    join = put_predictions(Join(), predictions([5, 3, 9], at=[30 * SECOND, 10 * SECOND, 20 * SECOND]), Policy())
    join = put_outcomes(join, outcomes([9, 5, 3], [1, 0, 1], at=40 * SECOND))
    join, matured = read_all(join)
    assert matured == []  # the usual delay is some 30 s, so nothing scored after 10 s is mature yet
    join = put_predictions(join, predictions([77], at=[200 * SECOND]), Policy())
    join, matured = read_all(put_outcomes(join, outcomes([77], at=210 * SECOND)))
    assert matured[0].key.tolist() == [3, 9, 5]
    assert matured[0].outcome.tolist() == [1, 1, 0]


def test_predictions_without_an_outcome_block_nothing():
    join = put_predictions(Join(), predictions(range(1, 101)), Policy())
    join = put_outcomes(join, outcomes(range(2, 101, 2), at=100 * SECOND))
    join = put_outcomes(join, outcomes([1000], at=1_000 * SECOND))
    _, matured = read_all(join)
    assert sum(len(run) for run in matured) == 50


def test_an_outcome_that_is_read_before_its_prediction_waits_for_it():
    join, _ = read_all(put_outcomes(Join(), outcomes([4, 6], [1, 0], at=9 * SECOND)))
    assert len(join.room) == 2
    join = put_predictions(join, predictions([6, 4], at=[0, SECOND]), Policy())
    assert len(join.room) == 0
    outcome = {int(key): value for run in join.pending.runs for key, value in zip(run.key, run.outcome, strict=True)}
    assert outcome == {4: 1.0, 6: 0.0}


def test_orphans_duplicates_corrections_and_expired_predictions_are_counted():
    policy = Policy(orphan_days=1, pending_days=2)
    join = put_predictions(Join(), predictions([1, 2, 3]), policy)
    join = put_outcomes(join, outcomes([1, 1, 2, 2, 50], [1, 1, 0, 1, 1], at=9 * SECOND))
    join, _ = read_all(join, policy)
    join = put_outcomes(join, outcomes([1, 2], [0, 1], at=10 * SECOND))
    join, _ = read_all(join, policy)
    assert (join.duplicates, join.corrections) == (3, 1)
    join = put_predictions(join, predictions([9], at=[5 * DAY_US]), policy)
    join, _ = read_all(put_outcomes(join, outcomes([9], at=5 * DAY_US)), policy)
    assert (join.orphaned, join.expired) == (1, 1)


def test_outcomes_that_come_after_others_of_their_time_were_judged_are_late_and_counted():
    keys = np.arange(1, 101)
    join = put_predictions(Join(), predictions(keys, at=keys * SECOND), Policy())
    for even in keys[1::2]:
        join = put_outcomes(join, outcomes([even], at=(even + 1) * SECOND))
    join, matured = read_all(join)
    judged = {int(key) for run in matured for key in run.key}
    assert len(judged) > 45
    join, _ = read_all(put_outcomes(join, outcomes([1, 3], at=500 * SECOND)))
    assert join.late == 2  # they show that the usual delay had been underrated: the rest of that time is given up
    join, matured = read_all(put_outcomes(join, outcomes(keys[4::2], at=501 * SECOND)))
    assert matured == []
    assert join.late == 50


def test_a_correction_before_release_counts_and_one_after_it_does_not_change_what_was_judged():
    store = insert(Pending(), predictions([1, 2]), 100)
    none = np.zeros(1, np.uint64)
    one, late = np.array([0], np.int64), np.array([NEVER], np.int64)
    for value in (1.0, 0.0):
        store, _ = attach(store, np.array([1], np.uint64), np.array([value]), none, one, late)
    store, out = release(store, 10 * SECOND)
    assert out is not None
    assert out.outcome.tolist() == [0.0]
    store, attached = attach(store, np.array([1], np.uint64), np.array([1.0]), none, one, late)
    assert attached.corrections == 1
    assert release(store, 20 * SECOND)[1] is None


def test_entities_are_joined_to_their_latest_prediction_as_of_the_time_asked_for():
    rows = predictions([1, 2, 3], at=[0, 10 * SECOND, 20 * SECOND], entity=[7, 7, 7])
    join = put_predictions(Join(), rows, Policy())
    join, _ = read_all(put_outcomes(join, outcomes([], 1.0, entity=[7], as_of=15 * SECOND, at=30 * SECOND)))
    run = join.pending.runs[0]
    assert run.outcome[run.at == 10 * SECOND].tolist() == [1.0]
    assert int(np.isnan(run.outcome).sum()) == 2


def test_the_class_that_came_true_is_compared_with_the_predicted_one():
    join = put_predictions(Join(), predictions([1, 2], predicted=[11, 12]), Policy())
    join, _ = read_all(put_outcomes(join, outcomes([1, 2], np.nan, actual=[11, 99], at=9 * SECOND)))
    run = join.pending.runs[0]
    assert run.outcome.tolist() == [1.0, 0.0]


def test_a_full_store_keeps_a_sample_by_key_within_its_bytes_and_outcomes_take_the_same_test():
    rng = np.random.default_rng(0)
    policy = Policy(pending_bytes=2_000 * BYTES_PER_ROW)
    keys = rng.integers(1, 2**63, 40_000, dtype=np.uint64)
    join = Join()
    for i in range(0, 40_000, 500):
        join = put_predictions(join, predictions(keys[i : i + 500], at=np.arange(i, i + 500) * SECOND), policy)
        assert len(join.pending) <= 2_000
    assert join.pending.halvings >= 4
    kept = set(np.concatenate([run.key for run in join.pending.runs]).tolist())
    assert kept == set(keys[sampled(keys, join.pending.halvings)].tolist())
    assert joining.gauges(join)["outcomes_pending"] == pytest.approx(40_000, rel=0.1)
    join, _ = read_all(put_outcomes(join, outcomes(keys, at=40_000 * SECOND)), policy)
    assert len(join.room) == 0  # what is not in the sample is no orphan


def test_what_is_counted_of_a_sample_is_scaled_up_to_all():
    rng = np.random.default_rng(1)
    policy = Policy(pending_bytes=2_000 * BYTES_PER_ROW, pending_days=10, orphan_days=1)
    keys = rng.integers(1, 2**63, 40_000, dtype=np.uint64)
    join = Join()
    for i in range(0, 40_000, 500):
        join = put_predictions(join, predictions(keys[i : i + 500], at=np.arange(i, i + 500) * SECOND), policy)
    strangers = rng.integers(1, 2**63, 20_000, dtype=np.uint64)
    join, _ = read_all(put_outcomes(join, outcomes(strangers, at=40_000 * SECOND)), policy)
    kept = keys[sampled(keys, join.pending.halvings)][:1]
    join, _ = read_all(put_outcomes(join, outcomes(kept, at=30 * DAY_US)), policy)
    assert join.expired == pytest.approx(40_000, rel=0.1)
    assert join.orphaned == pytest.approx(20_000, rel=0.1)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_however_predictions_and_outcomes_interleave_each_pair_is_released_once(data):
    policy = Policy(outcome_delay_s=200.0)
    keys = list(range(1, 61))
    order = data.draw(st.permutations(keys))
    sizes = data.draw(st.lists(st.integers(1, 20), min_size=1, max_size=8))
    join, done, released = Join(), 0, []
    for size in [*sizes, 60]:
        rows = keys[done : done + size]
        done += len(rows)
        if rows:
            join = put_predictions(join, predictions(rows, at=np.array(rows) * SECOND), policy)
        some, order = order[:size], order[size:]
        if some:
            join, matured = read_all(put_outcomes(join, outcomes(some, at=100 * SECOND)), policy)
            released += [key for run in matured for key in run.key.tolist()]
    join = put_predictions(join, predictions([999], at=[9_000 * SECOND]), policy)
    _, matured = read_all(put_outcomes(join, outcomes([*order, 999], at=9_000 * SECOND)), policy)
    released += [key for run in matured for key in run.key.tolist() if key != 999]
    assert sorted(released) == keys


def test_the_watermark_trails_the_newest_outcome_by_the_delay_that_is_usual():
    rng = np.random.default_rng(1)
    delays = (rng.exponential(100, 5_000) * SECOND).astype(np.int64)
    known = moved(observe(Delays(), delays), 10_000 * SECOND)
    delay = usual_delay(known)
    exact = np.quantile(delays, 0.998)
    assert delay is not None
    assert exact <= delay <= 2 * exact
    assert watermark(known) == 10_000 * SECOND - delay
    assert usual_delay(known, 30 * DAY_US) == 30 * DAY_US
    assert watermark(Delays()) is None


def test_an_outcome_from_the_future_moves_no_watermark():
    join = put_predictions(Join(), predictions([1, 2]), Policy())
    summary = outcomes([1, 2], at=10**18, arrived_at=100 * SECOND)
    join, matured = read_all(put_outcomes(join, summary))
    assert join.delays.now is None
    assert usual_delay(join.delays) is None
    assert matured == []


def test_outcomes_without_key_or_value_are_refused_and_counted():
    summary = outcomes([0, 5, 6], [1.0, np.nan, 1.0])
    assert summary.key.tolist() == [6]
    assert summary.refused == 2
    with pytest.raises(ValueError, match="p/m: 2 outcome where 3 belong"):
        summarise(
            OutcomesInput(
                subject="p/m",
                id_hash=np.arange(3, dtype=np.uint64),
                outcome=np.zeros(2),
                at=np.zeros(3, np.int64),
                arrived_at=0,
            ),
            0,
        )
