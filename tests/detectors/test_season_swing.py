"""A column that swings with the time of day by several times what its rows differ."""

import numpy as np
import pytest

from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import Policy, fold, start, summarise

STEP = 1200_000_000  # twenty minutes
DAY = 86_400_000_000
MONDAY = 1_780_272_000_000_000
DAYS = 72  # batches of one day
ROWS = 600


def alarms(seed, batches, weekly=0.0, change=lambda prices: prices):
    """Where a finding begins; ``change`` is done to every batch from the sixth day on."""
    rng = np.random.default_rng(seed)
    state, found = start("market/prices"), {}
    for n in range(batches):
        at = MONDAY + n * STEP
        day, week = 2 * np.pi * (at % DAY) / DAY, 2 * np.pi * (at % (7 * DAY)) / (7 * DAY)
        prices = 40 + 10 * np.sin(day) + weekly * np.sin(week) + rng.normal(0, 3, ROWS)
        prices = change(prices) if n >= 6 * DAYS else prices
        batch = BatchInput(
            subject="market/prices",
            batch_id=str(n),
            at=at,
            arrived_at=at,
            rows=ROWS,
            columns={"price": NumberColumn(values=prices)},
        )
        state, judgement = fold(state, summarise(state, batch), Policy())
        found |= {(one.statistic, one.alarm_batch_id): n for one in judgement.findings}
    return sorted(found.values())


@pytest.mark.parametrize("weekly", [0.0, 4.0])
def test_three_weeks_of_a_large_daily_season_are_no_alarm(weekly):
    assert alarms(0, 21 * DAYS, weekly) == []


def test_a_shift_of_half_a_standard_deviation_shows_through_the_season():
    first = alarms(1, 6 * DAYS + 10, change=lambda prices: prices + 1.5)

    assert first
    assert 6 * DAYS <= first[0] <= 6 * DAYS + 5


def test_another_unit_is_found_in_its_first_batch_whatever_the_hour():
    assert alarms(2, 6 * DAYS + 1, change=lambda prices: prices * 1.8 + 32) == [6 * DAYS]
