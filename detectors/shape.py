"""Shape conditioned on location: what scale, skew and tail do because the location moved is not their own change.

Per column, a recursive least squares of the three shape statistics on the deviation of the location and on its square;
its uncertainty keeps a shape from being accused where the location went further than ever before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from detectors.reference import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """The relation in ``c`` columns: 72 bytes each (categorical columns have one too, at rest).

    weights: float64 ``(c, 3, 2)``, of location and its square for scale, skew and tail. spread: float64 ``(c, 3)``, the
    upper triangle of their covariance in units of the sampling variance.
    """

    weights: Floats
    spread: Floats


def empty_shape(columns: int) -> Shape:
    """Nothing known: coefficients of about one are thought possible for a batch of a hundred rows."""
    spread = np.tile(np.array([100.0, 0.0, 100.0]), (columns, 1))
    return Shape(weights=np.zeros((columns, 3, 2)), spread=spread)


def explained(shape: Shape, at: NDArray[np.int64], location: Floats) -> tuple[Floats, Floats]:
    """What deviations of the location explain of the shapes, ``(k, 3)``, and their leverage, ``(k,)``.

    at: which ``k`` columns; location: their deviations.
    """
    x = np.stack([location, location**2], axis=1)
    a, b, d = shape.spread[at].T
    leverage = a * x[:, 0] ** 2 + 2 * b * x[:, 0] * x[:, 1] + d * x[:, 1] ** 2
    return np.einsum("csk,ck->cs", shape.weights[at], x), leverage


def misfit(location: Floats) -> Floats:
    """Variance of scale, skew and tail that no parabola explains once the location is far from where it was, (k, 3).

    They are polynomials of second, third and fourth degree, so this is how they grow.
    """
    beyond = np.maximum(np.abs(location), 1.0)
    size = 0.5 * location[:, None] ** 2 * beyond[:, None] ** np.arange(3)
    return size**2


def outside(location: Floats) -> Floats:
    """How much the (arcsine) rate out of range may grow because the location moved."""
    beyond: Floats = np.arcsin(np.sqrt(ndtr(np.abs(location) - 2.5))) - 0.08
    return np.maximum(0.15 * np.abs(location), beyond)


def learn_shape(shape: Shape, at: NDArray[np.int64], location: Floats, surprise: Floats) -> Shape:
    """With one more batch of the ``k`` columns ``at``. surprise: of their three shapes, ``(k, 3)``."""
    x = np.stack([location, location**2], axis=1)
    a, b, d = shape.spread[at].T
    gain = np.stack([a * x[:, 0] + b * x[:, 1], b * x[:, 0] + d * x[:, 1]], axis=1)
    taken = gain / (1 + (gain * x).sum(axis=1))[:, None]
    weights, spread = shape.weights.copy(), shape.spread.copy()
    weights[at] += surprise[:, :, None] * taken[:, None, :]
    spread[at] -= np.stack([taken[:, 0] * gain[:, 0], taken[:, 0] * gain[:, 1], taken[:, 1] * gain[:, 1]], axis=1)
    return Shape(weights=weights, spread=spread)
