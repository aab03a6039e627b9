"""The first days of a dataset whose batches are small and grow and shrink with the hours."""

import numpy as np
import pytest

from detectors.batch import BatchInput
from detectors.dataset import Policy, fold, start, summarise

MINUTE = 60_000_000
GAP = 5  # minutes
NOON = 1_780_315_200_000_000
POLICY = Policy(monitored=100)


def alarms(seed, hours, broken_at=np.inf, begins=0):
    """Hours since the first batch at which a finding about rows began.

    broken_at: from when on half of the rows are missing. begins: hours after noon.
    """
    rng, state, began = np.random.default_rng(seed), start("shop/orders"), {}
    for n in range(hours * 60 // GAP):
        at = NOON + (begins * 60 + n * GAP) * MINUTE
        hour = 2 * np.pi * at / (24 * 60 * MINUTE)
        usual = 100 * np.exp(0.8 * np.sin(hour) + 0.3 * np.sin(2 * hour + 1) + 0.1 * rng.normal())
        since = n * GAP / 60
        rows = int(1 + rng.poisson(usual / 2 if since >= broken_at else usual))
        batch = BatchInput(subject="shop/orders", batch_id=str(n), at=at, arrived_at=at, rows=rows, columns={})
        state, judgement = fold(state, summarise(state, batch), POLICY)
        for one in judgement.findings:
            began.setdefault(one.alarm_batch_id, since)
    return sorted(began.values())


@pytest.mark.parametrize("begins", [0, 6, 12, 18])
def test_the_nights_of_the_first_days_are_no_alarm(begins):
    assert [alarms(seed, 96, begins=begins) for seed in range(3)] == [[], [], []]


@pytest.mark.parametrize("broken_at", [26, 34, 42, 58])
def test_half_the_rows_are_found_from_the_second_day_on(broken_at):
    (began,) = alarms(0, broken_at + 4, broken_at)

    assert broken_at <= began < broken_at + 3
