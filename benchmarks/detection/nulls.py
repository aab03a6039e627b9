"""How often detection alarms for nothing, and how fast it finds what is there.

``python -m benchmarks.detection [--quick] [--seed N] [--json FILE]`` prints two tables. False alarms: healthy streams
of many shapes, alarms divided by what was requested. Delays: batches of 1,000 rows until a fault is found, beside the
oracle CUSUM (which knows mean, variance and size of the change) at the same rate and beside a fixed rule
(Kolmogorov-Smirnov, p < .05, which alarms on one healthy batch in twenty).
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import DatasetState, Policy, fold, start, summarise

Floats = NDArray[np.float64]
MINUTE = 60_000_000
MONTH = 43_200
ROWS = 1000


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
        from scipy.signal import lfilter

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


def _shifted(by: float) -> Callable[[np.random.Generator, Floats], Floats]:
    return lambda _, values: values + by


def _nulls(share: float) -> Callable[[np.random.Generator, Floats], Floats]:
    return lambda rng, values: np.where(rng.random(values.shape) < share, np.nan, values)


def _kurtotic(rng: np.random.Generator, values: Floats) -> Floats:
    return rng.choice([-1.0, 1.0], values.shape) * np.sqrt(np.abs(values) * 0.8)


FAULTS: dict[str, tuple[Callable[[np.random.Generator, Floats], Floats], float]] = {
    "mean .1": (_shifted(0.1), 0.1 * np.sqrt(ROWS)),
    "mean .25": (_shifted(0.25), 0.25 * np.sqrt(ROWS)),
    "mean .5": (_shifted(0.5), 0.5 * np.sqrt(ROWS)),
    "mean 1": (_shifted(1.0), np.sqrt(ROWS)),
    "variance x1.5": (lambda _, values: values * np.sqrt(1.5), 0.5 / np.sqrt(2) * np.sqrt(ROWS)),
    "missing 1 to 3 %": (_nulls(0.02), 2 * (np.arcsin(0.03**0.5) - np.arcsin(0.1)) * np.sqrt(ROWS)),
    "shape only": (_kurtotic, np.nan),
}


def _feed(state: DatasetState, n: int, values: Floats, policy: Policy) -> tuple[DatasetState, set[tuple[str, ...]]]:
    columns = {f"c{i}": NumberColumn(values=row) for i, row in enumerate(values)}
    at = n * MINUTE
    batch = BatchInput(
        subject="bench/mark", batch_id=str(n), at=at, arrived_at=at, rows=values.shape[1], columns=columns
    )
    state, judgement = fold(state, summarise(state, batch), policy)
    found = judgement.findings if judgement else ()
    return state, {(f.column or "", f.statistic, f.alarm_batch_id) for f in found}


def false_alarms(name: str, rng: np.random.Generator, batches: int, columns: int, per_month: float) -> float:
    """Alarms divided by those requested, ``per_month`` for each of ``columns``, over ``batches`` minutes."""
    policy = Policy(false_alarms_per_month=per_month * columns)
    state, alarms = start("bench/mark"), set[tuple[str, ...]]()
    for n, values in enumerate(NULLS[name](rng, batches, columns)):
        state, found = _feed(state, n, values, policy)
        alarms |= found
    return len(alarms) / (per_month * columns * batches / MONTH)


def delay(name: str, rng: np.random.Generator, healthy: int, tolerance: float, repeats: int) -> tuple[float, float]:
    """Mean batches until the fault is found in the one column that has it, and until p < .05 finds it."""
    fault, _ = FAULTS[name]
    policy = Policy(tolerance=tolerance)
    ours, fixed = [], []
    for _ in range(repeats):
        state, reference = start("bench/mark"), _missing(rng, (1, 10 * ROWS))
        for n in range(healthy):
            state, _ = _feed(state, n, _missing(rng, (1, ROWS)), policy)
        first = second = None
        for n in range(healthy, healthy + 200):
            values = fault(rng, _missing(rng, (1, ROWS)))
            state, found = _feed(state, n, values, policy)
            if first is None and any(int(alarm) >= healthy for *_, alarm in found):
                first = n - healthy + 1
            if (
                second is None
                and ks_2samp(values[np.isfinite(values)], reference[np.isfinite(reference)]).pvalue < 0.05
            ):
                second = n - healthy + 1
            if first and second:
                break
        ours.append(first or 200)
        fixed.append(second or 200)
    return float(np.mean(ours)), float(np.mean(fixed))


def oracle(shift: float, rng: np.random.Generator, repeats: int = 2000) -> float:
    """Mean delay of the CUSUM of a normal statistic that knows its shift, at one false alarm in nine months."""
    steps = shift * rng.normal(shift, 1, (repeats, 400)) - shift**2 / 2
    walk = np.cumsum(steps, axis=1)
    level = walk - np.minimum(np.minimum.accumulate(walk, axis=1), 0)
    return float((level > np.log(9 * MONTH)).argmax(axis=1).mean() + 1)


def main() -> None:
    """Run both tables, print them, and write them where ``--json`` says."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--quick", action="store_true", help="smaller tables, about three minutes")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", metavar="FILE")
    chosen = options.parse_args()
    began = time.monotonic()
    rng = np.random.default_rng(chosen.seed)
    batches, columns = (1500, 6) if chosen.quick else (MONTH, 8)
    rate = MONTH / 500 if chosen.quick else 1.0
    rows = []
    print(f"false alarms / requested ({columns} columns, {batches:,} batches, {rate:.3g} a feature-month)")
    for name in NULLS:
        value = false_alarms(name, rng, batches, columns, rate)
        rows.append({"name": f"false alarms: {name}", "value": value, "bar": 1.2, "holds": value <= 1.2})
        print(f"  {name:24} {value:6.2f}", flush=True)
    print("delay in batches      default   tolerance off   oracle   / oracle   KS p<.05 (alarms on 5 % of healthy)")
    for name, (_, shift) in FAULTS.items():
        repeats = 4 if chosen.quick else 20
        default, fixed = delay(name, rng, 200, 0.05, repeats)
        strict, _ = delay(name, rng, 200, 0.0, repeats)
        best = oracle(shift, rng) if np.isfinite(shift) else np.nan
        rows.append(
            {"name": f"delay / oracle: {name}", "value": strict / best, "bar": 1.3, "holds": strict / best <= 1.3}
        )
        print(f"  {name:18} {default:8.1f} {strict:12.1f} {best:12.1f} {strict / best:9.2f} {fixed:9.1f}", flush=True)
    seconds = time.monotonic() - began
    print(f"seed {chosen.seed}, {seconds:.0f} s")
    if chosen.json:
        with open(chosen.json, "w") as file:
            json.dump({"rows": rows, "seed": chosen.seed, "seconds": seconds}, file, indent=1)


if __name__ == "__main__":
    main()
