"""Sketches that tell no distribution: their mean is watched, in the words and at the rate of everything else."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.batch import BatchInput, SketchColumn
from detectors.dataset import Policy, accept, fold, start, summarise

MINUTE = 60_000_000
ROWS = 1000
POLICY = Policy(monitored=100)


def told(values, **changes):
    """What a producer says of rows that it keeps to itself."""
    sketch = SketchColumn(
        count=len(values),
        minimum=float(values.min()),
        maximum=float(values.max()),
        sum=float(values.sum()),
        sum_squares=float((values**2).sum()),
    )
    return replace(sketch, **changes)


class Watch:
    """A dataset of shapeless columns, fed batch by batch."""

    def __init__(self, policy=POLICY):
        self.policy = policy
        self.state = start("shop/orders")
        self.n = 0

    def feed(self, **columns):
        given = BatchInput(
            subject="shop/orders",
            batch_id=f"b{self.n}",
            at=self.n * MINUTE,
            arrived_at=self.n * MINUTE,
            rows=ROWS,
            columns=columns,
        )
        self.n += 1
        self.state, judgement = fold(self.state, summarise(self.state, given), self.policy)
        return judgement.findings


def until_found(watch, rng, mean, **changes):
    """Batches of a shifted mean until something is found, and what."""
    for n in range(1, 200):
        findings = watch.feed(amount=told(rng.normal(mean, 10, ROWS), **changes))
        if findings:
            return n, findings[0]
    return n, None


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def warmed(rng, batches=60, **changes):
    watch = Watch()
    for _ in range(batches):
        assert watch.feed(amount=told(rng.normal(50, 10, ROWS), **changes)) == ()
    return watch


def test_a_shift_of_half_a_deviation_is_found_in_a_few_batches_and_told_in_plain_units(rng):
    n, finding = until_found(warmed(rng), rng, 55)

    assert n <= 4
    assert (finding.column, finding.statistic) == ("amount", "mean")
    assert finding.observed == pytest.approx(55, abs=1)
    assert finding.expected == pytest.approx(50, abs=1)
    assert finding.effect == pytest.approx(0.5, abs=0.1)
    assert finding.sentence.startswith("mean of `amount` is 5")
    assert "σ above its baseline" in finding.sentence  # noqa: RUF001  # the sign of a standard deviation


def test_without_squares_the_shift_is_told_without_deviations(rng):
    n, finding = until_found(warmed(rng, sum_squares=None), rng, 45, sum_squares=None)

    assert n <= 6
    assert finding.effect is None
    assert ", below its baseline " in finding.sentence


def test_an_accepted_mean_is_the_new_normal(rng):
    watch = warmed(rng)
    until_found(watch, rng, 500)
    watch.state = accept(watch.state, "amount", watch.n * MINUTE)
    found = [watch.feed(amount=told(rng.normal(500, 10, ROWS))) for _ in range(40)]

    assert not any(found)
    assert until_found(watch, rng, 510)[1].expected == pytest.approx(500, abs=2)


def test_a_mean_that_is_not_told_is_not_watched(rng):
    _, finding = until_found(warmed(rng, sum=None), rng, 500, sum=None)

    assert finding is None


def test_a_batch_without_rows_says_nothing_of_the_mean(rng):
    watch = warmed(rng)
    watch.feed(amount=SketchColumn(count=ROWS, missing=ROWS))
    findings = watch.feed(amount=told(rng.normal(50, 10, ROWS)))

    assert "mean" not in {finding.statistic for finding in findings}


def test_an_absurd_mean_is_found_in_its_batch(rng):
    watch = warmed(rng)

    assert {f.statistic for f in watch.feed(amount=told(rng.normal(50_000, 10, ROWS)))} == {"mean"}


@pytest.mark.parametrize("sum_", [np.inf, 1e308, -1e308, np.nan])
def test_an_absurd_sum_leaves_the_later_shift_to_be_found(rng, sum_):
    watch = warmed(rng)
    watch.feed(amount=told(rng.normal(50, 10, ROWS), sum=sum_))
    for _ in range(10):
        watch.feed(amount=told(rng.normal(50, 10, ROWS)))
    n, finding = until_found(watch, rng, 60)

    assert n <= 5
    assert finding.statistic == "mean"


def rows_of(law, rng, effect):
    """Rows of many columns, ``(columns, 200)``; effect: of the batch on each column."""
    shape = (len(effect), 200)
    if law == "lognormal":
        return rng.lognormal(0, 1.5, shape)
    if law == "constant":
        return np.full(shape, 0.1)
    return rng.normal(50, 10, shape) + effect[:, None]


@pytest.mark.parametrize("squares", [True, False], ids=["with squares", "without"])
@pytest.mark.parametrize(
    ("law", "differ"),
    [("normal", 0.0), ("lognormal", 0.0), ("constant", 0.0), ("normal", 3.0)],
    ids=["normal", "lognormal", "constant", "batches that differ"],
)
def test_healthy_means_alarm_no_more_often_than_was_asked_for(law, differ, squares):
    rng = np.random.default_rng(1)
    columns, batches, run_length = 100, 300, 1000
    watch = Watch(Policy(monitored=1, false_alarms_per_month=43_200 / run_length * (2 * columns + 2)))
    seen = set()
    for _ in range(batches):
        effect = differ * rng.normal(size=columns)
        sketches = {
            f"c{i}": replace(told(one), count=ROWS, missing=ROWS - 200, **({} if squares else {"sum_squares": None}))
            for i, one in enumerate(rows_of(law, rng, effect))
        }
        seen |= {(f.column, f.alarm_batch_id) for f in watch.feed(**sketches) if f.statistic == "mean"}

    assert len(seen) / (columns * (batches - 20) / run_length) < 1.2
