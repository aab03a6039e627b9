"""When the outcomes of a time are in: a watermark learnt from how late outcomes come.

Outcomes whose delay depends on their value (defaults come early, repayments late) look like a change of calibration in
arrival order. So a prediction is judged only once nearly all outcomes of its time have had the time to arrive.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.finding import Micros
from detectors.recalibration import Floats

STEPS: Final = 200  # quarter octaves from 1 ms to 35 years
PER_OCTAVE: Final = 4.0
SMALLEST_LOG2: Final = 10.0
ARRIVED: Final = 0.998
MEMORY_OUTCOMES: Final = 20_000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delays:
    """Faded counts of delays by quarter octave, shape ``(200,)``; 1.6 kB.

    now: the latest event time at which an outcome was observed; None before the first.
    """

    counts: Floats = field(default_factory=lambda: np.zeros(STEPS))
    now: Micros | None = None


def observe(known: Delays, delays: NDArray[np.int64]) -> Delays:
    """Learn from delays (outcome observed minus prediction scored, microseconds), shape ``(n,)``."""
    if delays.size == 0:
        return known
    octave = np.log2(np.maximum(delays, 1).astype(np.float64)) - SMALLEST_LOG2
    step = np.clip(np.ceil(PER_OCTAVE * octave), 0, STEPS - 1).astype(np.intp)
    keep = max(0.0, 1.0 - delays.size / MEMORY_OUTCOMES)
    return replace(known, counts=known.counts * keep + np.bincount(step, minlength=STEPS))


def moved(known: Delays, now: Micros) -> Delays:
    """Note that outcomes have been observed up to event time ``now``; time never runs backwards."""
    return known if known.now is not None and now <= known.now else replace(known, now=now)


def usual_delay(known: Delays, least: Micros = 0) -> Micros | None:
    """A delay within which 99.8 % of outcomes come, rounded up to a quarter of an octave; None before the first."""
    total = float(known.counts.sum())
    if total <= 0.0:
        return None
    step = int(np.searchsorted(np.cumsum(known.counts), ARRIVED * total))
    return max(least, round(math.exp2(SMALLEST_LOG2 + min(step, STEPS - 1) / PER_OCTAVE)))


def watermark(known: Delays, least: Micros = 0) -> Micros | None:
    """Predictions scored up to here have nearly all the outcomes they will ever get; None before the first outcome.

    It moves with outcomes alone, never with a clock: outcomes that are delivered once a week must not look missing.
    """
    delay = usual_delay(known, least)
    return None if delay is None or known.now is None else known.now - delay
