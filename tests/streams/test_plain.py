from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from streams.plain import UnreadableState, from_bytes, to_bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inner:
    values: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outer:
    name: str
    inner: Inner | None = None
    counts: dict[str, int] = field(default_factory=dict)
    pairs: tuple[tuple[str, float], ...] = ()


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=8)))
def test_an_array_comes_back_to_the_bit_with_its_shape(values: NDArray[np.float64]) -> None:
    back = from_bytes(Inner, to_bytes(Inner(values=values)))
    assert back.values.shape == values.shape
    assert back.values.tobytes() == values.tobytes()


@given(st.text(), st.dictionaries(st.text(), st.integers(-(2**63), 2**64 - 1)))
def test_nested_dataclasses_come_back(name: str, counts: dict[str, int]) -> None:
    back = from_bytes(Outer, to_bytes(Outer(name=name, inner=Inner(), counts=counts, pairs=(("a", 1.5),))))
    assert (back.name, back.counts, back.pairs) == (name, counts, (("a", 1.5),))
    assert back.inner is not None


def test_hashes_keep_all_64_bits() -> None:
    hashes = np.array([2**64 - 1, 1], np.uint64)
    assert from_bytes(Inner, to_bytes(Inner(hashes=hashes))).hashes.tolist() == hashes.tolist()


@pytest.mark.parametrize("damaged", [b"", b"\xc1", to_bytes(Inner()), to_bytes(Outer(name="a"))[:-1]])
def test_damaged_bytes_are_an_error_that_says_what_they_should_have_been(damaged: bytes) -> None:
    with pytest.raises(UnreadableState, match="Outer"):
        from_bytes(Outer, damaged)


def test_what_is_not_plain_data_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="numpy scalar"):
        to_bytes(np.float32(1.0))
    with pytest.raises(TypeError, match="plain data"):
        to_bytes(object())
