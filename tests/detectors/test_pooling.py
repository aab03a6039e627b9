"""Small batches that are judged together."""

import numpy as np
import pytest

from detectors.batch import BatchInput, CategoryColumn, NumberColumn
from detectors.dataset import Policy, fold, start, summarise

HOUR = 3_600_000_000
POLICY = Policy(pool_rows=500)


def live(counts, values, seed=0, columns=None):
    """Fold hourly batches of so many rows; in which batch each finding came, by column and statistic."""
    return {about: int(first.alarm_batch_id) for about, first in findings(counts, values, seed, columns).items()}


def findings(counts, values, seed=0, columns=None):
    """The same, each finding as it was when it came."""
    rng, state, found = np.random.default_rng(seed), start("shop/orders"), {}
    for n, rows in enumerate(counts):
        drawn = columns(n, rows, rng) if columns else {"amount": NumberColumn(values=values(n, rows, rng))}
        batch = BatchInput(
            subject="shop/orders", batch_id=str(n), at=n * HOUR, arrived_at=n * HOUR, rows=rows, columns=drawn
        )
        state, judgement = fold(state, summarise(state, batch, POLICY.pool_rows), POLICY)
        for one in judgement.findings:
            found.setdefault((one.column, one.statistic), one)
    return found


def normal(_, rows, rng):
    return rng.normal(20, 3, rows)


def test_half_the_rows_are_half_the_rows_whatever_is_pooled():
    usual = np.random.default_rng(1).poisson(300, 120)
    fewer = np.random.default_rng(2).poisson(150, 12)

    found = live([*usual, *fewer], normal)

    assert 120 <= found[(None, "rows")] <= 126


@pytest.mark.parametrize(
    "absurd",
    [lambda rows, _: np.full(rows, np.nan), lambda rows, rng: 1000 * rng.normal(20, 3, rows)],
    ids=["all missing", "a thousand times"],
)
def test_an_absurd_small_batch_is_found_at_once(absurd):
    found = live([80] * 301, lambda n, rows, rng: absurd(rows, rng) if n == 300 else normal(n, rows, rng))

    assert min(found.values()) == 300


def test_a_small_batch_of_new_categories_is_found_at_once():
    def columns(n, rows, rng):
        names = ("web", "app") if n < 300 else ("kiosk", "fax")
        return {"channel": CategoryColumn(dictionary=names, codes=rng.integers(0, 2, rows).astype(np.int32))}

    found = live([80] * 301, None, columns=columns)

    assert found[("channel", "new_category")] == 300


def test_small_healthy_batches_of_varying_size_raise_no_alarm():
    assert live(np.random.default_rng(3).integers(40, 400, 1500), normal) == {}


def test_what_is_wrong_in_a_pool_may_have_begun_with_any_of_its_batches():
    found = findings([300] * 101, lambda n, rows, rng: normal(n, rows, rng) + 0.6 * (n >= 91))[("amount", "location")]

    assert (found.onset_batch_id, found.alarm_batch_id) == ("90", "93")
    assert (found.onset_earliest, found.onset_latest) == (89 * HOUR, 91 * HOUR)


@pytest.mark.parametrize("first", range(300, 305))
def test_a_small_batch_that_is_off_by_more_than_chance_does_not_wait_for_its_pool(first):
    found = findings([100] * 306, lambda n, rows, rng: normal(n, rows, rng) + 3 * (n >= first))[("amount", "location")]

    assert (found.onset_batch_id, found.alarm_batch_id) in {(str(first), str(first)), (str(first), str(first + 1))}
    assert found.onset_latest == first * HOUR


def test_small_batches_that_are_judged_together_are_known_as_early_as_large_ones():
    found = live([100] * 60, lambda n, rows, rng: normal(n, rows, rng) + 3 * (n >= 45))

    assert 45 <= found[("amount", "location")] < 55


def test_an_absurd_batch_that_comes_while_others_wait_began_with_itself():
    def values(n, rows, rng):
        return normal(n, rows, rng) * (1000 if n == 304 else 1)

    first = findings([80] * 305, values)["amount", "location"]

    assert (first.onset_batch_id, first.onset_earliest, first.onset_latest) == ("304", 303 * HOUR, 304 * HOUR)
