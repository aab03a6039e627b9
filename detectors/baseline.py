"""What statistics look like while healthy: running mean, dispersion and batch-to-batch correlation of many at once.

Self-starting (Hawkins 1987): every batch is judged by what came before it, and only then learnt.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats

MEMORY = 4096.0  # batches: longer than any fault, so that a creeping one is not learnt
WINSOR = 4.0  # standard deviations beyond which a healthy batch teaches no more
FLOOR = 0.1  # of the sampling variance: constant series would alarm on rounding
PRIOR = 3.0  # batches' worth of belief that dispersion is sampling alone


@dataclass(slots=True, eq=False)
class Baseline:
    """Arrays of shape ``(m,)``, float64: 80 bytes a statistic.

    count: batches learnt, at most 4,096. mean: of the statistic. dispersion: mean squared prediction error in units of
    the sampling variance. lag: the last batch's deviation, 0 if unknown. cross, energy: mean products of neighbouring
    deviations, and their squares. held, rows: sums behind a rate.
    """

    count: Floats
    mean: Floats
    dispersion: Floats
    lag: Floats
    cross: Floats
    energy: Floats
    held: Floats
    rows: Floats


def empty_baseline(m: int) -> Baseline:
    """A baseline of ``m`` statistics that has learnt nothing."""
    return Baseline(*(np.zeros(m) for _ in range(8)))


def autocorrelation(baseline: Baseline) -> Floats:
    """AR(1) coefficient, shrunk towards none while few batches are known and corrected for its bias (Kendall 1954)."""
    raw = np.divide(baseline.cross, baseline.energy, out=np.zeros_like(baseline.cross), where=baseline.energy > 0)
    n = baseline.count
    raw = np.where(n > 10, raw + (1 + 3 * raw) / np.maximum(n, 10), raw)
    return np.clip(raw * n / (n + 10), -0.3, 0.97)


def standardise(baseline: Baseline, value: Floats, sampling: Floats) -> tuple[Floats, Floats, Floats]:
    """Judge ``value`` by the batches before it: (z, predicted, standard deviation), each of shape ``(m,)``.

    sampling: the variance that drawing rows alone would give. z is normal under no change: Student's t with the
    degrees of freedom learnt so far is mapped to a normal by Wallace's (1959) approximation.
    """
    predicted = baseline.mean + autocorrelation(baseline) * baseline.lag
    dispersion = (PRIOR + baseline.dispersion * baseline.count) / (PRIOR + baseline.count)
    variance = sampling * np.maximum(dispersion, FLOOR) * (1 + 1 / np.maximum(baseline.count, 1))
    deviation = np.sqrt(variance)
    freedom = PRIOR + np.maximum(baseline.count - 1, 0)
    t = (value - predicted) / deviation
    z = np.sign(t) * (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t * t / freedom))
    return z, predicted, deviation


def learn(
    baseline: Baseline,
    value: Floats,
    sampling: Floats,
    held: Floats,
    rows: Floats,
    chosen: NDArray[np.bool_],
) -> Baseline:
    """Learn one batch for the ``chosen`` statistics, bool ``(m,)``; outliers are winsorised once 8 batches are known."""
    _, predicted, deviation = standardise(baseline, value, sampling)
    limit = np.where(baseline.count >= 8, WINSOR * deviation, np.inf)
    surprise = np.clip(value - predicted, -limit, limit)
    first = baseline.count == 0
    surprise = np.where(first, 0.0, surprise)
    gain = 1 / np.minimum(baseline.count + 1, MEMORY)
    apart = np.where(first, 0.0, predicted + surprise - baseline.mean)
    mean = np.where(first, value, baseline.mean + gain * apart)
    unbiased = surprise**2 / sampling * baseline.count / (baseline.count + 1)
    fresh = Baseline(
        count=np.minimum(baseline.count + 1, MEMORY),
        mean=mean,
        dispersion=baseline.dispersion + gain * (unbiased - baseline.dispersion),
        lag=predicted + surprise - mean,
        cross=baseline.cross + gain * (apart * baseline.lag - baseline.cross),
        energy=baseline.energy + gain * (apart**2 - baseline.energy),
        held=baseline.held + held,
        rows=baseline.rows + rows,
    )
    return choose(chosen, fresh, baseline)


def choose(chosen: NDArray[np.bool_], yes: Baseline, no: Baseline) -> Baseline:
    """Row by row, the one or the other."""
    return Baseline(
        count=np.where(chosen, yes.count, no.count),
        mean=np.where(chosen, yes.mean, no.mean),
        dispersion=np.where(chosen, yes.dispersion, no.dispersion),
        lag=np.where(chosen, yes.lag, no.lag),
        cross=np.where(chosen, yes.cross, no.cross),
        energy=np.where(chosen, yes.energy, no.energy),
        held=np.where(chosen, yes.held, no.held),
        rows=np.where(chosen, yes.rows, no.rows),
    )


def rate_of(baseline: Baseline) -> Floats:
    """The healthy rate behind each statistic's counts, shape ``(m,)``, never 0 or 1 (half a row is added)."""
    return np.minimum((baseline.held + 0.5) / (baseline.rows + 1), 0.999)
