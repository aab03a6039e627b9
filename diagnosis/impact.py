"""Which predictions a fault reached: exactly those whose batches descend from an affected batch of the origin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from diagnosis.alert import CauseKind, Impact, Match, Severity
from diagnosis.following import OF_OUTCOMES
from diagnosis.lineage import Lineage, weaker
from diagnosis.observation import Micros
from diagnosis.onset import Interval
from diagnosis.policy import Policy
from diagnosis.state import Active, Batch, NodeKind, Reached, Served

NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})
ALWAYS = 2**62
_EARLY = 10  # usual gaps that a child's event time may lie before its parent's
_PERFORMANCE = OF_OUTCOMES | {"error_rate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Ids of the batches that descend from a fault, by node, and how surely."""

    batches: Mapping[str, frozenset[str]]
    match: Match


def descend(
    lineage: Lineage,
    seeds: Sequence[Batch],
    known: Mapping[str, Sequence[str]] = NOTHING,
    newest: int | None = None,
) -> Reach:
    """Return everything made from these batches, directly or not.

    known: what is already known to descend from the fault. newest: look at only so many of each node's newest batches,
    and at those that may have been made from the ``seeds``: what was read ahead of its parents is looked at again.
    """
    reached = {key: set(ids) for key, ids in known.items()}
    for batch in seeds:
        reached.setdefault(batch.node, set()).add(batch.batch_id)
    match = Match.EXACT
    since = min((batch.at for batch in seeds), default=ALWAYS)
    for key in _downstream_order(lineage, sorted(reached)):
        ring = lineage.ring(key)
        first = lineage.until(key, since - _EARLY * lineage.usual_gap(key))
        children = ring[min(first, max(0, len(ring) - newest)) if newest else first :]
        hit, implied = reached.setdefault(key, set()), lineage.implied(key)
        for child in children:
            for link in child.links or implied:
                ids = reached.get(link.parent)
                if ids and (link.batch_id in ids if link.match is Match.EXACT else lineage.leads(link, child, reached)):
                    hit.add(child.batch_id)
                    match = weaker(match, link.match)
    return Reach(batches={key: frozenset(found) for key, found in reached.items() if found}, match=match)


def _downstream_order(lineage: Lineage, start: Sequence[str]) -> list[str]:
    """Return the descendants so that every node comes after those of its parents that are among them."""
    found = set[str]().union(*(lineage.descendants(key) for key in start))
    order: list[str] = []
    waiting = sorted(found)
    while waiting:
        ready = [key for key in waiting if not set(lineage.parent_keys(key)) & set(waiting)]
        order.extend(ready)
        waiting = [key for key in waiting if key not in ready]
    return order


def affected(lineage: Lineage, batch: Batch, reach: Reach) -> tuple[Served, ...]:
    """Return the prediction events of one window that the fault reached."""
    if batch.batch_id not in reach.batches.get(batch.node, frozenset()):
        return ()
    hit = {index for index, link in enumerate(batch.links) if lineage.leads(link, batch, reach.batches)}
    if not hit:  # the window itself is where it began, or its parents were derived
        return batch.served
    return tuple(served for served in batch.served if not served.links or hit & set(served.links))


def count(lineage: Lineage, reach: Reach, lasted: Interval, counted: Mapping[str, Reached]) -> dict[str, Reached]:
    """Count predictions per model, affected and all while the fault ``lasted``, on top of those counted already."""
    ends = {key: len(lineage.ring(key)) for key, node in lineage.nodes.items() if node.kind is NodeKind.MODEL}
    return _advanced(lineage, reach, lasted, counted, ends)


def advance(
    lineage: Lineage,
    reach: Reach,
    lasted: Interval,
    counted: Mapping[str, Reached],
    origin: str,
    newest: int,
    most: int,
) -> dict[str, Reached]:
    """Count the windows after the last one counted, without those that may still change.

    These are each model's ``newest`` ones, and those later than the last batch of anything between ``origin`` and the
    model: topics are read at their own pace, so what a window was made from may come long after it. But no more than
    ``most`` windows wait.
    """
    ends = {}
    for key, node in lineage.nodes.items():
        if node.kind is NodeKind.MODEL:
            size = len(lineage.ring(key))
            ends[key] = max(size - most, min(size - newest, lineage.until(key, _frontier(lineage, origin, key))), 0)
    return _advanced(lineage, reach, lasted, counted, ends)


def _frontier(lineage: Lineage, origin: str, model: str) -> Micros:
    """Event time up to which everything between ``origin`` and ``model`` was seen."""
    between = (key for key in {origin, *lineage.descendants(origin)} if model in lineage.descendants(key))
    latest = (lineage.ring(key)[-1].at for key in between if lineage.ring(key))
    return min(latest, default=ALWAYS)


def _advanced(
    lineage: Lineage, reach: Reach, lasted: Interval, counted: Mapping[str, Reached], ends: Mapping[str, int]
) -> dict[str, Reached]:
    totals = dict(counted)
    for key in sorted(ends):
        reached = counted.get(key, Reached())
        ring = lineage.ring(key)
        start = lineage.until(key, lasted.earliest - 1 if reached.until is None else reached.until)
        first = min((lineage.place(batch) for batch in _reached_windows(lineage, key, reach)), default=start)
        for batch in ring[min(start, first) if reached.until is None else start : ends[key]]:
            reached = add(reached, batch, affected(lineage, batch, reach), lasted)
        totals[key] = reached
    return totals


def _reached_windows(lineage: Lineage, key: str, reach: Reach) -> Iterable[Batch]:
    found = (lineage.find(key, name) for name in sorted(reach.batches.get(key, ())))
    return (batch for batch in found if batch is not None)


def add(reached: Reached, batch: Batch, hit: tuple[Served, ...], lasted: Interval) -> Reached:
    """Add one window to a model's count."""
    first = min(hit, key=lambda served: (served.at, served.first_id or ""), default=None)
    during = (served for served in batch.served if lasted.earliest <= served.at <= lasted.latest or served in hit)
    reached = replace(
        reached,
        affected=reached.affected + sum(served.rows for served in hit),
        total=reached.total + sum(served.rows for served in during),
        until=batch.at,
    )
    if first is not None and (reached.first_at is None or first.at < reached.first_at):
        reached = replace(reached, first_at=first.at, first_id=first.first_id)
    return reached


def impact_of(lineage: Lineage, totals: Mapping[str, Reached], match: Match) -> Impact:
    """Sum the counts of all models that were reached."""
    hit = {key: reached for key, reached in totals.items() if reached.affected}
    if not hit:
        return Impact()
    number = sum(reached.affected for reached in hit.values())
    first = min(hit.values(), key=lambda reached: (reached.first_at or 0, reached.first_id or ""))
    return Impact(
        models=tuple(sorted(lineage.nodes[key].name for key in hit)),
        predictions_affected=number,
        share_of_predictions=min(1.0, number / max(sum(reached.total for reached in hit.values()), 1)),
        first_prediction_id=first.first_id,
        match=match,
    )


def severity_of(
    lineage: Lineage, origin: str, kind: CauseKind, members: tuple[Active, ...], impact: Impact, policy: Policy
) -> Severity:
    """Return how much it matters.

    CRITICAL: predictions were reached and scores, calibration or errors show it. INFO: nothing but small shifts
    (no effect above ``policy.harmless_effect``, no exact check), or nothing that any model or another pipeline is made
    from. WARNING: the rest.
    """
    findings = [member.finding for member in members]
    exact = any(finding.evidence_nats == float("inf") for finding in findings)
    small = not exact and all(
        finding.effect is not None and abs(finding.effect) < policy.harmless_effect for finding in findings
    )
    harmed = any(one.statistic in _PERFORMANCE or one.statistic.startswith("score_") for one in findings)
    if impact.predictions_affected and harmed and not small:
        return Severity.CRITICAL
    if small:
        return Severity.INFO
    node = lineage.nodes.get(origin)
    models = [key for key in lineage.nodes if lineage.nodes[key].kind is NodeKind.MODEL]
    downstream = node is not None and (
        node.kind is not NodeKind.DATASET or any(key in lineage.descendants(origin) for key in models)
    )
    read = node is not None and any(lineage.nodes[key].readers for key in (origin, *lineage.descendants(origin)))
    if models and not (downstream or read) and kind is not CauseKind.SILENCE:
        return Severity.INFO
    return Severity.WARNING
