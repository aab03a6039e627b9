"""How well a model is doing where outcomes are still missing: confidence-based estimates with an interval.

A calibrated score says how likely its own hit is, so accuracy and the area under the curve follow from the scores
alone. That survives covariate shift but not a change of calibration: the estimate is shown as valid only while no
calibration finding stands, and ``estimated_accuracy_error_ratio`` audits it once the outcomes are there.

Source: J. Bialek et al., "Estimating model performance under covariate shift without labels" (2024): CBPE.
"""

import numpy as np

from detectors.recalibration import SHELF_HATS, SHELF_LOGITS, Floats, Recalibration, expit
from detectors.reliability import area_under_curve

TWO_SIDED_95 = 1.959964


def estimate(shelves: Floats, healthy: Recalibration, *, top_class: bool, valid: bool) -> dict[str, float]:
    """Estimated accuracy (with a 95 % interval) and area under the curve of the predictions on ``shelves``.

    shelves: predictions by logit of their score, shape ``(256,)``. top_class: scores are confidences of the predicted
    class rather than of the positive one. The interval covers the chance in the outcomes
    themselves and the error of the recalibration map (delta method). Empty without predictions.
    """
    rows = float(shelves.sum())
    if rows <= 0.0:
        return {}
    probability = expit(healthy.log_odds(SHELF_LOGITS))
    says_one = (SHELF_LOGITS >= 0.0) | top_class
    hit = np.where(says_one, probability, 1.0 - probability)
    accuracy = float(hit @ shelves) / rows
    slope = np.where(says_one, 1.0, -1.0) * probability * (1.0 - probability) * shelves / rows
    gradient = SHELF_HATS @ slope
    variance = float((hit * (1.0 - hit)) @ shelves) / rows**2
    variance += float(gradient @ np.linalg.solve(healthy.precision, gradient))
    reach = TWO_SIDED_95 * variance**0.5
    shown = {
        "estimated_accuracy_ratio": accuracy,
        "estimated_accuracy_lower_ratio": max(0.0, accuracy - reach),
        "estimated_accuracy_upper_ratio": min(1.0, accuracy + reach),
        "estimated_roc_auc": area_under_curve(shelves * (1.0 - probability), shelves * probability),
        "estimated_valid": float(valid),
    }
    return {name: value for name, value in shown.items() if np.isfinite(value)}
