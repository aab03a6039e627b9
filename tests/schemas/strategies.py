"""Hypothesis: any event that a schema allows."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from schemas import catalogue
from schemas.shape import Enumeration, Integer, Record, Sequence, Table, Union, Vector, join
from tests.schemas.examples import CLASSES

TEXTS = st.text(max_size=12)


def events(name: str) -> SearchStrategy[Any]:
    """Events of one kind, sensible or not."""
    return of_shape(join(catalogue.current(name), CLASSES[name]))


def of_shape(shape: Any) -> SearchStrategy[Any]:
    match shape:
        case Record():
            return st.builds(shape.cls, **{member.name: of_shape(member.shape) for member in shape.members})
        case Union():
            return st.one_of([of_shape(branch) for branch in shape.branches])
        case Sequence():
            return st.lists(of_shape(shape.item), max_size=3).map(tuple)
        case Table():
            return st.dictionaries(TEXTS, of_shape(shape.value), max_size=3)
        case Vector(kind="double"):
            return st.lists(st.floats(), max_size=5).map(lambda values: np.array(values, np.float64))
        case Vector():
            return st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5).map(lambda values: np.array(values, np.int32))
        case Enumeration():
            return st.sampled_from(shape.members)
        case Integer(is_time=True):
            return st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)  # the years 1 to 9999
        case Integer():
            return st.integers(-(2 ** (shape.bits - 1)), 2 ** (shape.bits - 1) - 1)
    scalars: dict[str, SearchStrategy[Any]] = {
        "null": st.none(),
        "boolean": st.booleans(),
        "double": st.floats(),
        "string": TEXTS,
        "bytes": st.binary(max_size=12),
    }
    return scalars[shape.kind]
