"""What detectors claim: a statistic of a subject changed."""

from dataclasses import dataclass
from typing import TypeAlias

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
