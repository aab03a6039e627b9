"""HyperLogLog registers: the same however rows are cut, and a count within the stated error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.distinct import REGISTERS, VARIANCE, estimate, registers_of_names, registers_of_numbers

VALUES = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.7e9, float("nan"), float("inf")]))


@given(arrays(np.float64, st.integers(0, 80), elements=VALUES), st.integers(0, 80))
def test_registers_of_parts_add_up_to_those_of_the_whole(values, cut):
    parts = [registers_of_numbers(part[None, :])[0] for part in (values[:cut], values[cut:])]

    assert np.maximum(*parts).tolist() == registers_of_numbers(values[None, :])[0].tolist()


@given(st.lists(st.text()), st.lists(st.text()))
def test_registers_of_names_add_up_too(a, b):
    assert np.maximum(registers_of_names(a), registers_of_names(b)).tolist() == registers_of_names(a + b).tolist()


@pytest.mark.parametrize("different", [0, 1, 2, 30, 500, 3000, 100_000])
def test_the_count_is_off_by_no_more_than_is_stated(different):
    errors = []
    for seed in range(40):
        values = np.random.default_rng(seed).normal(size=different)
        found = estimate(registers_of_numbers(np.tile(values, 2)[None, :])[0])
        errors.append(np.log(max(found, 1e-9) / max(different, 1e-9)))

    assert np.abs(np.mean(errors)) < 4 * np.sqrt(VARIANCE / 40)
    assert np.sqrt(np.mean(np.square(errors))) < 1.3 * np.sqrt(VARIANCE)


def test_nothing_counts_that_is_no_value_and_zero_has_one_sign():
    assert estimate(registers_of_numbers(np.array([[np.nan, np.inf, -np.inf]]))[0]) == 0.0
    assert estimate(registers_of_numbers(np.array([[0.0, -0.0]]))[0]) == pytest.approx(1.0, rel=0.01)


def test_columns_side_by_side_do_not_mix():
    values = np.random.default_rng(0).normal(size=(3, 400))
    together = registers_of_numbers(values)

    assert together.shape == (3, REGISTERS)
    assert all((together[i] == registers_of_numbers(values[i : i + 1])[0]).all() for i in range(3))
