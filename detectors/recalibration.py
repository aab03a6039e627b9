"""What a model's scores meant while it was healthy: a logistic map from score to probability, learnt online.

Real models are rarely calibrated. What must be found is a *change* of calibration, so the tests of
``detectors.calibration`` compare outcomes with this map of the scores rather than with the scores themselves.

Source: J. Platt, "Probabilistic outputs for support vector machines" (1999); recursive Bayesian logistic regression by
Laplace's approximation (Bishop, "Pattern recognition and machine learning", §4.5).
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST_SCORE = 1e-6  # a score of exactly 0 or 1 has no logit
PRIOR_PRECISION = np.diag([1.0, 4.0])  # intercept 0 +- 1, slope 1 +- 0.5: a model that is fit for use
NEWTON_STEPS = 8
MEMORY_ROWS = 30_000


def logit(scores: Floats) -> Floats:
    """Log odds of ``scores``, shape ``(n,)``, clipped to ``[1e-6, 1 - 1e-6]``."""
    clipped = np.clip(scores, SMALLEST_SCORE, 1.0 - SMALLEST_SCORE)
    odds: Floats = np.log(clipped / (1.0 - clipped))
    return odds


def expit(log_odds: Floats) -> Floats:
    """Probability of ``log_odds``, any shape; exact to rounding for |log odds| up to 700."""
    probability: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return probability


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recalibration:
    """``P(outcome = 1) = expit(intercept + slope * logit(score))`` and how well that is known.

    precision: the posterior precision of ``(intercept, slope)``, float64, shape ``(2, 2)``, prior included.
    rows: outcomes learnt from. About 100 bytes.
    """

    intercept: float = 0.0
    slope: float = 1.0
    precision: Floats = field(default_factory=PRIOR_PRECISION.copy)
    rows: int = 0

    def log_odds(self, score_logit: Floats) -> Floats:
        """The map itself, on log odds."""
        mapped: Floats = self.intercept + self.slope * score_logit
        return mapped


def learn(known: Recalibration, score_logit: Floats, outcomes: Floats, memory_rows: int = MEMORY_ROWS) -> Recalibration:
    """Learn from outcomes of shape ``(n,)``: the mode of the posterior, found by Newton's method.

    After ``memory_rows`` outcomes the past fades, so that a slow harmless drift is followed.

    >>> rng = np.random.default_rng(7)
    >>> x = rng.normal(0, 1.5, 20_000)
    >>> y = (rng.random(20_000) < expit(0.4 + 0.8 * x)).astype(float)
    >>> known = learn(Recalibration(), x, y)
    >>> round(known.intercept, 1), round(known.slope, 1)
    (0.4, 0.8)
    """
    if score_logit.size == 0:
        return known
    keep = 1.0 if known.rows < memory_rows else max(0.0, 1.0 - score_logit.size / memory_rows)
    prior = known.precision * keep
    centre = np.array([known.intercept, known.slope])
    design = np.stack([np.ones_like(score_logit), score_logit])
    theta = centre
    precision = prior
    for _ in range(NEWTON_STEPS):
        probability = expit(theta @ design)
        precision = prior + (design * (probability * (1.0 - probability))) @ design.T
        step = np.linalg.solve(precision, design @ (outcomes - probability) - prior @ (theta - centre))
        theta = theta + np.clip(step, -1.0, 1.0)  # a longer step leaves the region where the quadratic holds
        if float(np.abs(step).max()) < 1e-4:
            break
    return Recalibration(
        intercept=float(theta[0]),
        slope=float(theta[1]),
        precision=precision,
        rows=min(known.rows + score_logit.size, 10 * memory_rows),
    )


def loosened(known: Recalibration) -> Recalibration:
    """The same map with only the prior's certainty: where a segment starts from."""
    return replace(known, precision=PRIOR_PRECISION.copy(), rows=0)
