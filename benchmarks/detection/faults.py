"""Faults of known size in batches of 1,000 rows, and the batches until they are found."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.detection.feeding import EACH, ROWS, feed
from benchmarks.detection.oracle import RUN_LENGTH, calibrated, page
from benchmarks.report import Report
from detectors.batch import CategoryColumn, ColumnInput, NumberColumn
from detectors.dataset import Policy, start

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], Floats]
LONGEST = 200  # batches after which a fault counts as not found
KNOWN, YOUNG = 400, 120  # healthy batches before a fault
USUAL, MOVED = np.array([0.5, 0.3, 0.2]), np.array([0.45, 0.3, 0.25])


def healthy(rng: np.random.Generator) -> Floats:
    """Normal rows, one in a hundred missing."""
    values = rng.normal(size=ROWS)
    values[rng.random(ROWS) < 0.01] = np.nan
    return values


@dataclass(frozen=True)
class Fault:
    """Rows before and since. shift: what a batch shows of it, in standard deviations of its best statistic."""

    since: Draw
    shift: float
    before: Draw = healthy
    category: bool = False

    def column(self, values: Floats) -> ColumnInput:
        """The rows as a column."""
        if self.category:
            return CategoryColumn(dictionary=("a", "b", "c"), codes=values.astype(np.int32))
        return NumberColumn(values=values)


def _shifted(by: float) -> Draw:
    return lambda rng: healthy(rng) + by


def _emptier(rng: np.random.Generator) -> Floats:
    values = healthy(rng)
    values[rng.random(ROWS) < 0.02] = np.nan
    return values


def _two_humps(rng: np.random.Generator) -> Floats:
    values = healthy(rng)
    return rng.choice([-1.0, 1.0], ROWS) * np.sqrt(np.abs(values) * 0.8)


def _two_humps_shift() -> float:
    """From the divergence of the two densities, integrated: a batch shows ``sqrt(2 n KL)``."""
    y = np.linspace(1e-4, 4, 40_000)
    density = norm.pdf(y * y / 0.8) * 2 * y / 0.8
    kept = density > 0
    divergence = 2 * np.sum(density[kept] * np.log(density[kept] / norm.pdf(y[kept]))) * (y[1] - y[0])
    return float(np.sqrt(2 * ROWS * divergence))


def _codes(shares: Floats) -> Draw:
    return lambda rng: rng.choice(3, ROWS, p=shares).astype(np.float64)


ROOT = float(np.sqrt(ROWS))
FAULTS = {
    "mean .1": Fault(_shifted(0.1), 0.1 * ROOT),
    "mean .25": Fault(_shifted(0.25), 0.25 * ROOT),
    "mean .5": Fault(_shifted(0.5), 0.5 * ROOT),
    "mean 1": Fault(_shifted(1.0), ROOT),
    "variance x1.5": Fault(lambda rng: healthy(rng) * np.sqrt(1.5), 0.5 / np.sqrt(2) * ROOT),
    "shape only": Fault(_two_humps, _two_humps_shift()),
    "missing 1 to 3 %": Fault(_emptier, 2 * (np.arcsin(0.03**0.5) - np.arcsin(0.1)) * ROOT),
    "category TV .05": Fault(
        _codes(MOVED), float(np.sqrt(2 * ROWS * np.sum(MOVED * np.log(MOVED / USUAL)))), _codes(USUAL), category=True
    ),
}


def delay(fault: Fault, rng: np.random.Generator, known: int, tolerance: float, repeats: int) -> float:
    """Mean batches until the fault is found, after ``known`` healthy ones.

    Each repeat is a column of one dataset, at the rate it would have in a dataset of its own. One that alarms for
    nothing just then is left out.
    """
    policy = Policy(tolerance=tolerance, false_alarms_per_month=(2 + (EACH - 2) * repeats) / EACH)
    state, standing, first = start("bench/mark"), set[str](), dict[str, int]()
    for n in range(known + LONGEST):
        draw = fault.before if n < known else fault.since
        state, found = feed(state, n, {f"c{i}": fault.column(draw(rng)) for i in range(repeats)}, policy)
        if n == known - 1:
            standing = {column for column, *_ in found}
        for column, _, alarm in found:
            if column not in standing and int(alarm) >= known:
                first.setdefault(column, n - known + 1)
        if n >= known and len(first.keys() | standing) >= repeats:
            break
    counted = [first.get(f"c{i}", LONGEST) for i in range(repeats) if f"c{i}" not in standing]
    return float(np.mean(counted))


def absurd(rng: np.random.Generator, repeats: int) -> float:
    """Share of absurd batches (all missing, a thousand times larger, empty) that are found in that batch."""
    found_at_once = []
    for values in [np.full(ROWS, np.nan), None, np.empty(0)] * repeats:
        state = start("bench/mark")
        for n in range(60):
            state, _ = feed(state, n, {"c": NumberColumn(values=healthy(rng))}, Policy())
        given = healthy(rng) * 1000 if values is None else values
        _, found = feed(state, 60, {"c": NumberColumn(values=given)}, Policy())
        found_at_once.append(any(alarm == "60" for *_, alarm in found))
    return float(np.mean(found_at_once))


def measure(report: Report, seed: int, quick: bool) -> None:
    """The table of delays, and the absurd batches."""
    repeats, rng = 40 if quick else 200, np.random.default_rng([seed, 1])
    report.say(f"batches until a fault is found, mean of {repeats}, after {KNOWN} healthy ones (young: after {YOUNG}),")
    report.say(
        "beside the oracle at the threshold ln(run length) that all use, and at the one that gives this run length"
    )
    head = ("default", "tol. off", "young", "oracle", "exact", "/ oracle", "young /", "/ exact")
    report.say(f"  {'':18}" + "".join(f"{name:>9}" for name in head))
    for name, fault in FAULTS.items():
        default, strict = (delay(fault, rng, KNOWN, tolerance, repeats) for tolerance in (Policy().tolerance, 0.0))
        young = delay(fault, rng, YOUNG, 0.0, repeats)
        best, exact = page(fault.shift, np.log(RUN_LENGTH)), page(fault.shift, calibrated(fault.shift))
        held = (default, strict, young, best, exact, strict / best, young / best, strict / exact)
        report.say(f"  {name:18}" + "".join(f"{value:9.2f}" for value in held))
        report.add(f"delay / oracle: {name}", strict / best, 1.3)
        report.add(f"delay / oracle after {YOUNG} batches: {name}", young / best, None)
        report.add(f"delay / oracle whose threshold is exact: {name}", strict / exact, None)
        report.add(f"delay at the default tolerance: {name}", default, None)
    share = absurd(rng, 2 if quick else 20)
    report.say(f"  absurd batches found at once: {100 * share:.0f} %")
    report.add("absurd batches found at once", share, 1.0, least=True)
