"""Where raw values come from: one distribution per class, all stationary."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulation.columns import Categories, Values, blanked


class Draw(Protocol):
    """A distribution of raw values."""

    def draw(self, rng: np.random.Generator, rows: int) -> Values:
        """``rows`` independent values."""
        ...


@dataclass(frozen=True, slots=True)
class Normal:
    """Gaussian values."""

    mean: float
    deviation: float

    def draw(self, rng: np.random.Generator, rows: int) -> Values:
        """``rows`` independent values."""
        return rng.normal(self.mean, self.deviation, rows)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Positive values with a heavy right tail; ``spread`` is the standard deviation of the logarithm."""

    median: float
    spread: float

    def draw(self, rng: np.random.Generator, rows: int) -> Values:
        """``rows`` independent values, rounded to hundredths as money is."""
        return np.round(self.median * np.exp(rng.normal(0.0, self.spread, rows)), 2)


@dataclass(frozen=True, slots=True)
class Exponential:
    """Waiting times in whole units."""

    mean: float

    def draw(self, rng: np.random.Generator, rows: int) -> Values:
        """``rows`` independent values."""
        return np.floor(rng.exponential(self.mean, rows))


@dataclass(frozen=True, slots=True)
class Counts:
    """Poisson counts above ``least``."""

    mean: float
    least: int = 0

    def draw(self, rng: np.random.Generator, rows: int) -> Values:
        """``rows`` independent values."""
        return self.least + rng.poisson(self.mean - self.least, rows).astype(float)


@dataclass(frozen=True, slots=True)
class Choice:
    """Categories with their weights."""

    weights: Mapping[str, float]

    def draw(self, rng: np.random.Generator, rows: int) -> Values:
        """``rows`` independent values."""
        weight = np.array(list(self.weights.values()))
        codes = rng.choice(len(weight), rows, p=weight / weight.sum())
        return Categories(tuple(self.weights), codes.astype(np.int32))


@dataclass(frozen=True, slots=True)
class Sometimes:
    """Another distribution's values, missing at a rate."""

    of: Draw
    missing: float

    def draw(self, rng: np.random.Generator, rows: int) -> Values:
        """``rows`` independent values."""
        values = self.of.draw(rng, rows)
        return blanked(values, rng.random(rows) < self.missing)
