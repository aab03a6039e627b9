"""How far off a regression is of late: River's metrics of error and the coverage of its intervals, faded; gauges only.

River's ``MAE``, ``RMSE`` and ``Mean`` take one outcome at a time; the same formulas are computed here over arrays, and
tests hold them equal to River's.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from detectors.recalibration import Floats
from detectors.reliability import HALF_LIFE_ROWS

SUMS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Errors:
    """Faded sums over outcomes, shape ``(6,)``.

    Weight, error, absolute and squared error; weight of those with an interval, and of those that lie inside.
    """

    sums: Floats = field(default_factory=lambda: np.zeros(SUMS))


def fade_in(known: Errors, error: Floats, lower: Floats, upper: Floats) -> Errors:
    """Fold errors (outcome minus prediction, shape ``(n,)``); lower, upper: of intervals less prediction, or NaN."""
    weight = np.exp2(-np.arange(error.size - 1, -1, -1) / HALF_LIFE_ROWS)
    inside = (error >= lower) & (error <= upper)
    held = ~np.isnan(lower) & ~np.isnan(upper)
    terms = np.stack([np.ones_like(error), error, np.abs(error), error**2, held, held & inside])
    return Errors(sums=known.sums * 2.0 ** (-error.size / HALF_LIFE_ROWS) + terms @ weight)


def gauges(known: Errors) -> dict[str, float]:
    """Mean, mean absolute and root mean squared error, and the coverage of intervals; empty without outcomes."""
    weight, error, absolute, squared, held, inside = known.sums.tolist()
    if weight <= 0.0:
        return {}
    shown = {"mean_error": error / weight, "mean_absolute_error": absolute / weight}
    shown["root_mean_squared_error"] = float(np.sqrt(squared / weight))
    return shown | ({"interval_coverage_ratio": inside / held} if held > 0.0 else {})
