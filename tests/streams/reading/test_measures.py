"""Numbers, times and durations as people read them."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.reading import measures, words


@pytest.mark.parametrize("module", [measures, words])
def test_the_examples_in_the_documentation_hold(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]  # modules

    assert found.attempted > 0
    assert found.failed == 0


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_has_a_short_text(value: float) -> None:
    assert 0 < len(measures.number(value)) <= 14


@given(st.integers(-(2**63), 2**63))
def test_every_time_has_a_text(at: int) -> None:
    assert measures.time(at)


@given(st.integers(0, 2**50))
def test_a_duration_has_at_most_two_units(micros: int) -> None:
    assert len(measures.duration(micros).split()) in (2, 4)
