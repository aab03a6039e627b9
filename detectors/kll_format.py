"""Whether bytes are a KLL sketch of doubles, asked before a native library reads them.

``datasketches`` trusts what it deserialises: offsets of levels that lie outside the sketch end the process instead of
raising. The layout is that of ``kll_sketch.hpp`` and ``kll_helper_impl.hpp`` of Apache DataSketches, little-endian:

* 8 bytes: preamble integers (2, or 5 with the 12 bytes below), version, family, flags, k (2 bytes), m, unused
* 12 bytes, unless empty or of a single value: n (8 bytes), least k (2 bytes), number of levels, unused
* 4 bytes a level: where it begins among the values; then the least and the greatest value, then those of the levels
"""

import struct
from itertools import pairwise

import numpy as np

FAMILY, M, LEAST_K = 15, 8, 8
EMPTY, SINGLE = 1, 4  # bits of the flags
MOST_LEVELS = 60  # n has 64 bits, and a value of level h stands for 2^h
DOUBLE = 8


def is_kll(serialised: bytes) -> bool:
    """Whether every count and offset lies within the bytes and agrees with n, and no value is NaN."""
    if len(serialised) < DOUBLE:
        return False
    preamble, version, family, flags, k, m, _ = struct.unpack_from("<BBBBHBB", serialised)
    if family != FAMILY or m != M or k < LEAST_K:
        return False
    if flags & EMPTY:
        return bool((preamble, version) == (2, 1))
    if flags & SINGLE:
        return bool((preamble, version) == (2, 2)) and len(serialised) == 2 * DOUBLE and _numbers(serialised, DOUBLE)
    return bool((preamble, version) == (5, 1)) and len(serialised) >= 20 and _whole(serialised, k)


def _whole(serialised: bytes, k: int) -> bool:
    """Whether the levels of a sketch of several values fit."""
    n, least_k, levels, _ = struct.unpack_from("<QHBB", serialised, 8)
    values = 20 + 4 * levels
    if not 1 <= levels <= MOST_LEVELS or not LEAST_K <= least_k <= k or len(serialised) < values:
        return False
    ends = [*struct.unpack_from(f"<{levels}I", serialised, 20), _capacity(k, levels)]
    held = [end - begin for begin, end in pairwise(ends)]
    if min(held) < 0 or sum(size << level for level, size in enumerate(held)) != n:
        return False
    return len(serialised) == values + DOUBLE * (2 + sum(held)) and _numbers(serialised, values)


def _capacity(k: int, levels: int) -> int:
    """Room for values in a sketch of so many levels."""
    return sum(max(M, _level_capacity(k, depth)) for depth in range(levels))


def _level_capacity(k: int, depth: int) -> int:
    """``k (2/3)^depth``, rounded as the library does."""
    if depth > 30:
        return _level_capacity(_level_capacity(k, depth // 2), depth - depth // 2)
    return ((k << depth + 1) // int(3**depth) + 1) >> 1


def _numbers(serialised: bytes, begin: int) -> bool:
    """Whether no value from ``begin`` on is NaN, which has no place in an order."""
    return not np.isnan(np.frombuffer(serialised, "<f8", offset=begin)).any()
