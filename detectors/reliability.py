"""How good a model's scores are of late: reliability bins and River's classical metrics, faded, as gauges only.

Gauges are for people; they never raise an alarm. A plug-in calibration error is far above zero even for a perfect model
(.03 at 1,000 outcomes), so the one shown is debiased: the squared gap of each bin minus its variance under the scores.

River's ``LogLoss``, ``ROCAUC`` and ``BrierScore`` cannot be rebuilt from numbers alone and take one outcome at a time;
the same formulas are computed here over arrays, and tests hold them equal to River's.

Source: M. P. Naeini et al., "Obtaining well calibrated probabilities" (2015); J. Broecker, "Estimating reliability and
resolution" (2012) for the bias.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from detectors.recalibration import SHELVES, Floats, logit, shelf_of

BINS: Final = 15  # equal width, the custom since Guo et al. (2017)
HALF_LIFE_ROWS: Final = 5_000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reliability:
    """Faded sums over outcomes; 6 kB, constant.

    bins: shape ``(5, 15)``: weight, squared weight, sums of score, of outcome, of score * (1 - score).
    shelves: shape ``(2, 256)``: weight by logit of the score, for outcomes 0 and 1.
    sums: shape ``(5,)``: weight, squared errors, log losses, hits, confidences.
    """

    bins: Floats = field(default_factory=lambda: np.zeros((5, BINS)))
    shelves: Floats = field(default_factory=lambda: np.zeros((2, SHELVES)))
    sums: Floats = field(default_factory=lambda: np.zeros(5))


def fade_in(
    known: Reliability, scores: Floats, outcomes: Floats, estimates: Floats, *, top_class: bool = False
) -> Reliability:
    """Fold outcomes (0 or 1) of ``scores``, and the probabilities that were estimated for them; all shape ``(n,)``.

    top_class: scores are confidences of the predicted class, and 1 means that it was right.
    """
    n = scores.size
    if n == 0:
        return known
    weight = np.exp2(-np.arange(n - 1, -1, -1) / HALF_LIFE_ROWS)
    keep = 2.0 ** (-n / HALF_LIFE_ROWS)
    where = np.minimum((scores * BINS).astype(np.intp), BINS - 1)
    spread = scores * (1.0 - scores) * weight * weight
    rows = (weight, weight * weight, weight * scores, weight * outcomes, spread)
    binned = np.stack([np.bincount(where, row, BINS) for row in rows])
    decay = np.array([keep, keep * keep, keep, keep, keep * keep])[:, None]
    shelf = shelf_of(logit(scores)) + SHELVES * (outcomes > 0.5)
    says_one = (scores >= 0.5) | top_class
    hit = says_one == (outcomes > 0.5)
    confidence = np.where(says_one, estimates, 1.0 - estimates)
    clipped = np.clip(scores, 1e-15, 1 - 1e-15)
    loss = -np.where(outcomes > 0.5, np.log(clipped), np.log(1.0 - clipped))
    terms = np.stack([np.ones(n), (scores - outcomes) ** 2, loss, hit.astype(np.float64), confidence])
    return Reliability(
        bins=known.bins * decay + binned,
        shelves=known.shelves * keep + np.bincount(shelf, weight, 2 * SHELVES).reshape(2, SHELVES),
        sums=known.sums * keep + terms @ weight,
    )


def calibration_error(known: Reliability) -> float:
    """Expected calibration error, each bin's squared gap less its variance and floored at 0; NaN without outcomes."""
    weight, _, score, outcome, spread = known.bins
    held = weight > 0.0
    if not held.any():
        return float("nan")
    gap = (outcome[held] - score[held]) / weight[held]
    variance = spread[held] / weight[held] ** 2
    return float(np.sqrt(np.maximum(gap * gap - variance, 0.0)) @ weight[held] / weight.sum())


def area_under_curve(negatives: Floats, positives: Floats) -> float:
    """Probability that a positive's shelf lies above a negative's, ties half; NaN if either is empty."""
    below = np.cumsum(negatives) - negatives / 2
    pairs = float(negatives.sum() * positives.sum())
    return float(positives @ below) / pairs if pairs > 0.0 else float("nan")


def gauges(known: Reliability) -> dict[str, float]:
    """Names of DESIGN's metrics to their values, reliability bins included; empty without outcomes."""
    weight = known.sums[0]
    if weight <= 0.0:
        return {}
    shown = {
        "calibration_error_ratio": calibration_error(known),
        "brier_score": float(known.sums[1] / weight),
        "log_loss": float(known.sums[2] / weight),
        "accuracy_ratio": float(known.sums[3] / weight),
        "estimated_accuracy_error_ratio": float((known.sums[4] - known.sums[3]) / weight),
        "roc_auc": area_under_curve(known.shelves[0], known.shelves[1]),
    }
    for i in np.flatnonzero(known.bins[0] > 0.0):
        held, _, score, outcome, _ = known.bins[:, i]
        shown[f"reliability_weight/{i:02d}"] = float(held)
        shown[f"reliability_score/{i:02d}"] = float(score / held)
        shown[f"reliability_outcome/{i:02d}"] = float(outcome / held)
    return {name: value for name, value in shown.items() if np.isfinite(value)}
