"""What a column costs, as it is written to the journal's snapshots."""

import numpy as np
import pytest

from detectors.batch import BatchInput, CategoryColumn, NumberColumn, SketchColumn
from detectors.dataset import Policy, fold, start, summarise
from streams.plain import to_bytes

COLUMNS = 8


def size(column, policy=Policy(), batches=25):  # noqa: B008  # frozen
    rng = np.random.default_rng(0)
    state = start("shop/orders")
    for n in range(batches):
        columns = {f"column_{i}": column(rng) for i in range(COLUMNS)} if column else {}
        given = BatchInput(
            subject="shop/orders", batch_id=f"b{n}", at=n * 60_000_000, arrived_at=0, rows=500, columns=columns
        )
        state, _ = fold(state, summarise(state, given), policy)
    return len(to_bytes(state))


def number(rng):
    return NumberColumn(values=rng.normal(size=500))


def shapeless(rng):
    values = rng.normal(size=500)
    return SketchColumn(count=500, sum=float(values.sum()), sum_squares=float((values**2).sum()))


def categories(k, name="name"):
    names = tuple(f"{name} {i}" for i in range(k))
    return lambda rng: CategoryColumn(dictionary=names, codes=rng.integers(0, k, 500).astype(np.int32))


@pytest.mark.parametrize(
    ("column", "most"),
    [
        (number, 4096),
        (shapeless, 4096),
        (categories(2), 4096),
        (categories(4), 4096),
        (categories(16), 4096),
        (categories(270, "a long name"), 4096),
        (categories(300), 4096),
    ],
    ids=[
        "numbers",
        "a sketch without a shape",
        "two categories",
        "four categories",
        "sixteen categories",
        "as many as are known",
        "more than are",
    ],
)
def test_a_column_costs_no_more_than_is_stated(column, most):
    assert (size(column) - size(None)) / COLUMNS <= most


def test_it_costs_the_same_after_many_batches():
    fewer, more = (size(number, batches=n) - size(None, batches=n) for n in (300, 900))
    assert abs(more - fewer) <= 8 * COLUMNS


@pytest.mark.parametrize(("second", "most"), [("page_hinkley", 16), ("adwin", 214)])
def test_a_second_detector_costs_what_is_stated_of_a_statistic(second, most):
    more = size(number, Policy(second_detector=second)) - size(number)
    assert more <= most * (2 + 7 * COLUMNS) + 200
