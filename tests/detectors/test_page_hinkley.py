"""Page-Hinkley as arrays: River's test, and a second detector of a dataset."""

import numpy as np
import pytest
from river.drift import PageHinkley as RiverPageHinkley

from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import Policy, fold, start, summarise
from detectors.page_hinkley import crossed, empty_page_hinkley, restart, take

EVERY = np.ones(1, np.bool_)


@pytest.mark.parametrize("shift", [0.0, 0.8, -1.5])
def test_it_alarms_when_river_does(shift):
    z = np.random.default_rng(1).normal(size=400)
    z[200:] += shift
    river = RiverPageHinkley(delta=0.5, alpha=1.0, threshold=8.0, min_instances=1)
    ours, theirs, test = [], [], empty_page_hinkley(1)
    for i, value in enumerate(z):
        river.update(value)
        if river.drift_detected:
            theirs.append(i)
            break
    for i, value in enumerate(z):
        test = take(test, np.array([value]), np.zeros(1), EVERY, 10.0)
        if crossed(test, np.array([8.0]))[0]:
            ours.append(i)
            break

    assert ours == theirs


def test_a_statistic_that_is_not_live_stays_as_it_was():
    test = take(empty_page_hinkley(2), np.array([3.0, 3.0]), np.zeros(2), np.array([True, False]), 5.0)

    assert test.count.tolist() == [1.0, 0.0]
    assert restart(test, np.array([True, True])).mean.tolist() == [3.0, 0.0]


def run(second, faulty, seed=0):
    rng = np.random.default_rng(seed)
    policy = Policy(monitored=100, second_detector=second, tolerance=0.0)
    state, alarms = start("shop/orders"), {}
    for n in range(160):
        values = rng.normal(size=1000) + (0.1 if faulty and n >= 120 else 0.0)
        given = BatchInput(
            subject="shop/orders",
            batch_id=f"b{n}",
            at=n * 60_000_000,
            arrived_at=n * 60_000_000,
            rows=1000,
            columns={"amount": NumberColumn(values=values)},
        )
        state, told = fold(state, summarise(state, given), policy)
        alarms |= {f.alarm_batch_id: f for f in told.findings}
    return state, alarms


def test_selected_as_second_detector_it_finds_a_shift_and_nothing_else():
    state, alarms = run("page_hinkley", faulty=True)

    assert [f.statistic for f in alarms.values()] == ["location"]
    assert state.second is not None
    assert run("page_hinkley", faulty=False)[1] == {}


def test_unless_selected_it_is_not_there():
    assert run("none", faulty=False)[0].second is None


def test_it_follows_the_columns_that_come_and_go():
    rng = np.random.default_rng(0)
    policy = Policy(second_detector="page_hinkley")
    state = start("shop/orders")
    for n in range(12):
        names = ("a", "b", "c")[: 1 + n // 4]
        given = BatchInput(
            subject="shop/orders",
            batch_id=f"b{n}",
            at=n * 60_000_000,
            arrived_at=n * 60_000_000,
            rows=600,
            columns={name: NumberColumn(values=rng.normal(size=600)) for name in names},
        )
        state, _ = fold(state, summarise(state, given), policy)

    assert len(state.second.up) == len(state.table) == 2 + 3 * 7
