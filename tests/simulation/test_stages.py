"""Stages: left joins, cleaning, and tables that miss what they should have."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.columns import Categories, number, rows_of, take
from simulation.stages import Clean, matches

keys = st.lists(st.integers(0, 6), max_size=12)


@settings(max_examples=60, deadline=None)
@given(keys, keys)
def test_a_left_join_pairs_every_row_with_each_of_its_matches(left: list[int], right: list[int]) -> None:
    chosen, matched = matches(np.array(left, float), np.array(right, float))
    expected = [
        (i, j) for i, key in enumerate(left) for j in ([j for j, other in enumerate(right) if other == key] or [-1])
    ]
    assert list(zip(chosen.tolist(), matched.tolist(), strict=True)) == expected


def test_taking_row_minus_one_gives_a_row_of_missing_values() -> None:
    table = {"x": np.array([1.0, 2.0]), "c": Categories(("a", "b"), np.array([0, 1], np.int32))}
    taken = take(table, np.array([1, -1]))
    assert np.array_equal(number(taken, "x"), [2.0, np.nan], equal_nan=True)
    assert isinstance(taken["c"], Categories)
    assert taken["c"].codes.tolist() == [1, -1]


def test_cleaning_drops_rows_without_a_required_value_and_fills_others() -> None:
    raw = {"amount": np.array([1.0, np.nan, 3.0]), "discount": np.array([np.nan, 1.0, 2.0]), "junk": np.zeros(3)}
    clean = Clean(
        dataset="orders",
        parent="raw",
        columns=("amount", "discount", "later"),
        required=("amount",),
        fill={"discount": 0.0},
    )
    table = clean.make([raw])
    assert rows_of(table) == 2
    assert number(table, "discount").tolist() == [0.0, 2.0]
    assert np.isnan(number(table, "later")).all()
    assert "junk" not in table
