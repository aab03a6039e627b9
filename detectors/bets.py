"""The ways in which a model may come to be miscalibrated, and what a bet on each has won.

A member bets on ``logit q = a + b * logit p`` against the healthy map ``p``, which is itself an estimate: it takes part
only once the outcomes the map was learnt from could themselves have told it from the map (half of ``u' precision u``
nats, ``u`` the member's direction); else the error of the map would in time be taken for a change.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.recalibration import Floats, Recalibration

SHIFTS: Final = np.array([-1.0, -0.5, -0.25, -0.1, 0.1, 0.25, 0.5, 1.0] + [0.0] * 6)
SLOPES: Final = np.array([1.0] * 8 + [0.5, 0.67, 0.8, 1.25, 1.5, 2.0])
MEMBERS: Final = SHIFTS.size
RESOLVABLE: Final = 100.0  # u' precision u: the map is ten standard errors from the member
LARGEST_STAKE: Final = 1e200


def live_members(healthy: Recalibration) -> NDArray[np.bool_]:
    """Which members the map is known well enough for, shape ``(14,)``."""
    direction = SHIFTS + (SLOPES - 1.0) * healthy.values[:, None]
    resolved = np.einsum("km,kl,lm->m", direction, healthy.precision, direction)
    live: NDArray[np.bool_] = resolved >= RESOLVABLE
    return live


def log_ratios(log_odds: Floats, outcomes: Floats, shifts: Floats, slopes: Floats) -> Floats:
    """``ln q(y) / p(y)`` of every member, shape ``(members, n)``, in nats."""
    alternative = shifts[:, None] + slopes[:, None] * log_odds
    ratios: Floats = outcomes * (alternative - log_odds) - _softplus(alternative) + _softplus(log_odds)
    return ratios


def _softplus(x: Floats) -> Floats:
    smooth: Floats = np.log1p(np.exp(x))  # |x| stays below 100: scores are clipped
    return smooth


def shiryaev_roberts(stake: Floats, total: Floats) -> Floats:
    """``M <- (M + 1) * ratio`` from ``stake`` on; ``total``, shape ``(members, n)``, sums the log ratios so far."""
    inverse = np.exp(-total)
    stakes: Floats = np.cumsum(inverse, axis=1)
    stakes += (stake + 1.0)[:, None] - inverse
    stakes /= inverse
    return np.minimum(stakes, LARGEST_STAKE)
