"""Page-Hinkley over many standardised statistics at once: a second opinion that can be selected.

The test of ``river.drift.PageHinkley`` (``alpha=1``, ``min_instances=1``) in both directions, as plain arrays that a
state can hold: deviations from the running mean, less half a standard deviation, are summed, and the sum may not rise
far above its minimum (Page 1954; Hinkley 1971). With that allowance it is measured in nats.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats

DELTA = 0.5  # standard deviations: the test is then sharpest for shifts of one
MEMORY = 4096.0  # batches


@dataclass(slots=True, eq=False)
class PageHinkley:
    """The state of ``m`` statistics, arrays of shape ``(m,)``: 16 bytes each.

    count: values taken. mean: of them. up, down: how far each sum is above its minimum.
    """

    count: NDArray[np.float32]
    mean: NDArray[np.float32]
    up: NDArray[np.float32]
    down: NDArray[np.float32]


def empty_page_hinkley(m: int) -> PageHinkley:
    """Nothing taken yet of ``m`` statistics."""
    return PageHinkley(*(np.zeros(m, np.float32) for _ in range(4)))


def take(test: PageHinkley, z: Floats, tolerance: Floats, live: NDArray[np.bool_], clip: float) -> PageHinkley:
    """With one more standardised value of each statistic that is ``live``, clipped at ``clip``."""
    x = np.clip(z, -clip, clip)
    count = np.minimum(test.count + 1.0, MEMORY)
    mean = test.mean + (x - test.mean) / count
    allowed = DELTA + tolerance
    up = np.maximum(test.up + (x - mean) - allowed, 0.0)
    down = np.maximum(test.down - (x - mean) - allowed, 0.0)
    pairs = ((count, test.count), (mean, test.mean), (up, test.up), (down, test.down))
    return PageHinkley(*(np.where(live, new, old).astype(np.float32) for new, old in pairs))


def crossed(test: PageHinkley, limit: Floats) -> NDArray[np.bool_]:
    """Which statistics have drifted by more than ``limit`` nats in either direction."""
    beyond: NDArray[np.bool_] = np.maximum(test.up, test.down) > limit
    return beyond


def restart(test: PageHinkley, chosen: NDArray[np.bool_]) -> PageHinkley:
    """Set the sums of the ``chosen`` statistics to zero; their means stay."""
    none = np.float32(0)
    return PageHinkley(test.count, test.mean, np.where(chosen, none, test.up), np.where(chosen, none, test.down))
