"""What a model's scores meant while it was healthy: a smooth map from score to probability, learnt online.

Real models are rarely calibrated, and seldom wrong in a straight line. What must be found is a *change* of calibration,
so the tests of ``detectors.calibration`` compare outcomes with this map of the scores rather than with the scores
themselves. On log odds the map is a line that may bend at eleven knots, drawn towards the identity by its prior.

Source: J. Platt, "Probabilistic outputs for support vector machines" (1999); P. Eilers and B. Marx, "Flexible smoothing
with B-splines and penalties" (1996); recursive Bayesian logistic regression by Laplace's approximation (C. Bishop,
"Pattern recognition and machine learning", §4.5).
"""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST_SCORE: Final = 1e-6  # a score of exactly 0 or 1 has no logit
KNOTS: Final = np.array([-6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0])
LARGEST_LOGIT: Final = 14.0
NEWTON_STEPS: Final = 8
MEMORY_ROWS: Final = 30_000


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recalibration:
    """The map and how well it is known; 1.1 kB.

    values: log odds that outcomes have at each knot of the score's log odds, shape ``(11,)``. precision: of the
    posterior, prior included, shape ``(11, 11)``. rows: outcomes learnt from.
    """

    values: Floats = field(default_factory=KNOTS.copy)
    precision: Floats = field(default_factory=PRIOR.copy)
    rows: int = 0

    def log_odds(self, score_logit: Floats) -> Floats:
        """The map itself, from the score's log odds to the outcome's, shape ``(n,)``."""
        left = np.clip(np.searchsorted(KNOTS, score_logit) - 1, 0, KNOTS.size - 2)
        slope = np.diff(self.values) / np.diff(KNOTS)
        mapped: Floats = self.values[left] + slope[left] * (score_logit - KNOTS[left])
        return np.clip(mapped, -LARGEST_LOGIT, LARGEST_LOGIT)


def learn(known: Recalibration, score_logit: Floats, outcomes: Floats, memory_rows: int = MEMORY_ROWS) -> Recalibration:
    """Learn from outcomes of shape ``(n,)``: the mode of the posterior, found by Newton's method.

    After ``memory_rows`` outcomes the past fades, so that a slow harmless drift is followed.

    >>> rng = np.random.default_rng(7)
    >>> x = rng.normal(0, 1.5, 20_000)
    >>> y = (rng.random(20_000) < expit(0.4 + 0.8 * x)).astype(float)
    >>> known = learn(Recalibration(), x, y)
    >>> [round(float(value), 1) for value in known.log_odds(np.array([-1.0, 0.0, 1.0]))]
    [-0.4, 0.4, 1.2]
    """
    if score_logit.size == 0:
        return known
    keep = 1.0 if known.rows < memory_rows else max(0.0, 1.0 - score_logit.size / memory_rows)
    prior = PRIOR + keep * (known.precision - PRIOR)  # where there are no outcomes, certainty must not fade to none
    design = hats(score_logit)
    theta, precision = known.values, prior
    for _ in range(NEWTON_STEPS):
        probability = expit(theta @ design)
        precision = prior + (design * (probability * (1.0 - probability))) @ design.T
        step = np.linalg.solve(precision, design @ (outcomes - probability) - prior @ (theta - known.values))
        theta = theta + np.clip(step, -1.0, 1.0)  # a longer step leaves the region where the quadratic holds
        if float(np.abs(step).max()) < 1e-3:
            break
    rows = min(known.rows + score_logit.size, 10 * memory_rows)
    return Recalibration(values=theta, precision=precision, rows=rows)


def loosened(known: Recalibration) -> Recalibration:
    """The same map with only the prior's certainty: where a segment starts from."""
    return replace(known, precision=PRIOR.copy(), rows=0)
