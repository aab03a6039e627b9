"""A second detector beside the evidence bank: it shares the budget and finds what the bank finds."""

import numpy as np
import pytest

from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import Policy, fold, start, summarise
from detectors.opinion import heard
from detectors.watch import forget_column

SECONDS = pytest.mark.parametrize("second", ["page_hinkley", "adwin"])
ARRAYS = {"page_hinkley": ("count", "mean", "up", "down"), "adwin": ("sums", "held", "squares")}


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


@SECONDS
def test_selected_as_second_detector_it_finds_a_shift_and_nothing_else(second):
    state, alarms = run(second, faulty=True)

    assert [f.statistic for f in alarms.values()] == ["location"]
    assert state.second is not None
    assert run(second, faulty=False)[1] == {}


def test_unless_selected_it_is_not_there():
    assert run("none", faulty=False)[0].second is None


@SECONDS
def test_it_follows_the_columns_that_come_and_go(second):
    rng = np.random.default_rng(0)
    policy = Policy(second_detector=second)
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

    def rows(state):
        return {len(getattr(getattr(state.second, second), name)) for name in ARRAYS[second]}

    assert rows(state) == {len(state.table)} == {2 + 3 * 7}
    fewer = forget_column(state, "b")
    assert rows(fewer) == {len(fewer.table)} == {2 + 2 * 7}


def test_another_choice_starts_afresh():
    state, _ = run("page_hinkley", faulty=False)
    live = np.ones(len(state.table), np.bool_)
    changed = heard(state.second, "adwin", np.zeros(len(live)), np.zeros(len(live)), live, 5.0)

    assert changed.page_hinkley is None
    assert changed.adwin.held.sum(axis=1).tolist() == [1] * len(live)


def test_an_unknown_one_is_refused():
    with pytest.raises(ValueError, match="no second detector is called 'kswin'"):
        heard(None, "kswin", np.zeros(1), np.zeros(1), np.ones(1, np.bool_), 5.0)
