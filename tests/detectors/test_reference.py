"""What batches are counted against: the cuts between the values of a reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.polynomials import polynomials
from detectors.reference import RANGE, number_reference

VALUES = st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=60, unique=True)


@given(VALUES)
def test_every_value_of_the_reference_lies_in_its_range_and_between_two_cuts(values):
    points = np.unique(values)
    reference = number_reference(points, np.ones(len(points)))
    at = np.searchsorted(reference.cuts, points, side="left")
    assert (np.diff(reference.cuts) >= 0).all()
    assert ((at >= RANGE.start) & (at < RANGE.stop)).all()


@given(st.integers(2, 12), st.floats(-0.04, 0.04))
def test_values_that_are_off_by_little_count_as_what_they_are(most, off):
    values = np.arange(1.0, most + 1)
    reference = number_reference(values, np.ones(most))
    exact, moved = (np.searchsorted(reference.cuts, held, side="left") for held in (values, values * (1 + off)))
    assert (exact == moved).all()


@pytest.mark.parametrize(
    "rows",
    [
        np.random.default_rng(1).poisson(0.3, 1_000),
        np.random.default_rng(1).poisson(2.2, 1_000),
        np.repeat([1, 2, 3, 4, 5], [5, 5, 10, 30, 50]),
    ],
    ids=["seldom", "counts", "ratings"],
)
def test_a_row_of_a_kind_never_seen_weighs_no_more_than_one_in_a_thousand_could(rows):
    values, weights = np.unique(rows, return_counts=True)
    reference = number_reference(values.astype(np.float64), weights.astype(np.float64))
    unseen = polynomials([reference])[0][reference.share == 0]
    assert np.abs(unseen[:, 1:]).max() <= 1_000**0.5
