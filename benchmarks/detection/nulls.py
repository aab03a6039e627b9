"""Healthy streams of many shapes: how often detection alarms for nothing, divided by what was requested."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import chi2

from benchmarks.detection.feeding import MONTH, ROWS, feed, numbers
from benchmarks.report import Report
from detectors.dataset import Policy, start

Floats = NDArray[np.float64]
FEATURES = 1000  # of the fleet that shares one false alarm a month
FLEET = 16  # of them, that are watched


def _rows(rng: np.random.Generator, columns: int) -> Floats:
    return rng.normal(size=(columns, ROWS))


def _iid(draw: Callable[[np.random.Generator, tuple[int, int]], Floats]) -> Callable[..., Iterator[Floats]]:
    def stream(rng: np.random.Generator, batches: int, columns: int) -> Iterator[Floats]:
        for _ in range(batches):
            yield draw(rng, (columns, ROWS))

    return stream


def _missing(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    values = rng.normal(size=shape)
    values[rng.random(shape) < 0.01] = np.nan
    return values


def _correlated_rows(rho: float) -> Callable[..., Iterator[Floats]]:
    def stream(rng: np.random.Generator, batches: int, columns: int) -> Iterator[Floats]:
        last = rng.normal(size=columns)
        for _ in range(batches):
            noise = np.sqrt(1 - rho * rho) * _rows(rng, columns)
            values, _ = lfilter([1.0], [1.0, -rho], noise, axis=1, zi=(rho * last)[:, None])
            last = values[:, -1]
            yield values

    return stream


def _batch_effect(effect: Callable[[np.random.Generator, int, Floats], Floats]) -> Callable[..., Iterator[Floats]]:
    def stream(rng: np.random.Generator, batches: int, columns: int) -> Iterator[Floats]:
        level = np.zeros(columns)
        for _ in range(batches):
            level = effect(rng, columns, level)
            yield _rows(rng, columns) + 0.1 * level[:, None]

    return stream


def _seasonal(rng: np.random.Generator, batches: int, columns: int) -> Iterator[Floats]:
    for n in range(batches):
        day, week = 2 * np.pi * n / 1440, 2 * np.pi * n / 10_080
        yield _rows(rng, columns) + 0.5 * np.sin(day) + 0.2 * np.sin(2 * day + 1) + 0.3 * np.sin(week)


def _volatile(rng: np.random.Generator, batches: int, columns: int) -> Iterator[Floats]:
    log = np.zeros(columns)
    for _ in range(batches):
        log = 0.98 * log + 0.1 * rng.normal(size=columns)
        yield _rows(rng, columns) + 0.1 * (np.exp(log) * rng.normal(size=columns))[:, None]


def _sizes(rng: np.random.Generator, batches: int, columns: int) -> Iterator[Floats]:
    for _ in range(batches):
        rows = int(ROWS * 10 ** (rng.random() - 0.5))
        yield rng.normal(size=(columns, rows)) + 0.05 * rng.normal(size=(columns, 1))


def _ramp(rng: np.random.Generator, batches: int, columns: int) -> Iterator[Floats]:
    for n in range(batches):
        yield _rows(rng, columns) + 0.04 * n / batches


NULLS: dict[str, Callable[..., Iterator[Floats]]] = {
    "iid normal": _iid(lambda rng, shape: rng.normal(size=shape)),
    "lognormal": _iid(lambda rng, shape: rng.lognormal(size=shape)),
    "t(2.5)": _iid(lambda rng, shape: rng.standard_t(2.5, size=shape)),
    "zero-inflated": _iid(lambda rng, shape: rng.lognormal(size=shape) * (rng.random(shape) > 0.6)),
    "Poisson(3)": _iid(lambda rng, shape: rng.poisson(3, size=shape).astype(np.float64)),
    "constant": _iid(lambda _, shape: np.full(shape, 7.0)),
    "missing 1 %": _iid(_missing),
    "AR rows .9": _correlated_rows(0.9),
    "AR rows .99": _correlated_rows(0.99),
    "batch effect normal": _batch_effect(lambda rng, m, _: rng.normal(size=m)),
    "batch effect t(3)": _batch_effect(lambda rng, m, _: rng.standard_t(3, size=m)),
    "batch AR(.8)": _batch_effect(lambda rng, m, level: 0.8 * level + 0.6 * rng.normal(size=m)),
    "daily and weekly": _seasonal,
    "volatility clusters": _volatile,
    "batch sizes x10": _sizes,
    "ramp within tolerance": _ramp,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A healthy dataset to be watched. per_month: false alarms requested of one of ``features`` like its columns."""

    shape: str
    seed: int
    batches: int
    columns: int
    per_month: float
    features: int = 1

    @property
    def feature_months(self) -> float:
        """How much healthy life there is."""
        return self.columns * self.batches / MONTH


def false_alarms(life: Life) -> int:
    """Alarms of a healthy life: batches that begin a finding, column by column."""
    rng = np.random.default_rng([life.seed, life.features, list(NULLS).index(life.shape)])
    requested = life.per_month * life.columns / life.features
    state, alarms = start("bench/mark"), set[tuple[str, ...]]()
    policy = Policy(false_alarms_per_month=requested)
    for n, values in enumerate(NULLS[life.shape](rng, life.batches, life.columns)):
        state, found = feed(state, n, numbers(values), policy)
        alarms |= found
    return len(alarms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Healthy columns that share five factors, row by row, with correlations up to .9; a batch every ``minutes``."""

    seed: int
    columns: int
    rows: int
    batches: int
    minutes: int


def alerts(crowd: Crowd) -> int:
    """Batches that begin a finding while nothing changes, at one alarm a month over all columns."""
    rng = np.random.default_rng([crowd.seed, crowd.minutes])
    share = rng.uniform(0, 0.9, crowd.columns)
    factor = rng.integers(0, 5, crowd.columns)
    policy = Policy(false_alarms_per_month=1.0)
    state, alarms = start("bench/mark"), set[str]()
    for n in range(crowd.batches):
        common = rng.normal(size=(5, crowd.rows))[factor]
        own = rng.normal(size=(crowd.columns, crowd.rows))
        values = np.sqrt(share)[:, None] * common + np.sqrt(1 - share)[:, None] * own
        state, found = feed(state, crowd.minutes * n, numbers(values), policy)
        alarms |= {batch for *_, batch in found}
    return len(alarms)


def measure(report: Report, seed: int, quick: bool, pool: Executor) -> None:
    """The tables of false alarms."""
    batches, columns, rate = (1000, 5, MONTH / 500) if quick else (MONTH, 8, 1.0)
    report.say(f"false alarms / requested: {columns} columns, {batches:,} batches, {rate:.3g} a feature-month")
    one = [Life(shape=name, seed=seed, batches=batches, columns=columns, per_month=rate) for name in NULLS]
    many = [] if quick else [replace(life, columns=FLEET, features=FEATURES) for life in one]
    shared = _crowds(seed, quick)
    alone, fleets, crowds = pool.map(false_alarms, one), pool.map(false_alarms, many), pool.map(alerts, shared)
    for life, alarms in zip(one, alone, strict=True):
        value = alarms / (rate * life.feature_months)
        report.say(f"  {life.shape:24} {value:6.2f}")
        report.add(f"false alarms: {life.shape}", value, 1.2)
    for life, alarms in zip(many, fleets, strict=True):
        _fleet(report, life.shape, alarms, life.feature_months)
    for crowd, alarms in zip(shared, crowds, strict=True):
        days = crowd.batches * crowd.minutes / 1440
        what = f"{crowd.columns} columns sharing factors, {days:.0f} days, a batch in {crowd.minutes} min"
        report.say(f"  {what}, 1 a month requested: {alarms} alarms")
        report.add(f"alarms: {what}", alarms, 1.2)


def _crowds(seed: int, quick: bool) -> list[Crowd]:
    if quick:
        return [Crowd(seed=seed, columns=100, rows=200, batches=240, minutes=60)]
    hourly = Crowd(seed=seed, columns=500, rows=500, batches=720, minutes=60)
    return [hourly, Crowd(seed=seed, columns=500, rows=500, batches=MONTH // 10, minutes=10)]


def _fleet(report: Report, shape: str, alarms: int, months: float) -> None:
    """Alarms at the threshold of a fleet, and how many there may be at the most (95 %, Poisson)."""
    most = 1000 * float(chi2.ppf(0.95, 2 * alarms + 2)) / 2 / months
    report.say(f"  {shape:24} {alarms} in {months:.0f} feature-months, at most {most:.0f} a 1,000")
    report.add(f"alarms a 1,000 feature-months, one a month over {FEATURES:,}: {shape}", 1000 * alarms / months, 2.0)
    report.add(f"the same, at most (95 %): {shape}", most, None)
