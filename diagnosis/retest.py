"""The focused retest: does a node deviate in the few batches under suspicion, whether or not it alarmed?

Over ``n`` batches a mean of standardised readings times √n is standard normal while nothing changed, so the largest of
``m`` statistics stays below √(2 ln(m / alpha)) with probability about 1 - alpha: far below an alarm threshold that has
to hold for months over every statistic of the fleet.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite, log, sqrt
from operator import attrgetter

import numpy as np
from detectors.finding import Finding
from numpy.typing import NDArray

from diagnosis.identity import concern
from diagnosis.lineage import Lineage
from diagnosis.onset import Interval, bad_batches, interval_of, slack
from diagnosis.policy import Policy
from diagnosis.ring import Floats
from diagnosis.state import Active, Batch

_Z = attrgetter("z")
_BEFORE = 8  # batches just before the suspects that must not deviate already


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One statistic of one node that is not what it was; ``strength`` in standard errors (signed)."""

    column: str
    statistic: str
    strength: float
    finding: Finding | None = None

    @property
    def size(self) -> float:
        """Return the strength without its sign."""
        return abs(self.strength)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """All that tells where something at a node began: ring numbers, findings and what is ``new``, there and upstream.

    policy: how it is told.
    """

    rings: tuple[int, ...]
    active: tuple[Active, ...]
    new: frozenset[str]
    policy: Policy


@dataclass(frozen=True, slots=True)
class Retest:
    """Tests nodes against the findings followed and the readings remembered.

    new: nodes that were heard of a short while ago and not observed yet: their batches may be on their way.
    alarms, sources: what a review has already worked out, by node.
    """

    lineage: Lineage
    active: tuple[Active, ...]
    policy: Policy
    new: frozenset[str] = frozenset()
    alarms: dict[str, list[tuple[Interval, Deviation]]] = field(default_factory=dict)
    sources: dict[str, Upstream] = field(default_factory=dict)

    def critical(self, statistics: int) -> float:
        """Return the strength that the largest of so many healthy statistics hardly ever reaches."""
        return sqrt(2 * log(max(statistics, 1) / self.policy.retest_alpha))

    def upstream(self, key: str) -> Upstream:
        """Return what a walk from a node depends on, worked out once per review."""
        if key not in self.sources:
            keys = {key, *self.lineage.ancestors(key)}
            self.sources[key] = Upstream(
                rings=self.lineage.numbers(sorted(keys)),
                active=tuple(one for one in self.active if one.node in keys),
                new=self.new & keys,
                policy=self.policy,
            )
        return self.sources[key]

    def deviations(
        self, key: str, batches: Sequence[Batch], when: Interval, older: frozenset[str] = frozenset()
    ) -> tuple[Deviation, ...]:
        """Return how a node deviates in these batches, strongest first; ``when`` is the suspected onset.

        older: concerns that count even if they were so before the onset, where something lasts that was found upstream.
        """
        older = older if self._troubled(key) else frozenset()
        found = {(deviation.column, deviation.statistic): deviation for deviation in self._weak(key, batches, older)}
        found |= {name: one for name, one in self._lasting(key, older).items() if name in found}
        found |= self._alarmed(key, when)
        return tuple(sorted(found.values(), key=lambda one: (-one.size, one.column, one.statistic)))

    def _alarmed(self, key: str, when: Interval) -> dict[tuple[str, str], Deviation]:
        near = slack(self.lineage, key, self.policy)
        return {(one.column, one.statistic): one for span, one in self._alarms(key) if span.meets(when, near)}

    def _lasting(self, key: str, concerns: frozenset[str]) -> dict[tuple[str, str], Deviation]:
        known = (one for _, one in self._alarms(key) if concern(one.column, one.statistic) in concerns)
        return {(one.column, one.statistic): one for one in known}

    def _alarms(self, key: str) -> list[tuple[Interval, Deviation]]:
        """Return a node's findings as deviations, worked out once per review."""
        if key not in self.alarms:
            self.alarms[key] = [
                (
                    interval_of(active.finding),
                    Deviation(
                        column=active.finding.column or "",
                        statistic=active.finding.statistic,
                        strength=self._alarm_strength(active),
                        finding=active.finding,
                    ),
                )
                for active in self.active
                if active.node == key
            ]
        return self.alarms[key]

    def _alarm_strength(self, active: Active) -> float:
        finding = active.finding
        batches = bad_batches(self.lineage, active.node, finding, active.last_at)
        read = self.strength(active.node, batches, finding.column or "", finding.statistic)
        nats = sqrt(2 * min(max(finding.evidence_nats, 0.0), 5_000.0))
        return max(abs(read or 0.0), nats) * (-1.0 if (finding.effect or read or 0.0) < 0 else 1.0)

    def strength(self, key: str, batches: Sequence[Batch], column: str, statistic: str) -> float | None:
        """Return one statistic's strength over these batches, None where it was not read."""
        values = series(self.lineage, key, self._read(batches), column, statistic)
        values = values[np.isfinite(values)]
        return float(values.mean() * sqrt(len(values))) if len(values) else None

    def _weak(self, key: str, batches: Sequence[Batch], older: frozenset[str]) -> Iterable[Deviation]:
        batches = self._read(batches)
        newest = next((batch for batch in reversed(batches) if len(batch.z)), None)
        if newest is None or key not in self.lineage.nodes:
            return
        layout = self.lineage.nodes[key].layouts[newest.layout]
        strengths = _strengths(batches, newest.layout)
        place = self.lineage.place(batches[0])
        before = _strengths(self.lineage.ring(key)[max(place - _BEFORE, 0) : place], newest.layout)
        critical = self.critical(int(np.isfinite(strengths).sum()))
        for index in np.flatnonzero(np.abs(strengths) >= critical):
            earlier = before[index] if len(before) else 0.0
            known = isfinite(earlier) and abs(earlier) >= critical and earlier * strengths[index] > 0
            column, statistic, strength = layout.column[index], layout.statistic[index], float(strengths[index])
            if concern(column, statistic) not in older:
                strength /= self._habit(key, place, column, statistic)
                if known or abs(strength) < critical:
                    continue  # it was like that before the onset in question, or now and then
            yield Deviation(column=column, statistic=statistic, strength=strength)

    def _habit(self, key: str, place: int, column: str, statistic: str) -> float:
        """Return how far a statistic used to be off before ``place`` in the ring, at least 1: not all are normal."""
        before = self.lineage.of(key).readings(column, statistic)[:place]
        read = before[np.isfinite(before)]
        return max(1.0, float(np.sqrt(np.mean(read**2)))) if len(read) else 1.0

    def _read(self, batches: Sequence[Batch]) -> Sequence[Batch]:
        return tuple(dict.fromkeys(self.lineage.read(one) for one in batches[: self.policy.retest_batches]))

    def _troubled(self, key: str) -> bool:
        """Tell whether something that still lasts has been found at a node or upstream of it."""
        return any(not one.over for one in self.upstream(key).active)


def _strengths(batches: Sequence[Batch], layout: int) -> Floats:
    """Return mean z * √n per statistic, shape ``(statistics,)``; 0 where nothing was read."""
    rows = [batch.z for batch in batches if batch.layout == layout and not batch.late]
    if not rows or not len(rows[-1]):
        return np.empty(0)
    z = np.stack(rows).astype(np.float64)
    z[~np.isfinite(z)] = np.nan
    read = np.isfinite(z)
    count = read.sum(0)
    strengths: Floats = np.where(read, z, 0.0).sum(0) / np.sqrt(np.maximum(count, 1))
    return strengths


def series(
    lineage: Lineage,
    key: str,
    batches: Iterable[Batch],
    column: str,
    statistic: str,
    of: Callable[[Batch], NDArray[np.float32]] = _Z,
) -> Floats:
    """Return one statistic's z over batches, shape ``(batches,)``; NaN where a batch does not have it.

    of: which of a batch's arrays is read instead.
    """
    ring, values = lineage.of(key), list[float]()
    for batch in batches:
        read = of(batch)
        place = ring.spot(batch.layout, column, statistic) if len(read) else None
        values.append(float("nan") if place is None else read.item(place))
    return np.array(values, np.float64)
