"""The scorer of the Numenta Anomaly Benchmark: the ends of its scale, and what lies between."""

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks.detection.nab import REST, Series, alarms, normalised, score, windowed_gaussian

COST = {"tpWeight": 1.0, "fnWeight": 1.0, "fpWeight": 0.11}
SERIES = Series(np.zeros(1000), [(300, 399), (700, 799)], np.arange(1000))


def at(*rows):
    alarmed = np.zeros(1000, np.bool_)
    alarmed[list(rows)] = True
    return normalised(score(SERIES, alarmed, COST), 2)


def test_never_alarming_is_nought_and_the_start_of_every_window_a_hundred():
    assert at() == pytest.approx(0)
    assert at(300, 700) == pytest.approx(100)


def test_a_later_detection_is_worth_less_and_only_the_first_counts():
    assert at(300, 700) > at(350, 700) > at(399, 700) > at(700)
    assert at(350, 360, 370, 700) == at(350, 700)


def test_an_alarm_outside_costs_less_just_after_a_window():
    assert at(300, 700) - at(300, 700, 200) == pytest.approx(100 * 0.11 / 4)
    assert at(300, 700) - at(300, 405, 700) < 100 * 0.11 / 4


def test_the_first_rows_are_not_scored():
    assert at(0, 149) == at()


def test_one_alarm_speaks_for_the_rows_after_it():
    nats = np.zeros(1000)
    nats[[100, 101, 100 + REST - 1, 100 + REST]] = 9.0

    assert np.flatnonzero(alarms(nats, 8.0)).tolist() == [100, 100 + REST]


def test_the_windowed_gaussian_is_the_tail_of_the_rows_before():
    values = np.random.default_rng(0).normal(5, 2, 7000)
    likely = windowed_gaussian(values)

    z = abs(values[50] - values[:50].mean()) / values[:50].std()
    assert likely[50] == pytest.approx(norm.cdf(z), abs=1e-9)
    assert likely[6550] == pytest.approx(
        1 - norm.sf(abs(values[6550] - values[100:6500].mean()) / values[100:6500].std()),
        abs=1e-9,
    )
