"""What detectors say about one batch: readings of every statistic, and findings where something changed."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Micros: TypeAlias = int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A claim: this statistic of this subject changed, since about then, by this much.

    A finding is repeated in every observation of its subject for as long as it lasts, always with the same
    ``alarm_batch_id``; it is over when it is no longer repeated. ``(subject, column, segment, statistic,
    alarm_batch_id)`` identifies it.

    observed, expected: in the column's own units (a rate is between 0 and 1).
    effect: signed size of the change in baseline standard deviations of one row (or percentage points for rates).
    evidence_nats: accumulated evidence against "nothing changed"; ``inf`` for an exact check.
    onset_earliest, onset_latest: event time, microseconds; the change happened between them.
    sentence: the claim in plain units, aggregates only, never a value of a row.
    held_by: ``column = category`` of the rows that hold all of the change, where others are shown to have none;
    held_share: of the whole change, as estimated.
    """

    subject: str
    statistic: str
    column: str | None = None
    segment: str | None = None
    observed: float | None = None
    expected: float | None = None
    effect: float | None = None
    evidence_nats: float
    alarm_batch_id: str
    alarm_at: Micros
    onset_earliest: Micros
    onset_latest: Micros
    onset_batch_id: str | None = None
    sentence: str
    held_by: str | None = None
    held_share: float | None = None


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
