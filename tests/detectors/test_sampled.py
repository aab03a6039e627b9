"""Rows of a batch as bins, whole across columns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.batch import CategoryColumn, NumberColumn, SketchColumn
from detectors.column import summarise_column
from detectors.reference import TOP, category_reference, number_reference
from detectors.sampled import (
    ABSENT,
    BATCHES,
    INFINITE,
    MISSING,
    NEW,
    ROWS,
    SHARE,
    Calm,
    learn_calm,
    merged,
    row_keys,
    sample,
)
from detectors.sampled import without as without_column

NUMBERS = number_reference(np.arange(100.0), np.ones(100))
OTHERS = number_reference(np.arange(0.0, 10.0), np.ones(10))
NAMES = category_reference({"north": 50, "south": 40, **{f"town {i}": 1 for i in range(30)}}, 0)
values = st.lists(st.floats(allow_nan=True, width=32), min_size=1, max_size=ROWS)


def rows_of(numbers, name="b", reference=NUMBERS):
    return sample(
        {"amount": NumberColumn(values=np.array(numbers))}, {"amount": reference}, row_keys(name, len(numbers))
    )


@given(values)
def test_rows_lie_in_the_bins_that_the_summary_counts(numbers):
    column = NumberColumn(values=np.array(numbers))
    code = rows_of(numbers).cells.code[:, 0]
    counts = summarise_column(column, NUMBERS).counts

    assert np.array_equal(np.bincount(code[code < len(counts)], minlength=len(counts)), counts)
    assert (code == MISSING).sum() == np.isnan(numbers).sum()
    assert (code == INFINITE).sum() == np.isinf(numbers).sum()


def test_categories_are_numbered_as_the_reference_has_them():
    dictionary = ("south", "north", "never seen", "town 29", "unused")
    column = CategoryColumn(dictionary=dictionary, codes=np.array([0, 1, 2, 3, -1, 9], np.int32))
    code = sample({"region": column}, {"region": NAMES}, row_keys("b", 6)).cells.code[:, 0]

    assert sorted(code.tolist()) == sorted([1, 0, NEW, TOP, MISSING, MISSING])


def test_the_values_of_a_row_stay_together():
    numbers = np.arange(1000.0) % 2
    columns = {"a": NumberColumn(values=numbers), "b": NumberColumn(values=1 - numbers)}
    reference = number_reference(np.array([0.0, 1.0]), np.ones(2))
    code = sample(columns, {"a": reference, "b": reference}, row_keys("b", 1000)).cells.code

    assert code.shape == (ROWS, 2)
    assert (code[:, 0] != code[:, 1]).all()


def test_what_has_no_rows_of_its_own_is_left_out():
    columns = {
        "sketched": SketchColumn(count=3),
        "shorter": NumberColumn(values=np.zeros(2)),
        "unknown": NumberColumn(values=np.zeros(3)),
        "retyped": CategoryColumn(dictionary=("a",), codes=np.zeros(3, np.int32)),
        "amount": NumberColumn(values=np.zeros(3)),
    }
    references = dict.fromkeys(("sketched", "shorter", "retyped", "amount"), NUMBERS)

    assert sample(columns, references, row_keys("b", 3)).cells.names == ("amount",)
    assert len(sample({}, references, row_keys("b", 0)).key) == 0


@given(values, values)
def test_the_sample_of_two_parts_is_the_same_either_way(first, second):
    a, b = rows_of(first, "b/0"), rows_of(second, "b/1")
    one, other = merged(a, b), merged(b, a)

    assert np.array_equal(one.key, other.key)
    assert np.array_equal(np.sort(one.cells.code, axis=0), np.sort(other.cells.code, axis=0))
    assert len(one.key) == min(ROWS, len(first) + len(second))


def test_every_row_is_as_likely_to_be_chosen():
    chosen = sum(np.bincount(rows_of(np.arange(99.0).repeat(10), f"b{n}").cells.code[:, 0] > 20) for n in range(200))

    assert abs(chosen[1] / chosen.sum() - np.mean(rows_of(np.arange(99.0)).cells.code > 20)) < 0.01


def test_calm_rows_are_of_the_last_batches_and_can_be_cut_at_an_onset():
    calm = Calm()
    for n in range(40):
        calm = learn_calm(calm, rows_of(np.full(100, float(n))), at=n)

    assert calm.at.tolist() == list(range(40 - BATCHES, 40))
    assert calm.cells.code.shape == (BATCHES * SHARE, 1)
    assert len(calm.until(30).code) == (30 - 23) * SHARE


def test_a_batch_of_too_few_rows_leaves_none():
    assert len(learn_calm(Calm(), rows_of(np.zeros(SHARE - 1)), at=0).at) == 0


def test_rows_that_were_counted_against_another_reference_are_absent():
    calm = learn_calm(Calm(), rows_of(np.zeros(50)), at=0)
    calm = learn_calm(calm, rows_of(np.zeros(50), reference=OTHERS), at=1)

    assert (calm.cells.code[:SHARE] == ABSENT).all()
    assert not (calm.cells.code[SHARE:] == ABSENT).any()
    assert without_column(calm, "amount").cells.names == ()
