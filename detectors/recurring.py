"""Days that are like the day before: seasons that alarm before they are known.

What alarms is not learnt, so a season that alarms every day never would be. Here every batch is, and each day is held
against the one before it: only what comes back at the same hours was told by yesterday better than by yesterday's mean.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import Baseline, Judged
from detectors.reference import Floats

TERMS = 7  # one, and cosine and sine of a day, half a day and a third of it


@dataclass(slots=True, eq=False)
class Recurring:
    """What every day was like, of ``m`` statistics: 68 bytes each, as stored.

    every: float32 ``(m, 7)``, level and daily harmonics, learnt from every batch. yesterday: what that was when the
    latest day since the first batch began, zeros before. Squared errors in units of the sampling variance, since the
    first day: error, of yesterday's season; mean_error, of yesterday's mean; judged_error, of what batches were judged
    by.
    """

    every: NDArray[np.float32]
    yesterday: NDArray[np.float32]
    error: Floats
    mean_error: Floats
    judged_error: Floats


def empty_recurring(m: int) -> Recurring:
    """Nothing known of ``m`` statistics."""
    weights, zeros = np.zeros((m, TERMS), np.float32), np.zeros(m)
    return Recurring(weights, weights, zeros, zeros, zeros)


def learn_day(
    known: Recurring,
    baseline: Baseline,
    value: Floats,
    judged: Judged,
    sampling: Floats,
    live: NDArray[np.bool_],
    now: Floats,
    usual: Floats,
    gain: Floats,
    share: Floats,
    dawned: bool,
) -> Recurring:
    """With one more batch, whether it alarmed or not.

    now: the terms at this time, ``(7,)``. usual: on average, by which a season leads to its mean. gain: by what the
    batch moves each weight. share: what a batch counts for in an error. dawned: whether it is the first of a day.
    """
    every = known.every.astype(np.float64)
    yesterday = every if dawned else known.yesterday.astype(np.float64)
    first = live & (baseline.count == 0)
    every[first, 0] += value[first] - every[first] @ now
    off = np.where(live, value - every @ now, 0.0)
    share = (live & yesterday.any(axis=1)) * share
    return Recurring(
        every=(every + off[:, None] * gain).astype(np.float32),
        yesterday=yesterday.astype(np.float32),
        error=_faded(known.error, share, value - yesterday @ now, sampling),
        mean_error=_faded(known.mean_error, share, value - yesterday @ usual, sampling),
        judged_error=_faded(known.judged_error, share, judged.surprise, sampling),
    )


def _faded(error: Floats, share: Floats, surprise: Floats, sampling: Floats) -> Floats:
    return np.where(share > 0, error + share * (surprise**2 / sampling - error), error)


def recurs(known: Recurring, better: Floats) -> NDArray[np.bool_]:
    """Whether yesterday told the latest day, by a share of the error that is ``better`` beyond doubt."""
    found: NDArray[np.bool_] = known.error < better * np.minimum(known.mean_error, known.judged_error)
    return found


def believed(known: Recurring, chosen: NDArray[np.bool_]) -> Recurring:
    """Once the days of the ``chosen`` are judged by, they must be missed again before they are found again."""
    return replace(known, judged_error=np.where(chosen, known.error, known.judged_error))
