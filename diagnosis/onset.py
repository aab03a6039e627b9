"""When a change began, and whether two changes began together."""

from dataclasses import dataclass

from detectors.finding import Finding

from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.policy import Policy
from diagnosis.state import Batch

SHARP = 5.0  # a first bad batch this many standard errors off dates its onset exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Event time: it happened after ``earliest`` (the last good batch), not after ``latest`` (the first bad)."""

    earliest: Micros
    latest: Micros

    def meets(self, other: "Interval", slack: Micros) -> bool:
        """Tell whether two intervals overlap within ``slack`` microseconds."""
        return self.earliest - slack <= other.latest and other.earliest - slack <= self.latest


def slack(lineage: Lineage, key: str, policy: Policy) -> Micros:
    """Return how far apart two onsets at a node may lie and still be one."""
    return round(policy.onset_tolerance_gaps * lineage.usual_gap(key))


def first_bad(lineage: Lineage, key: str, finding: Finding) -> int:
    """Return the place in the node's ring of the first batch that the finding speaks of."""
    ring = lineage.ring(key)
    named = lineage.find(key, finding.onset_batch_id)
    if named is not None:
        return lineage.place(named)
    place = lineage.until(key, finding.onset_latest - 1)
    alarm = lineage.find(key, finding.alarm_batch_id)
    if alarm is not None:
        place = min(place, lineage.place(alarm))
    return min(place, max(len(ring) - 1, 0))


def bad_batches(lineage: Lineage, key: str, finding: Finding, last_at: Micros) -> tuple[Batch, ...]:
    """Return a node's batches from the finding's onset to the last one that repeated it."""
    start, stop = first_bad(lineage, key, finding), lineage.until(key, last_at)
    return lineage.ring(key)[start : max(stop, start + 1)]


def interval_of(finding: Finding) -> Interval:
    """Return the onset interval that the detector claims."""
    return Interval(earliest=finding.onset_earliest, latest=finding.onset_latest)


def interval_at(lineage: Lineage, first: Batch) -> Interval:
    """Return the interval between a batch and its predecessor in its dataset."""
    place = lineage.place(first)
    before = lineage.ring(first.node)[place - 1].at if place else first.at
    return Interval(earliest=before, latest=first.at)
