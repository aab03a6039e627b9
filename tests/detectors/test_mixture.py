"""The mixture of rarer categories: one statistic that is standard normal while nothing changes, whoever moves."""

import numpy as np
import pytest

from detectors.batch import BatchInput, CategoryColumn
from detectors.dataset import Policy, fold, start, summarise
from detectors.mixture import dissimilarity, most_moved

SHARES = 1 / np.arange(4.0, 18.0)
SHARES /= SHARES.sum()
MANY = np.array([1e9])


@pytest.mark.parametrize("rows", [300, 1000, 20_000])
def test_it_is_standard_normal_in_units_of_its_sampling_variance_whatever_the_rows(rows):
    rng = np.random.default_rng(rows)
    drawn = rng.multinomial(rows, SHARES, size=20_000).astype(np.float64)
    value, variance, live = dissimilarity(drawn, np.tile(SHARES, (len(drawn), 1)), np.full(len(drawn), 1e9))
    z = value / np.sqrt(variance)

    assert live.all()
    assert abs(z.mean()) < 0.05
    assert z.std() == pytest.approx(1.0, abs=0.05)
    assert np.quantile(np.abs(z), 0.999) == pytest.approx(3.29, abs=0.25)


def test_a_shift_between_any_two_of_the_categories_raises_it():
    rows = 1000.0
    for gains in range(0, 14, 3):
        moved = SHARES.copy()
        moved[gains], moved[gains - 1] = moved[gains] + 0.04, moved[gains - 1] - 0.04
        value, variance, _ = dissimilarity(moved[None, :] * rows, SHARES[None, :], MANY)
        assert value[0] / np.sqrt(variance[0]) > 2
        assert most_moved(moved * rows, SHARES) in (gains, (gains - 1) % 14)


def test_without_rows_or_a_past_it_says_nothing():
    _, _, live = dissimilarity(np.stack([SHARES * 0, SHARES * 900]), np.stack([SHARES] * 2), np.array([5.0, 0.0]))
    assert not live.any()


def test_two_rare_categories_that_trade_places_are_found_and_named_by_their_rank():
    rng = np.random.default_rng(0)
    share = np.r_[0.4, 0.2, 0.1, np.linspace(0.06, 0.02, 9)]
    share /= share.sum()
    traded = share.copy()
    traded[[5, 11]] = traded[[11, 5]]
    names = tuple(f"kind {i}" for i in range(12))
    state, told = start("shop/orders"), {}
    for n in range(120):
        codes = rng.choice(12, 1000, p=share if n < 80 else traded).astype(np.int32)
        given = BatchInput(
            subject="shop/orders",
            batch_id=f"b{n}",
            at=n * 60_000_000,
            arrived_at=n * 60_000_000,
            rows=1000,
            columns={"kind": CategoryColumn(dictionary=names, codes=codes)},
        )
        state, judged = fold(state, summarise(state, given), Policy(monitored=1000))
        told |= {f.statistic: f.sentence for f in judged.findings}
        assert n >= 80 or not told

    assert set(told) == {"category_mix"}
    assert "`kind`" in told["category_mix"]
    assert "most frequent category" in told["category_mix"]
