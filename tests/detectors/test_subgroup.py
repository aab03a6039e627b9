"""The subgroup that holds all of a shift: found where there is one, and hardly ever where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from detectors.reference import TOP, number_reference
from detectors.sampled import INFINITE, MISSING, NEW
from detectors.subgroup import ERROR, Divided, Subgroup, contributions, find

ROWS = 256
NAMES = ("a", "b", "c", "d", "e")  # a fifth of the rows each
REFERENCE = number_reference(np.sort(np.random.default_rng(0).normal(size=500)), np.ones(500))


def rows(rng, columns=4):
    return rng.integers(0, len(NAMES), (ROWS, columns)).astype(np.uint8)


def divided(calm, now):
    columns = tuple(f"column {i}" for i in range(calm.shape[1]))
    return Divided(columns=columns, categories=(NAMES,) * len(columns), calm=calm, now=now)


def found(seed, inside, outside, look=1, known=None, hit=None):
    """Normal rows; those of column 0's category ``b`` (or of ``hit``) shift by ``inside``, others by ``outside``."""
    rng = np.random.default_rng(seed)
    calm, now = rows(rng), rows(rng)
    there = now[:, 0] == 1 if hit is None else hit(rng)
    values = rng.normal(size=ROWS) + np.where(there, inside, outside)
    return find(rng.normal(size=ROWS), values, divided(calm, now), look, known)


def named(seeds, *shift, **changes):
    return sum(found(seed, *shift, **changes) is not None for seed in seeds)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0, -2.0])
def test_a_shift_of_all_rows_names_a_subgroup_no_more_often_than_stated(shift):
    assert named(range(1000), shift, shift) <= binom.ppf(0.999, 1000, ERROR)


def test_nor_does_a_fault_that_strikes_at_random():
    def hit(rng):
        return rng.random(ROWS) < 0.2

    assert named(range(1000), 3.0, 0.0, hit=hit) <= binom.ppf(0.999, 1000, ERROR)


@pytest.mark.parametrize("shift", [1.0, 3.0, -3.0])
def test_nor_one_of_which_the_others_have_half(shift):
    assert named(range(1000), shift, shift / 2) <= binom.ppf(0.999, 1000, ERROR)


def test_nor_however_often_it_is_looked_at():
    lives = [any(found(100 * life + look, 0.5, 0.5, look) for look in range(1, 21)) for life in range(200)]

    assert sum(lives) <= binom.ppf(0.999, 200, ERROR)


@pytest.mark.parametrize("shift", [2.0, -2.0])
def test_a_fault_in_a_fifth_of_the_rows_is_found_and_holds_about_all_of_the_shift(shift):
    told = [one for seed in range(100) if (one := found(seed, shift, 0.0)) is not None]

    assert len(told) >= 90
    assert {one.name for one in told} == {"column 0 = b"}
    assert np.mean([one.share for one in told]) > 0.9


def test_a_rate_that_was_none_is_no_certainty():
    """A single missing value in a category says nothing, though the calm rows have no variance at all."""
    rng = np.random.default_rng(1)
    calm, now = rows(rng, 1), rows(rng, 1)
    missing = np.zeros(ROWS)
    missing[np.flatnonzero(now[:, 0] == 1)[0]] = 1.0

    assert find(np.zeros(ROWS), missing, divided(calm, now), 1, None) is None


KNOWN = Subgroup(name="column 0 = b", share=1.0)


def test_what_was_named_stands_while_the_others_show_little():
    assert all(found(seed, 1.0, 0.1, look=5, known=KNOWN) is not None for seed in range(100))


def test_what_was_named_is_withdrawn_once_the_others_move_as_far():
    assert named(range(100), 2.0, 2.0, look=5, known=KNOWN) == 0


def test_what_was_named_stands_where_too_few_rows_could_contradict_it():
    few = divided(np.zeros((ROWS, 1), np.uint8), np.zeros((ROWS, 1), np.uint8))

    assert find(np.zeros(ROWS), np.ones(ROWS), few, 2, KNOWN) == KNOWN
    assert find(np.zeros(ROWS), np.ones(ROWS), divided(*np.zeros((2, ROWS, 0), np.uint8)), 2, KNOWN) == KNOWN


@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_the_sign_of_the_values_does_not_change_what_is_named(seed, shift):
    rng = np.random.default_rng(seed)
    calm, now = rows(rng, 1), rows(rng, 1)
    before, after = rng.normal(size=ROWS), rng.normal(size=ROWS) + shift * (now[:, 0] == 1)
    alone = find(before, after, divided(calm, now), 1, None)
    turned = find(-before, -after, divided(calm, now), 1, None)

    assert (alone and alone.name) == (turned and turned.name)


def codes(*values):
    return np.array(values, np.uint8)


def test_what_a_row_contributes_depends_on_the_statistic():
    now = codes(0, 20, 45, MISSING, INFINITE)

    def of(statistic, rank=0):
        return contributions(statistic, REFERENCE, now, now, rank)[1]

    assert of("missing_rate").tolist() == [0, 0, 0, 1, 0]
    assert np.isnan(of("location")[3:]).all()
    assert of("location")[0] < of("location")[1] < of("location")[2]
    np.testing.assert_array_equal(of("out_of_range"), [1, 0, 1, np.nan, 1])
    assert np.isnan(of("distinct")).all()


def test_rates_of_categories_count_the_category_that_they_are_about():
    calm, now = codes(0, 1, 5, 5), codes(0, 1, TOP, NEW, NEW, MISSING)

    def of(statistic, rank=0):
        return contributions(statistic, REFERENCE, calm, now, rank)[1][:-1].tolist()

    assert of("category_rate", 1) == [0, 1, 0, 0, 0]
    assert of("new_category") == [0, 0, 0, 1, 1]
    assert contributions("category_mix", REFERENCE, calm, now, 0)[0].tolist() == [0, 0, 1, 1]
