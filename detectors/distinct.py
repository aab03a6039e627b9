"""Different values of a column that comes in pieces: HyperLogLog registers, which add up to those of the whole.

Counts of different values do not add; the largest hash seen per register does, exactly, however the rows were cut
(Flajolet et al. 2007). Estimated after Ertl (2017, "New cardinality estimation algorithms for HyperLogLog sketches",
algorithm 4), which is unbiased from one value to billions without tables.
"""

from collections.abc import Iterable
from math import log
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats

BITS = 9
REGISTERS = 1 << BITS  # 512 bytes a column
VARIANCE = 1.04**2 / REGISTERS  # of the logarithm of an estimate: it is off by 4.6 % (one standard deviation)

Registers = NDArray[np.uint8]


def registers_of_numbers(values: Floats) -> Registers:
    """Registers of each row of ``values``, float64 of shape ``(columns, rows)``: uint8 of shape ``(columns, 512)``.

    NaN and infinities are no values; minus zero is zero.
    """
    hashed = mixed((values + 0.0).view(np.uint64))
    return _registers(hashed, np.isfinite(values))


def registers_of_names(names: Iterable[str]) -> Registers:
    """Registers of some texts, uint8 of shape ``(512,)``."""
    codes = np.array([crc32(name.encode()) for name in names], np.uint64)
    alone: Registers = _registers(mixed(codes)[None, :], np.ones((1, len(codes)), np.bool_))[0]
    return alone


def mixed(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of each 64-bit code (the finaliser of SplitMix64, Steele et al. 2014)."""
    codes = codes + np.uint64(0x9E3779B97F4A7C15)
    codes = (codes ^ (codes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ (codes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return codes ^ (codes >> np.uint64(31))


def _registers(hashed: NDArray[np.uint64], valid: NDArray[np.bool_]) -> Registers:
    """The most leading zeros of the hashes that fell into each register, plus one; 0 where none fell."""
    columns = len(hashed)
    place = (hashed >> np.uint64(64 - BITS)).astype(np.int64) + REGISTERS * np.arange(columns)[:, None]
    rest = (hashed << np.uint64(BITS)) | np.uint64(1 << BITS - 1)  # the hash ends here
    rank = 65 - np.frexp(rest.astype(np.float64))[1]
    found = np.zeros(columns * REGISTERS, np.uint8)
    np.maximum.at(found, place[valid], rank[valid].astype(np.uint8))
    return found.reshape(columns, REGISTERS)


def estimate(registers: Registers) -> float:
    """How many different values were seen, 0.0 if none."""
    held = np.bincount(registers, minlength=65)
    share = held[0] / REGISTERS
    if share == 1.0:
        return 0.0
    total = REGISTERS * _sigma(share) + float(np.ldexp(held[1:], -np.arange(1, len(held))).sum())
    return REGISTERS * REGISTERS / (2 * log(2.0) * total)


def _sigma(x: float) -> float:
    """Of Ertl's estimator: ``x + sum over k >= 1 of x^(2^k) 2^(k - 1)``."""
    power, total, before = 1.0, x, -1.0
    while total != before:
        x, before = x * x, total
        total += x * power
        power += power
    return total
