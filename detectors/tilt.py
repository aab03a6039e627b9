"""The law nearest to a column's reference that has the location seen: exponential tilting.

Rows drawn from the reference look like it, given their location (Kullback 1959, minimum discrimination information;
Csiszár 1984, conditional limit theorem), and so do rows of a normal law that is shifted. What a batch shows beyond is
its shape's own. How much shapes vary from batch to batch depends on the location as well, and follows from that law.
"""

import numpy as np

from detectors.reference import CUTS, RANGE, Floats

STEPS = 8  # of Newton's method: exact to six decimals but where nearly all rows are in one bin
LEAST = 1e-6  # variance of the location, which is none where one bin holds all
UNSEEN = 1e-4  # of the rows, at the most, are in a bin beyond the range where the reference has none
BEYOND = ~np.isin(np.arange(CUTS + 1), np.arange(CUTS + 1)[RANGE])  # which bins these are


def completed(share: Floats, away: Floats) -> Floats:
    """The shares of the reference, ``(c, 46)``, and some for what may lie beyond its rows, which are few.

    away: what a row in each bin adds to the location, ``(c, 46)``.
    """
    return np.where(BEYOND & (share == 0), np.minimum(UNSEEN, np.exp(-(away**2) / 2)), share)


def tilted(share: Floats, away: Floats, location: Floats) -> Floats:
    """Share of each bin in the tilted reference, ``(c, 46)``.

    share: of the reference's rows in each bin, ``(c, 46)``. away: what a row in each bin adds to the location,
    likewise. location: ``(c,)``.
    """
    share = completed(share, away)
    least = np.where(share > 0, away, np.inf).min(axis=1)
    most = np.where(share > 0, away, -np.inf).max(axis=1)
    goal, tilt = location.clip(least, most), np.zeros(len(location))
    powers = np.array([away, away**2]).swapaxes(0, 1)
    for _ in range(STEPS):
        law = _law(share, away, tilt, least, most)
        mean, square = (law[:, None] * powers).sum(axis=2).T
        variance = np.maximum(square - mean**2, LEAST)
        stride = 1 + np.abs(tilt)  # the longest: far out the mean hardly moves with the tilt
        tilt += ((goal - mean) / variance).clip(-stride, stride)
    return _law(share, away, tilt, least, most)


def shapes_given(law: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Scale, skew and tail of ``law``, ``(c, 3)``, and the variance of a row's, its location known, likewise.

    At the location of the reference they are next to none, and one. The variance is the residual one of a regression on
    the location. law: share of each bin, ``(c, 46)``. scores: what a row in it adds to location, scale, skew and tail,
    ``(c, 46, 4)``.
    """
    means = np.einsum("cb,cbk->ck", law, scores)
    apart = scores - means[:, None]
    covariance = np.einsum("cb,cb,cbk->ck", law, apart[:, :, 0], apart)
    variance = np.einsum("cb,cbk->ck", law, apart**2)
    alone = variance - covariance**2 / np.maximum(variance[:, :1], LEAST)
    return means[:, 1:], alone[:, 1:]


def _law(share: Floats, away: Floats, tilt: Floats, least: Floats, most: Floats) -> Floats:
    """Share of each bin, proportional to ``exp(tilt * away)`` times the reference's; no exponent is above zero."""
    largest = np.maximum(tilt * least, tilt * most)[:, None]
    law: Floats = share * np.exp(np.minimum(tilt[:, None] * away - largest, 0.0))
    law /= law.sum(axis=1, keepdims=True)
    return law
