"""ADWIN over many standardised statistics at once: a second opinion that can be selected.

The test of ``river.drift.ADWIN`` (``clock=1``), as plain arrays that a state can hold: a window of the latest values as
an exponential histogram, cut wherever the means of its two sides differ by more than chance allows (Bifet and Gavaldà
2007). Like River's it starts afresh after an alarm.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats

ROWS = 10  # bucket sizes, 1 to 512: a window holds about 4,600 batches, then the oldest are let go
BUCKETS = 5  # of each size
LEAST = 5  # batches on each side of a cut
GRACE = 10  # batches before the first cut
SIZES = 2.0 ** np.arange(ROWS)


@dataclass(slots=True, eq=False)
class Adwin:
    """The windows of ``m`` statistics: 214 bytes each.

    sums: float32 ``(m, 10, 5)``, of the values in each bucket, by size of bucket, oldest first. held: int8 ``(m, 10)``,
    buckets of each size. squares: float32 ``(m,)``, summed squared deviations from the mean of the window.
    """

    sums: NDArray[np.float32]
    held: NDArray[np.int8]
    squares: NDArray[np.float32]


def empty_adwin(m: int) -> Adwin:
    """Nothing taken yet of ``m`` statistics."""
    return Adwin(np.zeros((m, ROWS, BUCKETS), np.float32), np.zeros((m, ROWS), np.int8), np.zeros(m, np.float32))


def take(test: Adwin, z: Floats, live: NDArray[np.bool_], clip: float) -> Adwin:
    """With one more standardised value of each statistic that is ``live``, clipped at ``clip``."""
    x = np.clip(z, -clip, clip)
    width, total = _width(test), _total(test)
    apart = x - total / np.maximum(width, 1)
    squares = test.squares + np.where(live, apart**2 * width / (width + 1), 0)
    sums = np.concatenate([test.sums, np.zeros((len(x), ROWS, 1), np.float32)], axis=2)
    held = test.held.copy()
    more, carried = live, x
    for row in range(ROWS):
        at = np.flatnonzero(more)
        if not len(at):
            break
        sums[at, row, held[at, row]] = carried[at]
        held[at, row] += 1
        more = more & (held[:, row] > BUCKETS)
        carried = sums[:, row, 0] + sums[:, row, 1].astype(np.float64)
        sums[more, row, :-2], sums[more, row, -2:] = sums[more, row, 2:], 0
        held[more, row] -= 2
    lost = np.where(more, 2 * SIZES[-1], 0)  # what no row takes any more
    squares *= 1 - lost / np.maximum(width, 1)
    return Adwin(sums[:, :, :-1], held, squares.astype(np.float32))


def crossed(test: Adwin, tolerance: Floats, run_length: float) -> NDArray[np.bool_]:
    """Which windows show a change by more than ``tolerance``, as chance does once in ``run_length`` batches at most."""
    width = _width(test)
    order = np.arange(BUCKETS)
    older = (order < test.held[:, :, None])[:, ::-1]  # from the oldest bucket on
    sizes = np.where(older, SIZES[::-1, None], 0.0).reshape(len(width), -1)
    sums = np.where(older, test.sums[:, ::-1], 0.0).reshape(len(width), -1)
    n0, sum0 = np.cumsum(sizes, axis=1), np.cumsum(sums, axis=1)
    n1, sum1 = width[:, None] - n0, _total(test)[:, None] - sum0
    apart = np.abs(sum0 / np.maximum(n0, 1) - sum1 / np.maximum(n1, 1)) - tolerance[:, None]
    surprise = np.log(2 * np.log(np.maximum(width, 2)) * run_length)[:, None]
    rows = 1 / np.maximum(n0 - LEAST + 1, 1) + 1 / np.maximum(n1 - LEAST + 1, 1)
    variance = (test.squares / np.maximum(width, 1))[:, None]
    chance = np.sqrt(2 * rows * variance * surprise) + 2 / 3 * surprise * rows
    cut = (n0 >= LEAST) & (n1 >= LEAST) & (apart > chance)
    changed: NDArray[np.bool_] = (width > GRACE) & cut.any(axis=1)
    return changed


def restart(test: Adwin, chosen: NDArray[np.bool_]) -> Adwin:
    """Empty the windows of the ``chosen`` statistics."""
    kept = ~chosen
    return Adwin(test.sums * kept[:, None, None], test.held * kept[:, None], test.squares * kept)


def _width(test: Adwin) -> Floats:
    """Batches in each window."""
    width: Floats = test.held @ SIZES
    return width


def _total(test: Adwin) -> Floats:
    total: Floats = test.sums.sum(axis=(1, 2), dtype=np.float64)
    return total
