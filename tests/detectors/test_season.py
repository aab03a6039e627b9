"""Seasons: what the regression without its weekly terms would be, and when these are believed."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.baseline import Judged, empty_baseline
from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import Policy, fold, start, summarise
from detectors.days import DAY, TERMS, WEEKLY, days_at, terms
from detectors.season import empty_season, learn_season, level_at, leverage_at, outlook_at

STEP = 600_000_000  # ten minutes
DAYS = 144  # batches of one day


def test_weights_of_all_terms_give_the_season_that_the_days_alone_would():
    rng = np.random.default_rng(0)
    seen = np.stack([terms(n * STEP) for n in range(500)])
    value = rng.normal(size=500)
    matrix = seen.T @ seen + np.diag(rng.uniform(0.1, 1, TERMS))
    weights = np.linalg.solve(matrix, seen.T @ value)
    days = np.linalg.solve(matrix[np.ix_(~WEEKLY, ~WEEKLY)], seen[:, ~WEEKLY].T @ value)

    for at in (0, DAY // 3, 3 * DAY, 30 * DAY):
        now = terms(at)
        assert weights @ days_at(matrix, now).alone == pytest.approx(days @ now[~WEEKLY], rel=1e-9, abs=1e-12)


def test_where_no_season_is_believed_the_level_is_the_mean_and_no_less_certain_for_it():
    season, baseline = empty_season(2), empty_baseline(2)
    baseline.mean = np.array([1.0, 2.0])
    outlook = outlook_at(season, 30 * DAY)

    assert level_at(season.fit, baseline, outlook).tolist() == [1.0, 2.0]
    assert leverage_at(season.fit, outlook).tolist() == [0.0, 0.0]


def lived(batches, weekly):
    """Which statistics of a column with a daily season believe in a season, and in a weekly one."""
    rng = np.random.default_rng(1)
    state = start("market/prices")
    for n in range(batches):
        day, week = 2 * np.pi * n / DAYS, 2 * np.pi * n / (7 * DAYS)
        values = 0.5 * np.sin(day) + weekly * np.sin(week) + rng.normal(size=1000)
        at = n * STEP
        batch = BatchInput(
            subject="market/prices",
            batch_id=str(n),
            at=at,
            arrived_at=at,
            rows=1000,
            columns={"price": NumberColumn(values=values)},
        )
        state, _ = fold(state, summarise(state, batch), Policy())
    location = state.table.statistic.index("location")
    return bool(state.season.fit.on[location]), bool(state.season.fit.weekly[location])


def test_a_daily_season_is_believed_without_a_week():
    assert lived(4 * DAYS, weekly=0.0) == (True, False)


def test_a_week_is_believed_as_soon_as_it_predicts_better_than_the_days_alone():
    assert lived(3 * DAYS, weekly=0.3) == (True, True)


def test_a_week_that_predicts_worse_than_the_days_alone_is_believed_no_longer():
    one, yes = np.ones(1), np.ones(1, np.bool_)
    baseline = replace(empty_baseline(1), count=one * 500)
    season = empty_season(1)
    season = replace(season, began=0, fit=replace(season.fit, on=yes, weekly=yes, error=one * 4, daily_error=one))
    judged = Judged(z=0 * one, level=0 * one, predicted=0 * one, deviation=one, surprise=0 * one)

    learnt, turned = learn_season(season, baseline, 0 * one, judged, one, yes, yes, ~yes, 10 * DAY, 600.0)

    assert learnt.fit.on.all()
    assert not learnt.fit.weekly.any()
    assert turned.all()


def test_a_batch_from_the_future_does_not_end_the_days():
    one, yes, baseline, season = np.ones(1), np.ones(1, np.bool_), empty_baseline(1), empty_season(1)
    judged = Judged(z=0 * one, level=0 * one, predicted=0 * one, deviation=one, surprise=0 * one)
    told = []
    for hour in (*range(30), 9_000, *range(30, 80)):
        at = hour * DAY // 24
        season, _ = learn_season(season, baseline, one * hour, judged, one, yes, yes, ~yes, at, 3600.0)
        told.append(season.recurring.yesterday.tobytes())

    assert told[-1] != told[60] != told[29] != told[20]
