"""Location, scale, skew and tail of a column's rows, from the bins they fall into."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from detectors.reference import Floats, Reference

BEND = 2.5  # standard deviations from the middle, where the location's weight of a row turns from linear to logarithmic
REACH = 100.0  # standard deviations from the last cut to where the rows beyond it are thought to be
RANK = 1e-3  # a function whose size over the reference is below is none: the column has too few different values
FEW, SUBJECTS = 64, 256  # columns of a subject, and subjects, whose functions are kept: 24 MB at the most
HEAVIEST = 30.0  # weight of a row for scale, skew or tail where the reference has none: that of one in a thousand


def polynomials(references: Sequence[Reference]) -> Floats:
    """What a row in each bin adds to location, scale, skew and tail; shape ``(columns, 46, 4)``, read-only.

    Orthonormal over the rows of the reference, and of bounded weight. Location is the inverse hyperbolic sine of the
    standardised value (Johnson 1949): linear where rows are dense, and still growing with a shift far beyond the
    reference, where ranks would stand still. The others are polynomials of the mean of the mid-PIT (the share below a
    bin plus half of its own) and of a slow logistic, for the same reason. What few different values determine runs away
    beyond them: a row of a kind that the reference does not have weighs no more than it could if one in a thousand were
    so. References do not change, so what they lead to is kept where columns are few.
    """
    work_out = _kept if len(references) <= FEW else _worked_out
    return work_out(tuple(references))


def _worked_out(references: tuple[Reference, ...]) -> Floats:
    share = np.stack([reference.share for reference in references]).astype(np.float64)
    cuts = np.stack([reference.cuts for reference in references])
    middle = np.array([reference.middle for reference in references])[:, None]
    spread = np.array([reference.spread for reference in references])[:, None]
    ends = np.concatenate([cuts[:, :1] - spread * REACH, cuts, cuts[:, -1:] + spread * REACH], axis=1)
    away = (0.5 * ends[:, 1:] + 0.5 * ends[:, :-1] - middle) / spread
    pit = 2 * np.cumsum(share, axis=1) - share - 1
    rank = (np.tanh(away / (2 * BEND)) + pit) / 2
    scores = _orthonormal(share, (np.arcsinh(away / BEND), rank**2, rank**3, rank**4))
    shape = scores[:, :, 1:]
    scores[:, :, 1:] = np.where(share[:, :, None] > 0, shape, np.clip(shape, -HEAVIEST, HEAVIEST))
    scores.flags.writeable = False
    return scores


_kept = lru_cache(maxsize=SUBJECTS)(_worked_out)


def _orthonormal(share: Floats, functions: Sequence[Floats]) -> Floats:
    """Gram and Schmidt's procedure over the reference's rows; what is left of a dependent function is zero."""
    basis = [np.ones_like(share)]
    for function in functions:
        rest = function
        for known in (*basis, *basis):  # twice is enough (Kahan): once loses digits
            rest = rest - (share * rest * known).sum(axis=1, keepdims=True) * known
        size = np.sqrt((share * rest * rest).sum(axis=1, keepdims=True))
        basis.append(np.where(size > RANK, rest / np.maximum(size, RANK), 0.0))
    return np.stack(basis[1:], axis=-1)
