"""Daily and weekly seasons of many statistics: harmonics fitted by recursive least squares with one shared gain.

All statistics of a subject see the same times, so the matrix of the regression is shared and each statistic keeps only
its coefficients. A batch that must not be learnt leaves the coefficients as they are, as if it had come out as
predicted.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import Baseline
from detectors.finding import Micros
from detectors.reference import Floats

DAY = 86_400_000_000
PERIODS = np.array([DAY, DAY / 2, DAY / 3, 7 * DAY, 3.5 * DAY])
TERMS = 1 + 2 * len(PERIODS)
RIDGE = 0.01  # batches' worth of belief that there is no daily season
WEEKLY = np.isin(np.tile(PERIODS, 2), (7 * DAY, 3.5 * DAY))
HELD = np.concatenate([[False], WEEKLY])  # terms that are held at zero until two weeks were seen
HOLD = 1e6  # batches' worth of belief that hold them there
WEEKS = 5  # remembered
BETTER = 0.9  # share of the plain error below which the season is believed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Season:
    """The seasons of ``m`` statistics: 49 bytes each, as stored, and 1 KB.

    matrix: shared, float64 ``(11, 11)``. hold: what of it still holds the weekly terms at zero. began: event time of
    the first batch. weights: float32 ``(m, 11)``, level and harmonics. error: recent squared prediction error in units
    of the sampling variance. on: which are believed.
    """

    matrix: Floats
    hold: float
    began: Micros | None
    weights: NDArray[np.float32]
    error: Floats
    on: NDArray[np.bool_]


def empty_season(m: int) -> Season:
    """No season known for ``m`` statistics."""
    diagonal = np.where(HELD, HOLD, RIDGE)
    diagonal[0] = 1e-6
    return Season(
        matrix=np.diag(diagonal),
        hold=HOLD,
        began=None,
        weights=np.zeros((m, TERMS), np.float32),
        error=np.zeros(m),
        on=np.zeros(m, np.bool_),
    )


def terms(at: Micros) -> Floats:
    """One, and cosine and sine of every period at event time ``at``, shape ``(11,)``."""
    angle = 2 * np.pi * ((at % (7 * DAY)) / PERIODS)
    return np.concatenate([[1.0], np.cos(angle), np.sin(angle)])


def level_at(season: Season, baseline: Baseline, now: Floats) -> Floats:
    """The level expected: of the season where it is believed, else the long-run mean. now: ``terms`` of the time."""
    return np.where(season.on, season.weights @ now, baseline.mean)


def leverage_at(season: Season, now: Floats) -> float:
    """How uncertain the season's level is at a time: variance in units of a batch's own. now: ``terms`` of the time."""
    return float(now @ np.linalg.solve(season.matrix, now))


def learn_season(
    season: Season,
    baseline: Baseline,
    value: Floats,
    sampling: Floats,
    healthy: NDArray[np.bool_],
    at: Micros,
    gap_s: float,
) -> tuple[Season, NDArray[np.bool_]]:
    """The season with one more batch, and which statistics believe in it from now on.

    A season is believed once two days were seen and it predicts better than level and neighbours do. gap_s: usual
    seconds between batches, which sets how many batches five weeks are.
    """
    now = terms(at)
    if season.hold and season.began is not None and at - season.began >= 14 * DAY:
        season = _released(season)
    kept = 1 - 1 / max(4096.0, WEEKS * 7 * 86_400 / gap_s)
    matrix = season.matrix * kept + np.outer(now, now)
    gain = np.linalg.solve(matrix, now)
    weights = season.weights.astype(np.float64)
    first = healthy & (baseline.count == 0)
    weights[first, 0] = value[first]
    surprise = value - weights @ now
    limit = np.where(baseline.count >= 8, 4 * np.sqrt(sampling * np.maximum(baseline.error, season.error)), np.inf)
    surprise = np.where(healthy, np.clip(surprise, -limit, limit), 0.0)
    weights += surprise[:, None] * gain
    share = np.where(healthy, np.maximum(1 / (baseline.count + 1), 1 / 1440), 0.0)
    seen = surprise**2 * (1 - now @ gain)  # recursive residuals (Brown, Durbin and Evans 1975): early ones are large
    error = season.error + share * (seen / sampling - season.error)
    began = at if season.began is None else season.began
    ready = at - began >= 2 * DAY
    turned = ready & ~season.on & healthy & (baseline.count >= 30) & (error < BETTER * baseline.error)
    learnt = replace(
        season,
        matrix=matrix,
        hold=season.hold * kept,
        began=began,
        weights=weights.astype(np.float32),
        error=error,
        on=season.on | turned,
    )
    return learnt, turned


def _released(season: Season) -> Season:
    """The season as if its weekly terms had never been held: the same regression without that belief."""
    matrix = season.matrix - np.diag(np.where(HELD, season.hold, 0.0))
    weights = season.weights @ np.linalg.solve(matrix, season.matrix).T
    return replace(season, matrix=matrix, hold=0.0, weights=weights.astype(np.float32))


def start_season(baseline: Baseline, season: Season, turned: NDArray[np.bool_], value: Floats, at: Micros) -> Baseline:
    """The baseline of the statistics that ``turned`` to a season: deviations are now from it."""
    apart = value - season.weights @ terms(at)

    def put(new: Floats | float, old: Floats) -> Floats:
        return np.where(turned, new, old)

    return Baseline(
        count=baseline.count,
        mean=baseline.mean,
        lag=put(apart, baseline.lag),
        pairs=put(0.0, baseline.pairs),
        cross=put(0.0, baseline.cross),
        energy=put(0.0, baseline.energy),
        dispersion=put(season.error, baseline.dispersion),
        size_unit=baseline.size_unit,
        size=baseline.size,
        size_variance=baseline.size_variance,
        size_covariance=put(0.0, baseline.size_covariance),
        error=put(season.error, baseline.error),
        held=baseline.held,
        rows=baseline.rows,
    )
