"""A column whose location swings with the time of day: its spread is its own all the same."""

import numpy as np
import pytest

from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import Policy, fold, start, summarise

STEP = 900_000_000  # a quarter of an hour
DAYS = 96  # batches of one day
ROWS = 800
PHASES = np.arange(6)[:, None] * np.pi / 3  # each of six columns starts at another time of its day
LAWS = {
    "shifting": lambda rng, level: rng.normal(size=(6, ROWS)) + level,
    "growing": lambda rng, level: rng.lognormal(0.7 * level, 0.7, (6, ROWS)),
    "counting": lambda rng, level: rng.poisson(4 * np.exp(0.45 * level), (6, ROWS)).astype(float),
}


def findings(draw, batches, swing, seed=0, spread=1.0, since=0):
    """By column and statistic, the batch in which a finding began. swing: up and down, in deviations of a row.

    spread: what the deviation of the rows is multiplied with ``since`` a batch.
    """
    rng = np.random.default_rng(seed)
    state, began = start("shop/orders"), {}
    for n in range(batches):
        level = swing / 2 * np.sin(2 * np.pi * n / DAYS + PHASES)
        rows = draw(rng, level)
        rows = level + spread * (rows - level) if n >= since > 0 else rows
        given = BatchInput(
            subject="shop/orders",
            batch_id=str(n),
            at=n * STEP,
            arrived_at=n * STEP,
            rows=ROWS,
            columns={f"c{i}": NumberColumn(values=one) for i, one in enumerate(rows)},
        )
        state, judgement = fold(state, summarise(state, given), Policy())
        for one in judgement.findings:
            began.setdefault((one.column, one.statistic), int(one.alarm_batch_id))
    return began


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("seed", range(2))
def test_days_that_swing_by_two_deviations_are_no_change_of_shape_where_they_are_none_of_location(law, seed):
    found = findings(LAWS[law], 4 * DAYS, swing=2.0, seed=seed)
    doubted = {column for column, statistic in found if statistic == "location"}

    assert {column for column, statistic in found if statistic in ("scale", "skew", "tail")} <= doubted
    assert len(doubted) <= 2


@pytest.mark.parametrize("spread", [0.8, 1.22])
def test_a_change_of_spread_shows_through_a_season_of_one_deviation_at_any_hour(spread):
    fault = 4 * DAYS
    found = findings(LAWS["shifting"], fault + 4, swing=1.0, spread=spread, since=fault)
    shown = {column for (column, _), batch in found.items() if batch >= fault}

    assert len(shown) == len(PHASES)


@pytest.mark.parametrize("spread", [0.8, 1.22])
def test_a_change_of_spread_shows_through_a_season_of_three_deviations_at_most_hours(spread):
    fault = 4 * DAYS + DAYS // 2
    found = findings(LAWS["shifting"], fault + 4, swing=3.0, spread=spread, since=fault)
    shown = {column for (column, _), batch in found.items() if batch >= fault}

    assert len(shown) >= 4
