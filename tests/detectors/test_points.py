"""A row or a few in a batch, as metrics come: every batch is judged when it comes, by its means."""

from collections.abc import Callable

import numpy as np
import pytest

from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import Policy, fold, start, summarise
from detectors.finding import Finding

MINUTE = 60_000_000
POLICY = Policy(pool_rows=500, pool_s=3600.0)


def lognormal(rng: np.random.Generator, rows: int) -> np.ndarray:
    return rng.lognormal(3, 0.1, rows)


def constant(rng: np.random.Generator, rows: int) -> np.ndarray:  # noqa: ARG001
    return np.full(rows, 100.0)


def live(
    rows: int,
    minutes: float,
    batches: int,
    wrong: float,
    since: int,
    usual: Callable[[np.random.Generator, int], np.ndarray] = lognormal,
) -> list[tuple[int, Finding]]:
    """Findings with the batch that first told them; values are ``wrong`` times as large from batch ``since`` on."""
    rng, state, told = np.random.default_rng(1), start("kpi/daily"), dict[tuple[str, str], tuple[int, Finding]]()
    for n in range(batches):
        at = round(n * minutes * MINUTE)
        values = usual(rng, rows) * (wrong if n >= since else 1)
        columns = {"latency": NumberColumn(values=values)}
        batch = BatchInput(subject="kpi/daily", batch_id=str(n), at=at, arrived_at=at, rows=rows, columns=columns)
        state, judgement = fold(state, summarise(state, batch, POLICY.pool_rows), POLICY)
        for finding in judgement.findings:
            told.setdefault((finding.column or "", finding.statistic), (n, finding))
    return list(told.values())


@pytest.mark.parametrize(("rows", "minutes"), [(1, 5), (1, 60), (1, 1440), (3, 1440), (20, 1440), (5, 60)])
def test_a_metric_that_is_five_times_as_large_is_found_in_that_batch(rows: int, minutes: float):
    known = 60 if minutes > 5 else 400  # the more batches a month has, the rarer must be what alarms
    found = live(rows, minutes, known + 2, 5.0, since=known)

    assert [(n, f.column, f.statistic) for n, f in found] == [(known, "latency", "mean")]
    assert found[0][1].onset_batch_id == str(known)


@pytest.mark.parametrize(("rows", "minutes"), [(1, 5), (1, 1440), (20, 1440)])
def test_a_metric_that_is_as_ever_is_no_news(rows: int, minutes: float):
    assert live(rows, minutes, 60, 1.0, since=60) == []


def test_an_hourly_batch_does_not_wait_for_the_next_one():
    (found, *_) = live(200, 59.8, 62, 1.5, since=61)

    assert found[0] == 61
    assert found[1].statistic != "mean"


def test_what_gathers_many_rows_in_an_hour_is_still_judged_together_by_its_shape():
    found = live(10, 1, 1200, 1.5, since=1100)

    assert found
    assert {finding.statistic for _, finding in found} & {"location", "out_of_range"}
    assert "mean" not in {finding.statistic for _, finding in found}


def test_a_metric_that_never_varied_is_found_wrong_by_a_small_part_of_itself():
    told = live(1, 5, 400 + 6, 0.97, since=400, usual=constant)

    assert [(f.column, f.statistic) for _, f in told] == [("latency", "mean")]
    assert live(1, 5, 406, 1 + 1e-9, since=400, usual=constant) == []
