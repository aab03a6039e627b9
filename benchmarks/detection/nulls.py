"""Healthy streams of many shapes: how often detection alarms for nothing, divided by what was requested."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from benchmarks.detection.feeding import MONTH, ROWS, feed
from detectors.batch import NumberColumn
from detectors.dataset import Policy, start

Floats = NDArray[np.float64]


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


def false_alarms(name: str, rng: np.random.Generator, batches: int, columns: int, per_month: float) -> float:
    """Alarms divided by those requested, ``per_month`` for each of ``columns``, over ``batches`` minutes."""
    policy = Policy(false_alarms_per_month=per_month * columns)
    state, alarms = start("bench/mark"), set[tuple[str, ...]]()
    for n, values in enumerate(NULLS[name](rng, batches, columns)):
        state, found = feed(state, n, {f"c{i}": NumberColumn(values=row) for i, row in enumerate(values)}, policy)
        alarms |= found
    return len(alarms) / (per_month * columns * batches / MONTH)


def correlated(rng: np.random.Generator, columns: int, rows: int, hours: int) -> int:
    """Batches that begin a finding while nothing changes, at one alarm a month over all; hourly batches.

    The columns share five factors, row by row, with correlations up to .9.
    """
    share = rng.uniform(0, 0.9, columns)
    factor = rng.integers(0, 5, columns)
    policy = Policy(false_alarms_per_month=1.0, monitored=2 + 7 * columns)
    state, alarms = start("bench/mark"), set[str]()
    for n in range(hours):
        common = rng.normal(size=(5, rows))[factor]
        values = np.sqrt(share)[:, None] * common + np.sqrt(1 - share)[:, None] * rng.normal(size=(columns, rows))
        held = {f"c{i}": NumberColumn(values=row) for i, row in enumerate(values)}
        state, found = feed(state, 60 * n, held, policy)
        alarms |= {batch for *_, batch in found}
    return len(alarms)
