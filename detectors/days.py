"""Times of a day and of a week as a regression on their harmonics sees them, with and without the weekly ones."""

from dataclasses import dataclass

import numpy as np

from detectors.finding import Micros
from detectors.reference import Floats

DAY = 86_400_000_000
PERIODS = np.array([DAY, DAY / 2, DAY / 3, 7 * DAY, 3.5 * DAY])
TERMS = 1 + 2 * len(PERIODS)
WEEKLY = np.concatenate([[False], np.tile(PERIODS > DAY, 2)])  # which terms
_DAYS, _WEEK = np.ix_(~WEEKLY, ~WEEKLY), np.ix_(WEEKLY, ~WEEKLY)  # where the matrix is of days, and ties weeks to them


def terms(at: Micros) -> Floats:
    """One, and cosine and sine of every period at event time ``at``, shape ``(11,)``."""
    angle = 2 * np.pi * ((at % (7 * DAY)) / PERIODS)
    return np.concatenate([[1.0], np.cos(angle), np.sin(angle)])


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """A time as it is seen without weekly terms.

    alone: ``terms`` of the time, ``(11,)``, the weekly ones as the others predict them: by them the weights of all
    terms give the season without the weekly ones, for least squares without some terms follow from those with all
    (Frisch and Waugh 1933). reach: ``(7,)``, what a batch at that time would move each weight by. leverage: how
    uncertain that season is, variance in units of a batch's own.
    """

    alone: Floats
    reach: Floats
    leverage: float


def days_at(matrix: Floats, now: Floats) -> Days:
    """The time of which ``now`` are the ``terms``, by the regression's ``matrix``."""
    reach = np.linalg.solve(matrix[_DAYS], now[~WEEKLY])
    alone = now.copy()
    alone[WEEKLY] = matrix[_WEEK] @ reach
    return Days(alone, reach, max(float(now[~WEEKLY] @ reach), 0.0))
