"""Page-Hinkley as arrays is River's test."""

import numpy as np
import pytest
from river.drift import PageHinkley as RiverPageHinkley

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
