"""Faults of known size in batches of 1,000 rows, and the batches until they are found."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.detection.feeding import MONTH, ROWS, feed
from detectors.batch import CategoryColumn, ColumnInput, NumberColumn
from detectors.dataset import Policy, start

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], Floats]
LONGEST = 200  # batches after which a fault counts as not found
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
    """Mean batches until the fault is found, after ``known`` healthy ones."""
    policy, delays = Policy(tolerance=tolerance), []
    for _ in range(repeats):
        state = start("bench/mark")
        for n in range(known + LONGEST):
            values = fault.before(rng) if n < known else fault.since(rng)
            state, found = feed(state, n, {"c": fault.column(values)}, policy)
            if any(int(alarm) >= known for *_, alarm in found):
                break
        delays.append(n - known + 1)
    return float(np.mean(delays))


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


def oracle(shift: float, rng: np.random.Generator, repeats: int = 2000) -> float:
    """Mean delay of the CUSUM that knows its shift, at the same rate: one alarm a month among nine statistics."""
    steps = shift * rng.normal(shift, 1, (repeats, LONGEST)) - shift**2 / 2
    walk = np.cumsum(steps, axis=1)
    level = walk - np.minimum(np.minimum.accumulate(walk, axis=1), 0)
    return float((level > np.log(9 * MONTH)).argmax(axis=1).mean() + 1)
