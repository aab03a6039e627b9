"""Series of single numbers: ranks among their own past, at the rate that was asked for, whatever the law."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from detectors.habits import BINS, LOWEST, no_habits, tail_nats, take
from detectors.scalar import ScalarDetector

MINUTES = 60_000_000
LAWS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
    "t of 2.5 degrees": lambda rng, shape: rng.standard_t(2.5, size=shape),
    "Poisson": lambda rng, shape: rng.poisson(2, size=shape).astype(float),
    "mostly zero": lambda rng, shape: rng.lognormal(size=shape) * (rng.random(shape) < 0.1),
    "autocorrelated": lambda rng, shape: lfilter([1], [1, -0.9], rng.normal(size=shape)),
    "constant": lambda _, shape: np.full(shape, 0.1),
}


def fold(values, step=5 * MINUTES):
    """Nats of every row of series side by side, ``(m, rows)``, and their habits in the end."""
    habits, nats = no_habits(len(values)), np.zeros(values.shape)
    for n in range(values.shape[1]):
        habits, nats[:, n] = take(habits, values[:, n], n * step)
    return nats, habits


@pytest.mark.parametrize("law", LAWS)
def test_no_law_surprises_more_often_than_was_asked_for(law):
    m, rows, warm, run_length = 40, 3000, 100, 288.0
    nats, _ = fold(LAWS[law](np.random.default_rng(0), (m, rows)))
    alarms = 0
    for series in nats[:, warm:]:
        free = 0
        for row in np.flatnonzero(series > np.log(run_length)):
            if row >= free:
                alarms, free = alarms + 1, row + 20

    assert alarms / (m * (rows - warm) / run_length) < 1.2


def test_within_its_past_a_row_ranks_by_the_share_at_least_as_far():
    past = np.random.default_rng(1).lognormal(0, 2, 2000)
    counts = np.zeros((1, 3, BINS), np.float32)
    np.add.at(counts[0, 0], ((np.log2(past) - LOWEST) * 2).astype(int), 1)
    habits = replace(no_habits(1), counts=counts, ranked=np.array([2000.0]))
    beyond = np.cumsum(counts[:, :, ::-1], axis=2)[:, :, ::-1]
    for far in (1.0, 4.0, 16.0, 64.0):
        place = np.array([[(np.log2(far) - LOWEST) * 2, 0, 0]])
        share = ((past >= far).sum() + 1) / 2001
        assert tail_nats(habits, beyond, place)[0, 0] == pytest.approx(-np.log(share), abs=1e-6)


def test_farther_than_everything_seen_is_rarer_the_farther_it_is():
    past = np.random.default_rng(2).standard_t(3, size=2000)
    _, habits = fold(past[None])
    found = [take(habits, np.array([far]), 0)[1][0] for far in (30.0, 100.0, 1000.0, 1e6, 1e12)]

    assert found == sorted(found)
    assert found[-1] > found[0] + 10


def test_scale_and_origin_do_not_matter():
    values = np.random.default_rng(3).integers(-1000, 1000, (1, 500)).astype(float)
    plain, _ = fold(values)

    assert fold(values * 2.0**20)[0] == pytest.approx(plain, abs=1e-6)
    assert fold(values + 2.0**30)[0] == pytest.approx(plain, abs=1e-6)


def test_series_side_by_side_are_the_same_as_alone():
    values = np.random.default_rng(4).lognormal(size=(3, 400))
    together, _ = fold(values)

    assert np.vstack([fold(one[None])[0] for one in values]) == pytest.approx(together, abs=1e-9)


def test_a_season_is_believed_after_three_days_and_a_row_at_the_wrong_hour_then_surprises():
    rng = np.random.default_rng(5)
    rows = np.arange(6 * 288)
    values = np.where(rows % 288 < 144, 100.0, 20.0) + rng.normal(0, 1, len(rows))
    values[5 * 288 + 30 : 5 * 288 + 40] -= 80  # as low as every night, at day
    nats, habits = fold(values[None])

    assert habits.seasonal[0]
    assert nats[0, 4 * 288 : 5 * 288 + 30].max() < np.log(2000)
    assert nats[0, 5 * 288 + 30 : 5 * 288 + 40].max() > np.log(2000)


def test_without_a_season_none_is_believed():
    _, habits = fold(np.random.default_rng(6).normal(size=(20, 5 * 288)))

    assert not habits.seasonal.any()


def test_the_state_of_a_series_stays_under_four_kilobytes():
    _, habits = fold(np.random.default_rng(7).normal(size=(1, 5000)))
    assert sum(getattr(habits, held.name).nbytes for held in fields(habits)) < 4096


def test_an_alarm_speaks_for_the_rows_after_it():
    detector = ScalarDetector(run_length=1000, rest=50)
    rng = np.random.default_rng(8)
    alarms = []
    for i, x in enumerate(np.concatenate([rng.normal(0, 1, 1000), rng.normal(40, 1, 40)])):
        detector.update(x)
        if detector.drift_detected and i >= 1000:
            alarms.append(i)

    assert len(alarms) == 1
    assert alarms[0] < 1005


@settings(deadline=None)
@given(st.lists(st.sampled_from([np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -0.0]), min_size=1, max_size=20))
def test_nonsense_in_between_blinds_nothing(nonsense):
    rng = np.random.default_rng(9)
    detector = ScalarDetector(run_length=1000, rest=0)
    for i, x in enumerate(rng.normal(5, 1, 600)):
        detector.update(x)
        if i % 30 == 0:
            detector.update(nonsense[i // 30 % len(nonsense)])
    found = []
    for x in rng.normal(50, 1, 10):
        detector.update(x)
        found.append(detector.evidence)

    assert max(found) > 2.0  # one row in thirty of its past was as strange
