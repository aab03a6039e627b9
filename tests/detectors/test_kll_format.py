"""Bytes from outside are looked at before the native library reads them."""

import numpy as np
import pytest
from datasketches import kll_doubles_sketch

from detectors.batch import SketchColumn
from detectors.kll_format import is_kll
from detectors.sketched import summarise_sketch


def sketch_of(n: int, k: int = 200) -> bytes:
    sketch = kll_doubles_sketch(k)
    sketch.update(np.random.default_rng(n).normal(size=n))
    return bytes(sketch.serialize())


@pytest.mark.parametrize("k", [8, 9, 200, 4000, 65535])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 199, 1000, 300_000])
def test_what_the_library_writes_is_a_sketch(n: int, k: int) -> None:
    assert is_kll(sketch_of(n, k))


def test_a_merged_sketch_is_a_sketch() -> None:
    merged, other = kll_doubles_sketch(200), kll_doubles_sketch(100)
    merged.update(np.arange(5000.0))
    other.update(np.arange(5000.0))
    merged.merge(other)
    assert is_kll(bytes(merged.serialize()))


def test_no_beginning_of_a_sketch_is_one() -> None:
    for n in (1, 2, 1000):
        whole = sketch_of(n)
        assert not any(is_kll(whole[:end]) for end in range(len(whole)))
        assert not is_kll(whole + bytes(8))


def test_a_value_without_an_order_is_no_value() -> None:
    whole = sketch_of(1000)
    assert not is_kll(whole[:-8] + np.array(np.nan).tobytes())


def test_mutated_sketches_end_nothing_but_themselves() -> None:
    random = np.random.default_rng(5)
    for n in (1, 2, 1000, 100_000):
        whole = sketch_of(n)
        for _ in range(500):
            mutated = bytearray(whole)
            for at in random.integers(0, min(len(whole), 64), random.integers(1, 5)):
                mutated[at] = random.integers(256)
            summary = summarise_sketch(SketchColumn(count=1000, kll=bytes(mutated)), None)
            assert np.isfinite(summary.points).all()
