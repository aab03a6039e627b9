"""Shape conditioned on location: what scale, skew and tail do because the location moved is not their own change.

They are measured against the reference tilted to the location (``tilt``), which is right of a normal law that shifts
and a fair guess of others. Per column, a recursive least squares on the deviation of the location and on its square
learns what that guess leaves. No shape is accused while the location is further than it is known to go.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from detectors.reference import Floats

STAY_S = 43_200.0  # seconds of being there that make a location known
MOST = 0.125  # of the way to it that one batch makes known, however seldom they come
REACH = 2.0  # standard deviations of a row from the reference, beyond which its bins say little of shapes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """The relation in ``c`` columns: 56 bytes each (categorical columns have one too, at rest).

    weights: float32 ``(c, 3, 2)``, of location and its square for scale, skew and tail. spread: float64 ``(c, 3)``, the
    upper triangle of their covariance in units of the sampling variance. known: float32 ``(c, 2)``, from where to where
    the location is known to go; it begins with that of the reference, which is 0.
    """

    weights: NDArray[np.float32]
    spread: Floats
    known: NDArray[np.float32]


def empty_shape(columns: int) -> Shape:
    """Nothing known: coefficients of about one are thought possible for a batch of a hundred rows."""
    spread = np.tile(np.array([100.0, 0.0, 100.0]), (columns, 1))
    weights, known = np.zeros((columns, 3, 2), np.float32), np.zeros((columns, 2), np.float32)
    return Shape(weights=weights, spread=spread, known=known)


def explained(shape: Shape, at: NDArray[np.int64], location: Floats) -> tuple[Floats, Floats]:
    """What deviations of the location explain of the shapes, ``(k, 3)``, and their leverage, ``(k,)``.

    at: which ``k`` columns; location: their deviations.
    """
    x = np.array([location, location**2]).T
    a, b, d = shape.spread[at].T
    leverage = a * x[:, 0] ** 2 + 2 * b * x[:, 0] * x[:, 1] + d * x[:, 1] ** 2
    return np.einsum("csk,ck->cs", shape.weights[at], x), leverage


def beyond(shape: Shape, at: NDArray[np.int64], location: Floats) -> Floats:
    """How far the ``location`` of the columns ``at`` is from where it is known to go, ``(k,)``."""
    distance: Floats = np.abs(location - location.clip(*shape.known[at].T))
    return distance


def misfit(distance: Floats) -> Floats:
    """Variance of scale, skew and tail that nothing explains at a ``distance`` from known locations, ``(k, 3)``.

    They are polynomials of second, third and fourth degree, so this is how they grow.
    """
    steep = np.maximum(distance, 1.0)
    size = 0.5 * distance[:, None] ** 2 * steep[:, None] ** np.arange(3)
    return size**2


def outside(location: Floats) -> Floats:
    """How much the (arcsine) rate out of range may grow because the location moved."""
    grown: Floats = np.arcsin(np.sqrt(ndtr(np.abs(location) - 2.5))) - 0.08
    return np.maximum(0.15 * np.abs(location), grown)


def learn_shape(shape: Shape, at: NDArray[np.int64], location: Floats, surprise: Floats) -> Shape:
    """With one more batch of the ``k`` columns ``at``. surprise: of their three shapes, ``(k, 3)``."""
    x = np.array([location, location**2]).T
    a, b, d = shape.spread[at].T
    gain = np.array([a * x[:, 0] + b * x[:, 1], b * x[:, 0] + d * x[:, 1]]).T
    taken = gain / (1 + (gain * x).sum(axis=1))[:, None]
    weights, spread = shape.weights.copy(), shape.spread.copy()
    weights[at] += surprise[:, :, None] * taken[:, None, :]
    spread[at] -= np.array([taken[:, 0] * gain[:, 0], taken[:, 0] * gain[:, 1], taken[:, 1] * gain[:, 1]]).T
    return replace(shape, weights=weights, spread=spread)


def learn_range(shape: Shape, at: NDArray[np.int64], location: Floats, gap_s: float) -> Shape:
    """With one more location of the ``k`` columns ``at``. gap_s: usual seconds between batches.

    It takes half a day there until a location is known: by then its season and its neighbours tell of the shapes.
    """
    known = shape.known.copy()
    apart = location[:, None] - known[at]
    further = np.array([np.minimum(apart[:, 0], 0), np.maximum(apart[:, 1], 0)]).T
    known[at] += min(MOST, gap_s / STAY_S) * further
    return replace(shape, known=known.clip(-REACH, REACH))
