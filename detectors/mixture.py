"""How the rarer categories of a column are mixed: one statistic for all of them, whichever of them moves.

A rate for each of many categories would cost a state of its own; the most frequent have one, and what the others share
among themselves is compared with what they usually share (Pearson 1900).
"""

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats

LEAST = 5.0  # expected rows (Cochran 1954): rarer categories count as one
NORMAL = 100.0  # standard deviations up to which the statistic is normal, and beyond which it is linear


def dissimilarity(counts: Floats, usual: Floats, batches: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Pearson's index of each column, less what drawing rows gives it; its variance; and whether it says anything.

    counts: rows of each of ``k`` categories, shape ``(columns, k)``. usual: their usual shares, up to a factor.
    batches: from how many these were learnt, ``(columns,)``. The index is the squared effect size (Cohen's w²): zero on
    average while nothing changes, whatever the size of the batch, with a variance of about ``2 k / rows²``. It is made
    normal by the cube root of Wilson and Hilferty (1931): chi-squares have a long tail.
    """
    rows = counts.sum(axis=1)
    share = usual / np.maximum(usual.sum(axis=1, keepdims=True), 1e-12)
    rare = share * rows[:, None] < LEAST
    counts = np.column_stack([np.where(rare, 0.0, counts), (counts * rare).sum(axis=1)])
    expected = np.column_stack([np.where(rare, 0.0, share), (share * rare).sum(axis=1)]) * rows[:, None]
    told = expected >= LEAST
    squares = np.where(told, (counts - expected) ** 2 / np.maximum(expected, LEAST), 0.0).sum(axis=1)
    freedom = np.where(told, 1 - expected / np.maximum(rows, 1)[:, None], 0.0).sum(axis=1)
    k, n = np.maximum(freedom, 1.0), np.maximum(rows, 1)
    ratio = squares / (1 + 1 / np.maximum(batches, 1)) / k
    deviation = np.sqrt(2 * k)
    limit = 1 + NORMAL * deviation / k
    z = _normal(np.minimum(ratio, limit), k) + np.maximum(ratio - limit, 0) * k / deviation
    return z * deviation / n, 2 * k / n**2, (batches >= 1) & (freedom >= 0.5)


def _normal(ratio: Floats, freedom: Floats) -> Floats:
    """Chi-squares over their degrees of freedom as standard normals."""
    variance = 2 / (9 * freedom)
    return (np.cbrt(ratio) - (1 - variance)) / np.sqrt(variance)


def most_moved(counts: Floats, usual: Floats) -> int:
    """Which of ``k`` categories deviates most from its share in ``usual``, both of shape ``(k,)``."""
    expected = usual * counts.sum() / max(float(usual.sum()), 1e-12)
    return int((np.abs(counts - expected) / np.sqrt(np.maximum(expected, LEAST))).argmax())
