"""Columns in which now and then, for some batches, a few rows have another value than all others."""

import numpy as np

from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import Policy, fold, start, summarise

MINUTE = 60_000_000
COLUMNS, ROWS = 20, 50
POLICY = Policy(pool_rows=ROWS)


def alarms(odd):
    """In which batches a finding began, by statistic. odd: rate of the other value, by batch and column."""
    rng = np.random.default_rng(0)
    state, found = start("shop/orders"), {}
    for n, rates in enumerate(odd):
        rows = (rng.random((COLUMNS, ROWS)) < rates[:, None]).astype(float)
        columns = {f"flag_{i}": NumberColumn(values=column) for i, column in enumerate(rows)}
        at = n * MINUTE
        batch = BatchInput(subject="shop/orders", batch_id=str(n), at=at, arrived_at=at, rows=ROWS, columns=columns)
        state, judgement = fold(state, summarise(state, batch, ROWS), POLICY)
        for one in judgement.findings:
            found.setdefault((one.column, one.statistic, one.alarm_batch_id), n)
    return {
        statistic: [n for (_, about, _), n in found.items() if about == statistic]
        for statistic in ("out_of_range", "distinct")
    }


def bursts(batches):
    """Rates of bursts of 3 to 20 batches, of 2 to 12 % of the rows."""
    rng = np.random.default_rng(1)
    rates = np.zeros((batches, COLUMNS))
    for column in range(COLUMNS):
        for begin in np.flatnonzero(rng.random(batches) < 0.02):
            rates[begin : begin + rng.integers(3, 21), column] = rng.uniform(0.02, 0.12)
    return rates


def test_bursts_that_come_and_go_are_news_once_or_twice_a_column():
    found = alarms(bursts(400))

    assert len(found["out_of_range"]) <= COLUMNS
    assert len(found["distinct"]) <= 3 * COLUMNS


def test_a_fault_of_most_rows_is_found_as_soon_when_it_comes_again():
    odd = np.zeros((260, COLUMNS))
    odd[100:130] = odd[200:] = 0.9

    first, again = (alarms(odd[:end])["out_of_range"] for end in (150, 260))

    assert max(first) <= 101
    assert len(again) == 2 * len(first)
    assert max(again) <= 201
