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


def priced(n, at, prices):
    return BatchInput(
        subject="market/prices",
        batch_id=str(n),
        at=at,
        arrived_at=at,
        rows=ROWS,
        columns={"price": NumberColumn(values=prices)},
    )


def alarms(seed, batches, weekly=0.0, change=lambda prices: prices, apart=0.0):
    """Where a finding begins; ``change`` is done to every batch from the sixth day on. apart: of whole batches."""
    rng = np.random.default_rng(seed)
    state, found = start("market/prices"), {}
    for n in range(batches):
        at = MONDAY + n * STEP
        day, week = 2 * np.pi * (at % DAY) / DAY, 2 * np.pi * (at % (7 * DAY)) / (7 * DAY)
        prices = 40 + 10 * np.sin(day) + weekly * np.sin(week) + rng.normal(0, 3, ROWS) + apart * rng.normal()
        prices = change(prices) if n >= 6 * DAYS else prices
        batch = priced(n, at, prices)
        state, judgement = fold(state, summarise(state, batch), Policy())
        for one in judgement.findings:
            found.setdefault((one.statistic, one.alarm_batch_id), n)
    return sorted(found.values())


@pytest.mark.parametrize("seed", range(3))
def test_three_weeks_of_a_large_daily_season_are_no_alarm_once_a_day_was_seen(seed):
    found = alarms(seed, 21 * DAYS)

    assert len(found) <= 1
    assert all(n < DAYS for n in found)


def test_a_weekly_season_is_no_alarm_once_two_weeks_were_seen():
    assert all(n < 15 * DAYS for n in alarms(0, 35 * DAYS, weekly=4.0))


def test_alarms_that_come_every_day_are_a_season():
    """Batches that differ among themselves hide the season at first, and what alarms is not learnt from."""
    assert all(n < 4 * DAYS for n in alarms(3, 12 * DAYS, apart=1.0))


def test_a_shift_of_half_a_standard_deviation_shows_through_the_season():
    first = alarms(1, 6 * DAYS + 10, change=lambda prices: prices + 1.5)

    assert first
    assert first[0] == 6 * DAYS


def test_another_unit_is_found_in_its_first_batch_whatever_the_hour():
    assert alarms(2, 6 * DAYS + 1, change=lambda prices: prices * 1.8 + 32) == [6 * DAYS]


def test_while_an_alarm_lasts_a_season_of_some_hours_leads_nowhere():
    rng = np.random.default_rng(5)
    state, expected, raised = start("market/prices"), [], 0
    for n in range(160):  # five minutes apart: thirteen hours
        at = MONDAY + n * STEP // 4
        level = np.sin(2 * np.pi * min(n, 60) / 40) + 2.0 * (60 <= n < 90)
        batch = priced(n, at, rng.normal(level, 1, ROWS))
        state, judgement = fold(state, summarise(state, batch), Policy())
        read = {
            key: i for i, key in enumerate(zip(judgement.readings.column, judgement.readings.statistic, strict=True))
        }
        if n >= 30:
            expected.append(judgement.readings.expected[read["price", "location"]])
        raised += len(judgement.findings)
    assert raised
    assert max(np.abs(expected)) < 2


def test_no_season_is_seen_in_batches_that_have_none_though_the_first_was_small():
    believed = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        state = start("market/prices")
        for n in range(DAYS):
            rows = 120 if n == 0 else 2 * ROWS
            columns = {f"price_{i}": NumberColumn(values=rng.normal(40, 3, rows)) for i in range(4)}
            at = MONDAY + n * STEP
            batch = BatchInput(
                subject="market/prices", batch_id=str(n), at=at, arrived_at=at, rows=rows, columns=columns
            )
            state, _ = fold(state, summarise(state, batch), Policy())
            believed += int(state.season.fit.on.sum())

    assert believed == 0
