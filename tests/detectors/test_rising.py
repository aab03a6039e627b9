"""Keys and times of events: columns that only ever rise."""

import numpy as np
import pytest

from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import Policy, fold, start, summarise
from detectors.trend import follow, no_trend, rising

MINUTE = 60_000_000


def findings(values, batches, rows=300):
    """Statistics found, with the batch in which each was; ``values(n, rows, rng)`` makes the column of batch ``n``."""
    rng, state, found = np.random.default_rng(0), start("shop/orders"), {}
    for n in range(batches):
        at = n * 10 * MINUTE
        columns = {"order": NumberColumn(values=values(n, rows, rng))}
        batch = BatchInput(subject="shop/orders", batch_id=str(n), at=at, arrived_at=at, rows=rows, columns=columns)
        state, judgement = fold(state, summarise(state, batch), Policy())
        for one in judgement.findings:
            found.setdefault(one.statistic, n)
    return found


def key(n, rows, _):
    return 1e7 + 3.0 * (n * rows + np.arange(rows))


@pytest.mark.parametrize(
    "values",
    [key, lambda n, rows, rng: 1.79e9 + 600 * n - rng.exponential(300, rows)],
    ids=["numbers counted up", "seconds since 1970"],
)
def test_what_only_rises_is_no_finding(values):
    assert findings(values, 600) == {}


def test_rows_without_a_key_are_still_found():
    def holed(n, rows, rng):
        return np.where(rng.random(rows) < 0.1, np.nan, key(n, rows, rng)) if n >= 200 else key(n, rows, rng)

    assert findings(holed, 203)["missing_rate"] in (200, 201, 202)


def test_a_column_in_no_order_that_begins_to_rise_is_found():
    found = findings(lambda n, rows, rng: rng.normal(max(0, n - 200) * 0.1, 1, rows), 260)

    assert found["location"] in range(200, 215)


def test_a_column_counts_as_rising_until_more_than_one_batch_in_ten_did_not():
    trend = no_trend(2)
    told = []
    for n in range(60):
        trend = follow(trend, np.array([float(n), float(n) if n < 40 else 0.0]))
        told.append(rising(trend).tolist())

    assert told[11] == [False, False]
    assert told[12] == [True, True]
    assert [both[0] for both in told[12:]] == [True] * 48
    assert told[59][1] is False
