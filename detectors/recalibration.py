"""What a model's scores meant while it was healthy: a smooth map from score to probability, learnt online.

Real models are rarely calibrated, and seldom wrong in a straight line. What must be found is a *change* of calibration,
so the tests of ``detectors.calibration`` compare outcomes with this map of the scores rather than with the scores
themselves. On log odds the map is a line that may bend at eleven knots, drawn towards the identity by its prior.

Source: J. Platt, "Probabilistic outputs for support vector machines" (1999); P. Eilers and B. Marx, "Flexible smoothing
with B-splines and penalties" (1996); Bayesian logistic regression by Laplace's approximation (C. Bishop, "Pattern
recognition and machine learning", §4.5).
"""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST_SCORE: Final = 1e-6  # a score of exactly 0 or 1 has no logit
KNOTS: Final = np.array([-6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0])
LARGEST_LOGIT: Final = 14.0
SHELVES: Final = 256
NEWTON_STEPS: Final = 8
MEMORY_ROWS: Final = 100_000


def _prior_precision() -> Floats:
    """A model fit for use: level 0 +- 1, slope 1 +- 0.5, and a bend of 0 +- 0.5 at each knot."""
    level = np.eye(KNOTS.size)[KNOTS.size // 2]
    slope = (np.eye(KNOTS.size)[-1] - np.eye(KNOTS.size)[0]) / (KNOTS[-1] - KNOTS[0])
    bends = np.diff(np.diff(np.eye(KNOTS.size), axis=0) / np.diff(KNOTS)[:, None], axis=0)
    rows = np.vstack([level, slope / 0.5, bends / 0.5])
    precision: Floats = rows.T @ rows
    return precision


PRIOR: Final = _prior_precision()


def logit(scores: Floats) -> Floats:
    """Log odds of ``scores``, shape ``(n,)``, clipped to ``[1e-6, 1 - 1e-6]``."""
    clipped = np.clip(scores, SMALLEST_SCORE, 1.0 - SMALLEST_SCORE)
    odds: Floats = np.log(clipped / (1.0 - clipped))
    return odds


def expit(log_odds: Floats) -> Floats:
    """Probability of ``log_odds``, any shape; exact to rounding for |log odds| up to 700."""
    probability: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return probability


def hats(score_logit: Floats) -> Floats:
    """The knots' shares in each value, shape ``(11, n)``; beyond the outer knots the line goes on."""
    left = np.clip(np.searchsorted(KNOTS, score_logit) - 1, 0, KNOTS.size - 2)
    right = (score_logit - KNOTS[left]) / (KNOTS[left + 1] - KNOTS[left])
    shares = np.zeros((KNOTS.size, score_logit.size))
    column = np.arange(score_logit.size)
    shares[left, column] = 1.0 - right
    shares[left + 1, column] = right
    return shares


SHELF_LOGITS: Final[Floats] = np.arange(0.5, SHELVES, dtype=np.float64) * (2 * LARGEST_LOGIT / SHELVES) - LARGEST_LOGIT
SHELF_HATS: Final = hats(SHELF_LOGITS)


def shelf_of(score_logit: Floats) -> NDArray[np.intp]:
    """Which of the 256 equal shelves between -14 and 14 each value lies on; 0 is an edge."""
    place = (score_logit / LARGEST_LOGIT + 1.0) * (SHELVES / 2)
    return np.clip(place, 0, SHELVES - 1).astype(np.intp)


def _nothing() -> Floats:
    return np.zeros((2, SHELVES))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recalibration:
    """The map and how well it is known; 5.1 kB.

    values: log odds that outcomes have at each knot of the score's log odds, shape ``(11,)``. precision: of the
    posterior, prior included, shape ``(11, 11)``. counts: faded outcomes 0 and 1 by shelf of the score, shape
    ``(2, 256)``. rows: outcomes learnt from. centre: the mean of their log odds, each counted ``p (1 - p)`` times:
    about it log odds may be stretched a little while outcomes stay as frequent.
    """

    values: Floats = field(default_factory=KNOTS.copy)
    precision: Floats = field(default_factory=PRIOR.copy)
    counts: Floats = field(default_factory=_nothing)
    rows: int = 0
    centre: float = 0.0

    def log_odds(self, score_logit: Floats) -> Floats:
        """The map itself, from the score's log odds to the outcome's, shape ``(n,)``."""
        left = np.clip(np.searchsorted(KNOTS, score_logit) - 1, 0, KNOTS.size - 2)
        slope = np.diff(self.values) / np.diff(KNOTS)
        mapped: Floats = self.values[left] + slope[left] * (score_logit - KNOTS[left])
        return np.clip(mapped, -LARGEST_LOGIT, LARGEST_LOGIT)


def tally(score_logit: Floats, outcomes: Floats) -> NDArray[np.float32]:
    """Outcomes (0 or 1, shape ``(n,)``) by shelf of the score, shape ``(2, 256)``."""
    shelf = shelf_of(score_logit) + SHELVES * (outcomes > 0.5)
    return np.bincount(shelf, minlength=2 * SHELVES).reshape(2, SHELVES).astype(np.float32)


def count(known: Recalibration, outcomes: NDArray[np.float32]) -> Recalibration:
    """Take outcomes, as a ``tally``, into account at the next ``fit``."""
    return replace(known, counts=known.counts + outcomes, rows=known.rows + round(float(outcomes.sum())))


def fit(known: Recalibration, memory_rows: int = MEMORY_ROWS) -> Recalibration:
    """The mode of the posterior given what was counted, by Newton's method from where it was.

    Counts beyond ``memory_rows`` fade, so that a slow harmless drift is followed.

    >>> rng = np.random.default_rng(7)
    >>> x = rng.normal(0, 1.5, 20_000)
    >>> y = (rng.random(20_000) < expit(0.4 + 0.8 * x)).astype(float)
    >>> known = fit(count(Recalibration(), tally(x, y)))
    >>> [round(float(value), 1) for value in known.log_odds(np.array([-1.0, 0.0, 1.0]))]
    [-0.4, 0.4, 1.2]
    """
    total = float(known.counts.sum())
    counts = known.counts * min(1.0, memory_rows / max(total, 1.0))
    held = counts.sum(axis=0)
    used = held > 0.0
    design, held, ones = SHELF_HATS[:, used], held[used], counts[1, used]
    theta, precision = known.values, PRIOR
    for _ in range(NEWTON_STEPS):
        probability = expit(theta @ design)
        precision = PRIOR + (design * (held * probability * (1.0 - probability))) @ design.T
        step = np.linalg.solve(precision, design @ (ones - held * probability) - PRIOR @ (theta - KNOTS))
        theta = theta + np.clip(step, -1.0, 1.0)  # a longer step leaves the region where the quadratic holds
        if float(np.abs(step).max()) < 1e-3:
            break
    log_odds = theta @ design
    probability = expit(log_odds)
    weight = held * probability * (1.0 - probability)
    centre = float(weight @ log_odds / max(float(weight.sum()), 1e-12))
    return replace(known, values=theta, precision=precision, counts=counts, centre=centre)


def loosened(known: Recalibration) -> Recalibration:
    """The same map, of which nothing is certain yet: where a segment starts from."""
    return Recalibration(values=known.values)
