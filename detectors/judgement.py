"""What detectors say about one batch: readings of every statistic, profiles of columns, and findings of changes."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.finding import Finding


def _no_numbers() -> NDArray[np.float64]:
    return np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Readings:
    """Every statistic of one batch, side by side: all sequences have the same length.

    column: the column's name, ``""`` for a statistic of the whole subject. z: standardised against the baseline,
    NaN while warming up. scale: the baseline standard deviation of the statistic. evidence: nats.
    """

    column: tuple[str, ...] = ()
    statistic: tuple[str, ...] = ()
    observed: NDArray[np.float64] = field(default_factory=_no_numbers)
    expected: NDArray[np.float64] = field(default_factory=_no_numbers)
    scale: NDArray[np.float64] = field(default_factory=_no_numbers)
    z: NDArray[np.float64] = field(default_factory=_no_numbers)
    evidence: NDArray[np.float64] = field(default_factory=_no_numbers)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnProfile:
    """The public face of a column's summary, for people and for the histograms of ``explain``.

    edges, counts: the histogram against the reference bins (``edges`` are the inner edges, ``len(counts) - 1`` of
    them); expected_counts: the baseline's share of each bin, summing to 1. top: frequent categories with their rows.
    """

    name: str
    kind: str
    count: int
    missing: int
    non_finite: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    distinct: int | None = None
    edges: NDArray[np.float64] = field(default_factory=_no_numbers)
    counts: NDArray[np.float64] = field(default_factory=_no_numbers)
    expected_share: NDArray[np.float64] = field(default_factory=_no_numbers)
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judgement:
    """What a fold says of one batch or window."""

    findings: tuple[Finding, ...] = ()
    readings: Readings = field(default_factory=Readings)
    profiles: tuple[ColumnProfile, ...] = ()
    gauges: dict[str, float] = field(default_factory=dict)
    warming_up: bool = False
    late: bool = False
