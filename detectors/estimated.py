"""How well a model is doing where outcomes are still missing: confidence-based estimates with an interval.

A calibrated score says how likely its own hit is, so accuracy and the area under the curve follow from the scores
alone. That survives covariate shift but not a change of calibration: the estimate is shown as valid only while no
calibration finding stands and scores lie where outcomes were seen; ``estimated_accuracy_error_ratio`` audits it once
the outcomes are there.

Source: J. Bialek et al., "Estimating model performance under covariate shift without labels" (2024): CBPE.
"""

import numpy as np

from detectors.recalibration import LARGEST_LOGIT, SHELF_HATS, SHELF_LOGITS, SHELVES, Floats, Recalibration, expit
from detectors.reliability import area_under_curve

TWO_SIDED_95 = 1.959964
SUPPORTED = 0.9  # share of the predictions that must lie where outcomes have been seen
SEEN = 30.0  # outcomes
SHELVES_A_LOGIT = round(SHELVES / (2 * LARGEST_LOGIT))
NOTHING_KNOWN: Floats = np.zeros((2, SHELVES))


def estimate(
    shelves: Floats, meaning: Recalibration, *, top_class: bool, known: Floats = NOTHING_KNOWN
) -> dict[str, float]:
    """Accuracy and area under the curve of predictions, each with a 95 % interval for what they will prove to be.

    shelves: predictions without an outcome by logit of their score, shape ``(256,)``; known: outcomes 0 and 1 of the
    others, shape ``(2, 256)``. meaning: of the scores. top_class: scores are confidences of the predicted class rather
    than of the positive one. The interval covers the chance in the outcomes that are missing and the error of the
    map (delta method). Empty without predictions.
    """
    rows = float(shelves.sum() + known.sum())
    if rows <= 0.0:
        return {}
    probability = expit(meaning.log_odds(SHELF_LOGITS))
    negatives, positives = known[0] + shelves * (1.0 - probability), known[1] + shelves * probability
    says_one = (SHELF_LOGITS >= 0.0) | top_class
    accuracy = float(np.where(says_one, positives, negatives).sum()) / rows
    area = area_under_curve(negatives, positives)
    spread = shelves * probability * (1.0 - probability)
    shown = {}
    for name, value, gain in (
        ("accuracy{}_ratio", accuracy, np.where(says_one, 1.0, -1.0) / rows),
        ("roc_auc{}", area, _gain(negatives, positives, area)),
    ):
        reach = TWO_SIDED_95 * _variance(gain, spread, meaning) ** 0.5
        ends = {"": value, "_lower": max(0.0, value - reach), "_upper": min(1.0, value + reach)}
        shown.update({name.format(end): at for end, at in ends.items()})
    return {name: value for name, value in shown.items() if np.isfinite(value)}


def support(shelves: Floats, meaning: Recalibration) -> float:
    """Share of the predictions on ``shelves`` whose scores mean something known: outcomes were seen within one logit.

    Scores the model never gave before may mean anything. 1 as long as there are no outcomes at all: then nothing is
    known against the scores, and nothing for them.
    """
    held, rows = meaning.counts.sum(axis=0), float(shelves.sum())
    if rows <= 0.0 or not held.any():
        return 1.0
    near = np.convolve(held, np.ones(2 * SHELVES_A_LOGIT + 1), mode="same")
    return float(shelves[near >= SEEN].sum()) / rows


def _gain(negatives: Floats, positives: Floats, area: float) -> Floats:
    """What the area under the curve gains when an outcome on each shelf is 1 instead of 0, to first order."""
    zeros, ones = max(negatives.sum(), 1e-9), max(positives.sum(), 1e-9)
    below = (np.cumsum(negatives) - negatives / 2) / zeros
    above = 1.0 - (np.cumsum(positives) - positives / 2) / ones
    gain: Floats = (below - area) / ones - (above - area) / zeros
    return gain


def _variance(gain: Floats, spread: Floats, meaning: Recalibration) -> float:
    """Of a sum over outcomes, each 0 or 1 with ``spread`` in all by shelf: their own, and that of the map."""
    gradient = SHELF_HATS @ (gain * spread)
    return float(gain**2 @ spread + gradient @ np.linalg.solve(meaning.precision, gradient))
