"""What statistics look like while healthy: level, dispersion and batch-to-batch correlation of many at once.

Self-starting (Hawkins 1987): every batch is judged by what came before it, and only then learnt. All arrays have one
entry per statistic, shape ``(m,)``.
"""

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats

MEMORY = 4096.0  # batches: longer than any fault, so that a creeping one is not learnt
WINSOR = 4.0  # standard deviations beyond which a healthy batch teaches no more
FLOOR = 0.1  # of the sampling variance: constant series would alarm on rounding
FINEST = 1e-4  # likewise, where that variance is a guess from a few values: a hundredth of their deviation
PRIOR = 1.0  # batches' worth of belief that dispersion is sampling alone
FARTHEST = 1e6  # standard deviations: beyond, squares would overflow sooner or later
SLACK = 0.5  # standard errors by which correlation and dispersion before suspicion may be wrong
LEVEL_SLACK = 5.0  # likewise the level: one that is off by a little makes evidence for ever, so hardly any may be
SETTLED = 8.0  # batches after which outliers are winsorised, and neighbours compared


@dataclass(slots=True, eq=False)
class Baseline:
    """What has been learnt of ``m`` statistics: 64 bytes each, as stored.

    count: batches learnt, at most 4,096. mean: level over all of them. lag: how far the last batch was from its level
    (0 if unknown). cross, energy: mean products of neighbouring deviations, and their mean squares, over ``pairs``.
    dispersion: mean squared prediction error in units of the sampling variance. size, size_variance, size_covariance:
    moments of batch size (1 / sampling variance, relative to ``size_unit``) and its covariance with the dispersion.
    held, rows: sums behind a rate.
    """

    count: Floats
    mean: Floats
    lag: Floats
    pairs: Floats
    cross: Floats
    energy: Floats
    dispersion: Floats
    size_unit: Floats
    size: Floats
    size_variance: Floats
    size_covariance: Floats
    held: Floats
    rows: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """One batch's values beside what was expected: z is standard normal while nothing changes.

    level: the long-run expectation at this time (mean or season). predicted: level with what neighbouring batches say.
    deviation: standard deviation of the prediction. surprise: value less predicted.
    """

    z: Floats
    level: Floats
    predicted: Floats
    deviation: Floats
    surprise: Floats


def empty_baseline(m: int) -> Baseline:
    """A baseline of ``m`` statistics that has learnt nothing."""
    return Baseline(*(np.zeros(m) for _ in fields(Baseline)))


def autocorrelation(baseline: Baseline) -> Floats:
    """AR(1) coefficient, shrunk towards none while few batches are known and corrected for its bias (Kendall 1954)."""
    raw = np.divide(baseline.cross, baseline.energy, out=np.zeros_like(baseline.cross), where=baseline.energy > 0)
    n = baseline.pairs
    raw = np.where(n > 10, raw + (1 + 3 * raw) / np.maximum(n, 10), raw)
    shrunk: Floats = (raw * n / (n + 10)).clip(-0.3, 0.98)
    return shrunk


def dispersion_at(baseline: Baseline, sampling: Floats, floor: Floats | float = FLOOR) -> Floats:
    """Expected squared error in units of ``sampling``: a part that shrinks with batch size, and one that does not.

    Batches differ by more than the rows drawn. Regressing the dispersion on batch size tells the two apart; where sizes
    hardly vary it need not be known. floor: the least that is expected, in the same units.
    """
    known = (PRIOR + baseline.dispersion * baseline.count) / (PRIOR + baseline.count)
    unit = np.where(baseline.size_unit > 0, baseline.size_unit, sampling)
    size = unit / sampling
    shrink = baseline.count * baseline.size_variance + 10 * np.maximum(baseline.size, 1e-9) ** 2
    slope = (baseline.count * baseline.size_covariance / shrink).clip(0, known / np.maximum(baseline.size, 1e-9))
    expected: Floats = np.maximum(known + slope * (size - baseline.size) * (baseline.count > 0), floor)
    return expected


def unexplained(baseline: Baseline) -> Floats:
    """Share of the variance between batches that drawing rows does not explain, at most: two standard errors above."""
    most = baseline.dispersion * (1 + 2 * np.sqrt(2 / np.maximum(baseline.count, 1)))
    share: Floats = 1 - 1 / np.maximum(most, 1)
    return share


def level_slack(baseline: Baseline, sampling: Floats, leverage: Floats, floor: Floats | float = FLOOR) -> Floats:
    """Five standard errors of the level. leverage: what its season adds, in units of a batch's own variance.

    floor: as for ``dispersion_at``.
    """
    independent = np.maximum(baseline.count, 1) * (1 - np.maximum(autocorrelation(baseline), 0)) ** 2
    variance = sampling * dispersion_at(baseline, sampling, floor) * (1 / independent + leverage)
    slack: Floats = LEVEL_SLACK * np.sqrt(variance)
    return slack


def judge_values(
    baseline: Baseline,
    value: Floats,
    level: Floats,
    sampling: Floats,
    leverage: Floats,
    before: tuple[Baseline, NDArray[np.bool_]] | None = None,
    floor: Floats | float = FLOOR,
) -> Judged:
    """Judge ``value`` by the batches before it.

    level: the expectation at this time. sampling: the variance that drawing rows alone would give. leverage: variance
    that an uncertain level adds, in units of the prediction's own. before: the baseline as it was before suspicion, and
    which statistics are under it. A lasting shift looks like correlated and volatile batches, and learnt as such would
    explain itself away: under suspicion both stay within a standard error of what they were. Student's t with the
    degrees of freedom learnt so far is mapped to a normal by Wallace's (1959) approximation. floor: as for
    ``dispersion_at``.
    """
    correlation, dispersion = autocorrelation(baseline), dispersion_at(baseline, sampling, floor)
    if before is not None:
        trusted, suspicious = before
        n = np.maximum(trusted.count, 1)
        most = autocorrelation(trusted) + SLACK / np.sqrt(n)
        correlation = np.where(suspicious, np.minimum(correlation, most), correlation)
        widest = dispersion_at(trusted, sampling, floor) * (1 + SLACK * np.sqrt(2 / n))
        dispersion = np.where(suspicious, np.minimum(dispersion, widest), dispersion)
    predicted = level + correlation * baseline.lag
    uncertain = 1 + 1 / np.maximum(baseline.count, 1) + leverage
    deviation = np.sqrt(sampling * dispersion * uncertain)
    surprise = value - predicted
    freedom = PRIOR + np.maximum(baseline.count - 1, 0)
    t = (surprise / deviation).clip(-FARTHEST, FARTHEST)
    z = np.sign(t) * (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t * t / freedom))
    return Judged(z=z, level=level, predicted=predicted, deviation=deviation, surprise=surprise)


def compression(judged: Judged) -> Floats:
    """By how much z is smaller than the deviations counted: far out, where little is known, by a lot.

    What is taken off z, such as a tolerance, must be as much smaller, or it would outweigh any change.
    """
    t = np.minimum(np.abs(judged.surprise) / judged.deviation, FARTHEST)
    share: Floats = np.divide(np.abs(judged.z), t, out=np.ones_like(t), where=t > 0)
    return share


def winsorised(baseline: Baseline, judged: Judged) -> Floats:
    """What a batch may teach: its surprise, cut at four standard deviations once eight batches are known."""
    limit = np.where(baseline.count >= SETTLED, WINSOR * judged.deviation, np.inf)
    return np.where(baseline.count == 0, 0.0, judged.surprise.clip(-limit, limit))


def learn(baseline: Baseline, value: Floats, judged: Judged, sampling: Floats, held: Floats, rows: Floats) -> Baseline:
    """The baseline with one more batch, for every statistic; ``choose`` picks those that are healthy."""
    first = baseline.count == 0
    surprise = winsorised(baseline, judged)
    gain = 1 / np.minimum(baseline.count + 1, MEMORY)
    taught = np.where(first, value, judged.predicted + surprise)
    apart = np.where(first, 0.0, taught - judged.level)
    mean = baseline.mean + np.where(first, 1.0, gain) * (taught - baseline.mean)
    seen = surprise**2 / sampling * baseline.count / (baseline.count + 1)
    unit = np.where(baseline.size_unit > 0, baseline.size_unit, sampling)
    size = unit / sampling
    off = np.where(first, 0.0, size - baseline.size)
    fade = 1 - 1 / MEMORY * (baseline.count >= MEMORY)
    told = baseline.count >= SETTLED  # before, neighbours have the error of a young level in common
    pairs = np.minimum(baseline.pairs + told, MEMORY)
    pair = told / np.maximum(pairs, 1)
    return Baseline(
        count=np.minimum(baseline.count + 1, MEMORY),
        mean=mean,
        lag=apart,
        pairs=pairs,
        cross=baseline.cross + pair * (apart * baseline.lag - baseline.cross),
        energy=baseline.energy + pair * (apart**2 - baseline.energy),
        dispersion=baseline.dispersion + gain * (seen - baseline.dispersion),
        size_unit=unit,
        size=baseline.size + np.where(first, 1.0, gain) * (size - baseline.size),
        size_variance=(1 - gain) * (baseline.size_variance + gain * off**2),
        size_covariance=(1 - gain) * (baseline.size_covariance + gain * off * (seen - baseline.dispersion)),
        held=baseline.held * fade + held,
        rows=baseline.rows * fade + rows,
    )


Rows = TypeVar("Rows")


def choose(chosen: NDArray[np.bool_], yes: Rows, no: Rows) -> Rows:
    """Statistic by statistic, the one or the other of two dataclasses of arrays."""
    if not chosen.any():
        return no
    if chosen.all():
        return yes
    picked = {}
    for field in fields(yes):  # type: ignore[arg-type]  # a type variable cannot say "dataclass"
        a, b = getattr(yes, field.name), getattr(no, field.name)
        mask = chosen.reshape(chosen.shape + (1,) * (a.ndim - 1))
        picked[field.name] = np.where(mask, a, b)
    return type(yes)(**picked)


def narrowed(baseline: Baseline) -> Baseline:
    """The same in float32: precise enough to return to, half the bytes."""
    return Baseline(*(getattr(baseline, field.name).astype(np.float32) for field in fields(baseline)))


def stored(baseline: Baseline) -> Baseline:
    """The same as it is kept: levels and counts of rows in float64, all else in float32."""
    exact = ("mean", "held", "rows")
    held = {field.name: getattr(baseline, field.name) for field in fields(baseline)}
    return Baseline(**{name: a if name in exact else a.astype(np.float32) for name, a in held.items()})


def rate_of(baseline: Baseline) -> Floats:
    """The healthy rate behind each statistic's counts, never 0 or 1 (half a row is added)."""
    return (baseline.held + 0.5) / (baseline.rows + 1)
