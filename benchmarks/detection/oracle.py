"""The CUSUM that knows law and size of the change: how long it takes, and how rarely it alarms for nothing."""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from benchmarks.detection.feeding import EACH, MONTH

RUN_LENGTH = EACH * MONTH  # batches between false alarms of one of the statistics that share one a month
CELLS = 400  # levels that its evidence is rounded to
LEAST = 1e-3  # nats


def page(shift: float, threshold: float, *, changed: bool = True) -> float:
    """Mean batches until the CUSUM of normal batches crosses ``threshold`` nats, from zero evidence.

    shift: of the mean, in standard deviations, which the CUSUM knows; ``changed``: whether it has happened. Solved as a
    Markov chain over the level of the evidence (Brook and Evans 1972).
    """
    edges = np.linspace(0, threshold, CELLS + 1)
    level = np.concatenate([[0.0], (edges[1:] + edges[:-1]) / 2])
    drift = shift**2 / 2 * (1 if changed else -1)
    below = norm.cdf((edges[None, :] - level[:, None] - drift) / shift)
    moves = np.concatenate([below[:, :1], np.diff(below, axis=1)], axis=1)
    return float(np.linalg.solve(np.eye(CELLS + 1) - moves, np.ones(CELLS + 1))[0])


def calibrated(shift: float) -> float:
    """The threshold at which it alarms for nothing once in ``RUN_LENGTH`` batches: lower than ln(``RUN_LENGTH``)."""

    def surplus(threshold: float) -> float:
        return float(np.log(page(shift, threshold, changed=False) / RUN_LENGTH))

    if norm.sf(shift / 2) < 1 / RUN_LENGTH:  # already the first step above zero is rarer
        return LEAST
    return float(brentq(surplus, LEAST, np.log(RUN_LENGTH)))
