"""Daily and weekly seasons of many statistics: harmonics fitted by recursive least squares with one shared gain.

All statistics of a subject see the same times, so the matrix of the regression is shared and each statistic keeps only
its coefficients. A batch that must not be learnt counts as if it had come out at the level it was held against. How
uncertain they still are widens what is expected, so a season may be believed before a day is over: at hours that were
never seen it claims nothing.

The same regression tells what it would be without its weekly terms. These are believed by themselves, where they
predict better than the days alone: a trend of two days is no week.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import FLOOR, SETTLED, WINSOR, Baseline, Judged, choose, winsorised
from detectors.days import DAY, PERIODS, TERMS, WEEKLY, Days, days_at, terms
from detectors.finding import Micros
from detectors.recurring import Recurring, believed, empty_recurring, learn_day, recurs
from detectors.reference import Floats

RIDGE = np.where(PERIODS > DAY, 1.0, 1e-4)  # batches' worth of belief that there is no such season
WEEKS = 5  # remembered
BETTER = 0.9  # share of the plain error below which the season is believed
DOUBT = 3.0  # standard errors by which that share must be missed while few batches are known
LEAST = DOUBT**2 + 1  # batches, since the level settled, of which anything can be that sure
LATELY = 1440.0  # batches over which errors are compared


@dataclass(slots=True, eq=False)
class Fit:
    """What is known of the seasons of ``m`` statistics: 59 bytes each, as stored.

    weights: float32 ``(m, 11)``, level and harmonics, learnt from healthy batches. error: recent squared prediction
    errors, in units of the sampling variance; daily_error: of the weights without weekly terms; level_error: of level
    and neighbours. on: believed. weekly: with the weekly terms, where it is. doubted: it alarmed before a day was over,
    so it is believed again only then.
    """

    weights: NDArray[np.float32]
    error: Floats
    daily_error: Floats
    level_error: Floats
    on: NDArray[np.bool_]
    weekly: NDArray[np.bool_]
    doubted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """The seasons of a subject's statistics.

    matrix: shared, float64 ``(11, 11)``. began, latest: event times of the first batch and of the one that came last.
    """

    matrix: Floats
    began: Micros | None
    latest: Micros | None
    fit: Fit
    recurring: Recurring


def empty_fit(m: int) -> Fit:
    """No season known of ``m`` statistics."""
    zeros, no = np.zeros(m), np.zeros(m, np.bool_)
    return Fit(np.zeros((m, TERMS), np.float32), zeros, zeros, zeros, no, no, no)


def empty_season(m: int) -> Season:
    """The season of a subject of which nothing was seen."""
    diagonal = np.concatenate([[1e-6], np.tile(RIDGE, 2)])
    return Season(matrix=np.diag(diagonal), began=None, latest=None, fit=empty_fit(m), recurring=empty_recurring(m))


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """A time as it is seen with all terms and without the weekly ones.

    now: ``terms`` of the time. leverage: how uncertain the whole season is, variance in units of a batch's own.
    """

    now: Floats
    leverage: float
    days: Days


def outlook_at(season: Season, at: Micros) -> Outlook | None:
    """What is known of event time ``at``; None where no season is believed."""
    if not season.fit.on.any():
        return None
    now = terms(at)
    leverage = max(float(now @ np.linalg.solve(season.matrix, now)), 0.0)
    return Outlook(now, leverage, days_at(season.matrix, now))


def level_at(fit: Fit, baseline: Baseline, outlook: Outlook | None) -> Floats:
    """The level expected: of the season where it is believed, else the long-run mean."""
    if outlook is None:
        return baseline.mean
    days = fit.weights @ outlook.days.alone
    return np.where(fit.on, np.where(fit.weekly, fit.weights @ outlook.now, days), baseline.mean)


def leverage_at(fit: Fit, outlook: Outlook | None) -> Floats:
    """How uncertain the level of each season is: variance in units of a batch's own."""
    if outlook is None:
        return np.zeros(len(fit.on))
    return np.where(fit.on, np.where(fit.weekly, outlook.leverage, outlook.days.leverage), 0.0)


def learn_season(
    season: Season,
    baseline: Baseline,
    value: Floats,
    judged: Judged,
    sampling: Floats,
    live: NDArray[np.bool_],
    healthy: NDArray[np.bool_],
    alarmed: NDArray[np.bool_],
    at: Micros,
    gap_s: float,
) -> tuple[Season, NDArray[np.bool_]]:
    """The season with one more batch, and which statistics believe in a new one from now on.

    A season is believed once it predicts better than level and neighbours do, its weekly terms once they predict better
    than the days alone, and for as long as these do not. One fitted to some hours may lead anywhere in the others: an
    alarm before a day is over refutes it until then. What alarms as the day before told is one as well, once two days
    were seen. gap_s: usual seconds between batches, which sets how many batches five weeks are.
    """
    now = terms(at)
    began = at if season.began is None else season.began
    kept = 1 - 1 / max(4096.0, WEEKS * 7 * 86_400 / gap_s)
    faded = season.matrix * kept
    reach: Floats = np.linalg.solve(faded, now).astype(np.float64)
    sure = 1 / (1 + max(float(now @ reach), 0.0))  # early residuals vary more (Brown, Durbin and Evans 1975)
    days, share = days_at(faded, now), _share(baseline)
    fit = _learnt(season.fit, baseline, value, judged, sampling, live, healthy, share, now, reach, sure)
    fit = _days_learnt(fit, season.fit, days, baseline, value, judged, sampling, healthy, share)
    dawned = season.latest is not None and (at - began) // DAY > (season.latest - began) // DAY
    usual, gain = faded[0, ~WEEKLY] / faded[0, 0], days.reach / (1 + days.leverage)
    recurring = learn_day(
        season.recurring, baseline, value, judged, sampling, live, now[~WEEKLY], usual, gain, share, dawned
    )
    known = healthy & (baseline.count >= SETTLED + LEAST) & (~fit.doubted | (at - began >= DAY))
    fit, turned = _believed(fit, baseline, known)
    if at - began >= 2 * DAY:
        better = _better(float(faded[0, 0]) * (1 - DAY / (at - began)))
        again = known & ~turned & recurs(recurring, better)
        fit, recurring, turned = _adopted(fit, recurring, again), believed(recurring, again), turned | again
    if at - began < DAY:
        refuted = alarmed & fit.on
        fit = replace(fit, on=fit.on & ~refuted, doubted=fit.doubted | refuted)
    return Season(faded + now[:, None] * now, began, at, fit, recurring), turned


def _believed(fit: Fit, baseline: Baseline, known: NDArray[np.bool_]) -> tuple[Fit, NDArray[np.bool_]]:
    """Belief in seasons and in their weekly terms, and which statistics are judged by another one from now on.

    known: statistics of which enough was seen. What hardly ever varies has no season.
    """
    better = _better(baseline.count - SETTLED)
    error, other = (np.where(fit.weekly != swapped, fit.error, fit.daily_error) for swapped in (False, True))
    switched = known & (np.maximum(other, FLOOR) < better * error)
    season = np.maximum(np.where(switched, other, error), FLOOR)
    turned = known & np.where(fit.on, switched, season < better * fit.level_error)
    return replace(fit, weekly=fit.weekly ^ switched, on=fit.on | turned), turned


def _better(batches: Floats | float) -> Floats:
    """The share of an error below which another is better beyond doubt, by so many ``batches``."""
    return np.asarray(BETTER * (1 - DOUBT / np.sqrt(np.clip(batches, LEAST, LATELY))))


def _adopted(fit: Fit, recurring: Recurring, chosen: NDArray[np.bool_]) -> Fit:
    """With the days of every batch believed for the ``chosen`` statistics."""
    weights, no = np.zeros_like(fit.weights), np.zeros_like(fit.weekly)
    weights[:, ~WEEKLY] = recurring.every
    days = replace(fit, weights=weights, error=recurring.error, daily_error=recurring.error, on=~no, weekly=no)
    return choose(chosen, days, fit)


def _learnt(
    fit: Fit,
    baseline: Baseline,
    value: Floats,
    judged: Judged,
    sampling: Floats,
    live: NDArray[np.bool_],
    healthy: NDArray[np.bool_],
    share: Floats,
    now: Floats,
    reach: Floats,
    sure: float,
) -> Fit:
    weights = fit.weights.astype(np.float64)
    first = live & (baseline.count == 0)
    weights[first, 0] += value[first] - weights[first] @ now
    limit = _limit(fit, fit.error, baseline, judged, sampling / sure)
    due = weights @ now
    surprise = np.where(healthy, (value - due).clip(-limit, limit), np.where(fit.on & live, judged.level - due, 0.0))
    plain = winsorised(baseline, judged) ** 2 * baseline.count / (baseline.count + 1)
    return replace(
        fit,
        weights=(weights + surprise[:, None] * (reach * sure)).astype(np.float32),
        error=fit.error + healthy * share * (surprise**2 * sure / sampling - fit.error),
        level_error=fit.level_error + healthy * share * (plain / sampling - fit.level_error),
    )


def _days_learnt(
    fit: Fit,
    before: Fit,
    days: Days,
    baseline: Baseline,
    value: Floats,
    judged: Judged,
    sampling: Floats,
    healthy: NDArray[np.bool_],
    share: Floats,
) -> Fit:
    """With how far the days alone were from the batch, by the weights ``before`` it."""
    sure = 1 / (1 + days.leverage)
    surprise = np.where(baseline.count > 0, value - before.weights @ days.alone, 0.0)
    limit = _limit(before, before.daily_error, baseline, judged, sampling / sure)
    error = surprise.clip(-limit, limit) ** 2 * sure / sampling
    return replace(fit, daily_error=fit.daily_error + healthy * share * (error - fit.daily_error))


def _share(baseline: Baseline) -> Floats:
    """What the latest batch counts for in an error: all while the level is young, whose errors say nothing later."""
    return np.maximum(1 / np.maximum(baseline.count + 1 - SETTLED, 1), 1 / LATELY)


def _limit(fit: Fit, error: Floats, baseline: Baseline, judged: Judged, variance: Floats) -> Floats:
    """Four standard deviations, beyond which a batch teaches no more; none while few are known."""
    deviation = np.maximum(np.sqrt(variance * np.maximum(fit.level_error, error)), judged.deviation)
    return np.where(baseline.count >= SETTLED, WINSOR * deviation, np.inf)


def start_season(baseline: Baseline, season: Season, turned: NDArray[np.bool_], value: Floats, at: Micros) -> Baseline:
    """The baseline of the statistics that ``turned`` to a season: deviations are now from it."""
    none = np.zeros_like(value)
    started = replace(
        baseline,
        lag=value - level_at(season.fit, baseline, outlook_at(season, at)),
        pairs=none,
        cross=none,
        energy=none,
        dispersion=np.where(season.fit.weekly, season.fit.error, season.fit.daily_error),
        size_covariance=none,
    )
    return choose(turned, started, baseline)
