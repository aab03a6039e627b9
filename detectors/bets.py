"""The ways in which a model may come to be miscalibrated, and what a bet on each has won.

A member bets on ``logit q = a + b * logit p`` against the healthy map ``p``: that everything happens more or less often
(``b = 1``), or that confidence is off (``b``). The latter in two ways: log odds are stretched about even odds, as a
temperature does it, or about the centre of what was learnt, where outcomes stay as frequent as they were and follow the
scores more or less than before. Neither bet wins the other's money where most scores are small. The centre is that of
earlier outcomes, hence a bet that follows it is as fair as one that stays.

The map is itself an estimate: a member takes part only once the outcomes the map was learnt from could themselves have
told it from the map (half of ``u' precision u`` nats, ``u`` the member's direction); else the error of the map would in
time be taken for a change. Its share is not given to others until then: they are the less to be trusted the younger the
map is.

Source: C. Guo et al., "On calibration of modern neural networks" (2017), §4.2 for temperatures.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.recalibration import Floats, Recalibration

_SHIFTS: Final = np.array([-1.0, -0.5, -0.25, -0.1, 0.1, 0.25, 0.5, 1.0])
_SLOPES: Final = np.array([0.5, 0.67, 0.8, 1.25, 1.5, 2.0])
SHIFTS: Final = np.concatenate([_SHIFTS, np.zeros(2 * _SLOPES.size)])
SLOPES: Final = np.concatenate([np.ones(_SHIFTS.size), _SLOPES, _SLOPES])
CENTRED: Final = np.arange(SHIFTS.size) >= _SHIFTS.size + _SLOPES.size
LEVEL: Final = SLOPES == 1.0
MEMBERS: Final = SHIFTS.size
SHARES: Final = np.where(LEVEL, 0.5 / LEVEL.sum(), 0.5 / (~LEVEL).sum())  # half for each of both kinds
RESOLVABLE: Final = 100.0  # u' precision u: the map is ten standard errors from the member
LARGEST_STAKE: Final = 1e200
SMALLEST_STAKE: Final = 1e-300


def intercepts(healthy: Recalibration) -> Floats:
    """``a`` of every member, shape ``(20,)``."""
    levels: Floats = SHIFTS + np.where(CENTRED, (1.0 - SLOPES) * healthy.centre, 0.0)
    return levels


def live_members(healthy: Recalibration) -> NDArray[np.bool_]:
    """Which members the map is known well enough for, shape ``(20,)``."""
    direction = intercepts(healthy) + (SLOPES - 1.0) * healthy.values[:, None]
    resolved = np.einsum("km,kl,lm->m", direction, healthy.precision, direction)
    live: NDArray[np.bool_] = resolved >= RESOLVABLE
    return live


def log_ratios(log_odds: Floats, outcomes: Floats, levels: Floats, slopes: Floats) -> Floats:
    """``ln q(y) / p(y)`` of every member ``(a, b)``, shape ``(members, n)``, in nats."""
    alternative = levels[:, None] + slopes[:, None] * log_odds
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


def nats(stakes: Floats, shares: Floats) -> Floats:
    """Evidence of members of these shares, shape ``(members,)``, that won ``stakes``, shape ``(members, n)``."""
    evidence: Floats = np.log(np.maximum(shares @ stakes, SMALLEST_STAKE))
    return evidence
