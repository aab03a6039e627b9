"""ADWIN as arrays is River's test, of many statistics at once."""

import numpy as np
import pytest
from river.drift import ADWIN as RiverAdwin

from detectors.adwin import BUCKETS, ROWS, SIZES, crossed, empty_adwin, restart, take

STATISTICS = 12
EVERY = np.ones(STATISTICS, np.bool_)
NONE = np.zeros(STATISTICS)


@pytest.mark.parametrize(("seed", "delta"), [(0, 0.002), (1, 0.002), (2, 1e-5)])
def test_it_alarms_when_river_does(seed, delta):
    z = np.random.default_rng(seed).normal(size=(1200, STATISTICS))
    z[500:] += np.linspace(-1.5, 1.5, STATISTICS)
    test, rivers = empty_adwin(STATISTICS), [RiverAdwin(delta=delta, clock=1) for _ in range(STATISTICS)]
    ours, theirs = [], []
    for i, values in enumerate(z):
        test = take(test, values, EVERY, 100.0)
        found = crossed(test, NONE, 1 / delta)
        ours += [(i, int(row)) for row in np.flatnonzero(found)]
        test = restart(test, found)
        for row, river in enumerate(rivers):
            river.update(float(values[row]))
            theirs += [(i, row)] if river.drift_detected else []

    assert len(ours) >= STATISTICS - 4
    assert ours == theirs


def test_a_shift_within_the_tolerance_is_none():
    z = np.r_[np.zeros(200), np.full(400, 0.3)][:, None] + np.random.default_rng(0).normal(size=(600, 2)) / 10
    test, tolerance, found = empty_adwin(2), np.array([0.0, 0.35]), np.zeros(2, np.bool_)
    for values in z:
        test = take(test, values, np.ones(2, np.bool_), 5.0)
        found |= crossed(test, tolerance, 1e4)

    assert found.tolist() == [True, False]


def test_a_statistic_that_is_not_live_stays_as_it_was():
    test = take(empty_adwin(2), np.array([3.0, 3.0]), np.array([True, False]), 5.0)

    assert test.held.sum(axis=1).tolist() == [1, 0]
    assert test.sums.sum(axis=(1, 2)).tolist() == [3.0, 0.0]


def test_the_window_is_bounded_and_lets_the_oldest_go():
    test, width = empty_adwin(1), []
    for i in range(12_000):
        test = take(test, np.array([1.0 + i % 2]), np.ones(1, np.bool_), 5.0)
        width.append(float(test.held[0] @ SIZES))

    assert width[:4000] == list(range(1, 4001))
    assert max(width) <= BUCKETS * SIZES.sum()
    assert min(width[6000:]) >= 4 * SIZES[-1]
    assert test.sums.shape == (1, ROWS, BUCKETS)
    assert test.squares[0] / width[-1] == pytest.approx(0.25, rel=0.05)
    assert test.sums.sum() / width[-1] == pytest.approx(1.5, rel=0.01)
