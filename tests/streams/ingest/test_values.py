import math

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Codes, Numbers
from streams.ingest.values import Field, Kind, read, texts

ALL = np.arange(5)


def test_numbers_keep_missing_apart_from_wrong() -> None:
    values = read(pl.Series(["1.5", "", "NA", "abc", "-inf"]), Field(name="x", kind=Kind.NUMBER))
    assert values.wrong.tolist() == [False, False, False, True, False]
    column = values.column(ALL).values
    assert isinstance(column, Numbers)
    assert column.values[0] == 1.5
    assert np.isnan(column.values[1:4]).all()
    assert column.values[4] == -math.inf


def test_texts_become_codes_of_the_words_in_use() -> None:
    values = read(pl.Series(["b", "a", "", None, "b"]), Field(name="x", kind=Kind.TEXT))
    column = values.column(ALL).values
    assert isinstance(column, Codes)
    assert column.codes.dtype == np.int32
    assert [column.dictionary[code] if code >= 0 else None for code in column.codes] == ["b", "a", None, None, "b"]
    few = values.column(np.array([1, 2])).values
    assert isinstance(few, Codes)
    assert few.dictionary == ("a",)
    assert few.codes.tolist() == [0, -1]


def test_a_word_that_means_missing_among_numbers_is_a_word_among_texts() -> None:
    values = read(pl.Series(["NA", "EU"]), Field(name="region", kind=Kind.TEXT))
    assert values.words(np.array([0, 1])) == ("NA", "EU")


def test_booleans_are_true_or_false_and_nothing_else() -> None:
    values = read(pl.Series(["True", "FALSE", "", "maybe", "true"]), Field(name="x", kind=Kind.BOOLEAN))
    assert values.wrong.tolist() == [False, False, False, True, False]
    assert values.words(ALL) == ("true", "false", "", "", "true")


def test_times_are_seconds_since_the_epoch() -> None:
    values = read(pl.Series(["1970-01-02", "", "soon"]), Field(name="x", kind=Kind.TIME))
    assert values.wrong.tolist() == [False, False, True]
    assert values.numbers is not None
    assert values.numbers[0] == 86_400


def test_whole_floats_are_written_as_ids_are() -> None:
    assert texts(pl.Series([1.0, 2.0, None])) == ["1", "2", ""]
    assert texts(pl.Series([1.5, 2.0])) == ["1.5", "2.0"]
    assert texts(pl.Series(["0001", " b "])) == ["0001", "b"]


@settings(max_examples=50)
@given(st.lists(st.floats(allow_nan=False, width=64), min_size=1))
def test_a_number_written_by_python_is_read_exactly(numbers: list[float]) -> None:
    values = read(pl.Series([repr(number) for number in numbers]), Field(name="x", kind=Kind.NUMBER))
    assert values.numbers is not None
    assert values.numbers.tolist() == numbers
    assert not values.wrong.any()
