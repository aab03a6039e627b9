"""Days held against the day before: only what comes back at the same hours is a season."""

import numpy as np
import pytest

from detectors.baseline import Judged, empty_baseline
from detectors.recurring import TERMS, empty_recurring, learn_day, recurs

HOURLY = 24
SURE = 0.6  # of the error, below which another is better


def found(levels, seed=0, noise=1.0):
    """The first day at whose end yesterday told what came, hour by hour, of a statistic that is judged by zero."""
    rng = np.random.default_rng(seed)
    known, one, no = empty_recurring(1), np.ones(1), np.zeros(1)
    baseline, matrix = empty_baseline(1), np.diag([1e-6] + [1e-4] * (TERMS - 1))
    for n, level in enumerate(levels):
        value = np.array([level + noise * rng.normal()])
        hour = 2 * np.pi * n / HOURLY
        now = np.array([1.0, *(wave(hour * k) for wave in (np.cos, np.sin) for k in (1, 2, 3))])
        judged = Judged(level=no, predicted=no, deviation=one, surprise=value, z=value)
        dawned = n > 0 and n % HOURLY == 0
        reach = np.linalg.solve(matrix, now)
        usual, gain, share = matrix[0] / matrix[0, 0], reach / (1 + now @ reach), one / (n + 1)
        known = learn_day(known, baseline, value, judged, one, one > 0, now, usual, gain, share, dawned)
        baseline.count += 1
        matrix = matrix + now[:, None] * now
        if (n + 1) % HOURLY == 0 and recurs(known, SURE).any():
            return n // HOURLY
    return None


def days(many):
    return np.arange(many * HOURLY) / HOURLY


@pytest.mark.parametrize("seed", range(5))
def test_what_alarms_at_the_same_hours_of_two_days_is_a_season(seed):
    assert found(3 * np.sin(2 * np.pi * days(4)), seed) == 1


@pytest.mark.parametrize("began", [0.3, 0.8, 1.3, 1.8, 2.5])
@pytest.mark.parametrize("seed", range(3))
def test_what_lasts_or_happens_once_is_none(began, seed):
    assert found(4.0 * (days(8) >= began), seed) is None
    assert found(4.0 * ((days(8) >= began) & (days(8) < began + 0.4)), seed) is None


def test_what_drifts_is_none():
    assert found(8 * days(8)) is None
    assert found(np.cumsum(np.random.default_rng(3).normal(0, 1, 8 * HOURLY))) is None


def test_noise_is_none():
    assert [found(np.zeros(8 * HOURLY), seed) for seed in range(20)] == [None] * 20
