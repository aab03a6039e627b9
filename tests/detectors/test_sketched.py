"""Shifts seen through what producers reduced, and changes of how they reduce."""

import numpy as np
import pytest
from datasketches import kll_doubles_sketch

from detectors.batch import BatchInput, NumberColumn, SketchColumn
from detectors.dataset import Policy, fold, start, summarise
from detectors.sketched import summarise_sketch

KNOWN, ROWS = 60, 1000


def rows(values):
    return NumberColumn(values=values)


def quantiles(*percent, ends=False):
    p = np.array(percent) / 100

    def reduced(values):
        told = {"minimum": float(values.min()), "maximum": float(values.max())} if ends else {}
        return SketchColumn(count=len(values), p=p, v=np.quantile(values, p), **told)

    return reduced


def histogram(bins):
    def reduced(values):
        counts, edges = np.histogram(values, bins)
        return SketchColumn(count=len(values), edges=edges, counts=counts.astype(np.float64))

    return reduced


def kll(values):
    sketch = kll_doubles_sketch(200)
    sketch.update(values)
    return SketchColumn(count=len(values), kll=sketch.serialize())


FORMS = {
    "median and tail": quantiles(50, 90, 95, 99),
    "median and tail, with ends": quantiles(50, 90, 95, 99, ends=True),
    "seven quantiles": quantiles(1, 5, 25, 50, 75, 95, 99),
    "deciles": quantiles(*range(10, 100, 10)),
    "histogram": histogram(20),
    "kll": kll,
}


def found_after(before, since, shift, batches=20):
    """Batches since the change until something is found, None if nothing is."""
    rng, state = np.random.default_rng(1), start("shop/orders")
    for n in range(KNOWN + batches):
        reduce, by = (before, 0.0) if n < KNOWN else (since, shift)
        at = n * 60_000_000
        column = reduce(by + rng.normal(size=ROWS))
        batch = BatchInput(
            subject="shop/orders", batch_id=f"b{n}", at=at, arrived_at=at, rows=ROWS, columns={"amount": column}
        )
        state, judgement = fold(state, summarise(state, batch), Policy())
        if judgement and judgement.findings:
            return n - KNOWN + 1
    return None


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_shift_shows_in_sketches_nearly_as_soon_as_in_rows(form):
    assert 1 <= found_after(form, form, 0.2) <= 2 * found_after(rows, rows, 0.2)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("first", ["rows", "sketches"])
def test_that_a_producer_begins_or_ends_to_reduce_is_no_shift(form, first):
    before, since = (rows, form) if first == "rows" else (form, rows)
    assert found_after(before, since, 0.0) is None


def test_beyond_the_quantiles_values_go_on_as_beside_them_but_not_beyond_the_ends():
    shape = {"p": np.array([0.5, 0.75]), "v": np.array([2.0, 3.0])}
    open_ended = summarise_sketch(SketchColumn(count=1000, **shape), None)
    bounded = summarise_sketch(SketchColumn(count=1000, minimum=1.5, maximum=3.5, **shape), None)
    assert open_ended.points[[0, -1]] == pytest.approx([0.0, 4.0], abs=0.01)
    assert bounded.points[[0, -1]] == pytest.approx([1.5, 3.5], abs=0.01)


@pytest.mark.parametrize(
    ("form", "rows", "least", "most"),
    [
        (quantiles(50, 90, 95, 99), 1000, 40, 60),
        (histogram(20), 1000, 1, 10),
        (histogram(200), 1000, 0, 0),
        (kll, 100, 0, 0),
        (kll, 20_000, 3, 8),
    ],
    ids=["four quantiles", "a histogram", "a fine histogram", "a kll sketch that holds all", "a kll sketch"],
)
def test_the_error_of_a_sketch_is_that_of_a_mean_rank_in_thousandths(form, rows, least, most):
    values = np.random.default_rng(2).normal(size=rows)
    assert least <= summarise_sketch(form(values), None).error <= most
