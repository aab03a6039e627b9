"""States and summaries are data: what they are made of can be written structurally and read back."""

import dataclasses
import types
import typing
from enum import StrEnum

import numpy as np
import pytest

from detectors.dataset import BatchSummary, DatasetState, Policy
from detectors.summary import ColumnSummary

PLAIN = {int, float, bool, str, bytes, type(None)}


def problems(hint, where, seen):
    origin, given = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return
    if origin is np.ndarray or hint is np.ndarray:
        return
    if dataclasses.is_dataclass(hint):
        if hint not in seen:
            seen.add(hint)
            for name, held in typing.get_type_hints(hint).items():
                yield from problems(held, f"{where}.{name}", seen)
        return
    if origin in (types.UnionType, typing.Union):
        others = [one for one in given if one is not type(None)]
        if len(others) != 1:
            yield where
        for one in others:
            yield from problems(one, where, seen)
        return
    if origin in (tuple, list, dict):
        for one in given:
            if one is not Ellipsis:
                yield from problems(one, where, seen)
        return
    yield f"{where}: {hint}"


@pytest.mark.parametrize("kind", [DatasetState, BatchSummary, ColumnSummary, Policy])
def test_every_field_is_of_a_kind_that_can_be_written(kind):
    assert list(problems(kind, kind.__name__, set())) == []


def test_the_state_says_its_version():
    assert DatasetState(subject="a/b").version == 9
