"""What is off already and moves further in the first batch that its node made otherwise: a fault of its own.

A detector tells once that a statistic is off, and whatever becomes of it then is part of that finding. Where it leaps
just when versions, toggles or parameters of its node change, and nothing leaps in what the node is made from, that
change broke it again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite, isinf
from operator import attrgetter

import numpy as np
from detectors.finding import Finding

from diagnosis.changes import header_acts
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.onset import first_bad
from diagnosis.retest import series
from diagnosis.ring import Floats
from diagnosis.state import Batch, Node, PipelineState

FURTHER_SHIFT = "further_shift"
_ENOUGH = 4  # batches that were off before it leapt, and healthy ones before
_LATELY = 32  # healthy batches that tell how much it varies by itself
_FAR = 8.0  # times as far as it varied while healthy,
_FARTHER = 4.0  # as far as it strayed while it was off,
_AS_MUCH = 0.5  # and this share of what it was off by
_STILL = 6.0  # standard errors by which nothing may have moved in what it is made from
_MOST_NATS = 5_000.0
_OBSERVED = attrgetter("observed")


def note_further(state: PipelineState, batch: Batch, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what moved further, of a node that repeats these ``findings`` with its newest batch; pure."""
    if batch.late or not findings:
        return ()
    node = state.nodes[batch.node]
    lineage = Lineage(nodes=state.nodes)
    lasting = [one for one in findings if not isinf(one.evidence_nats)]
    judged: dict[tuple[str | None, str], Finding | None] = {}
    for one in lasting:
        for first, leap in _leaps(lineage, node, one, batch):
            name = one.column, first.batch_id
            judged[name] = leap or judged.get(name)
    columns = {one.column for one in lasting}
    known = (one.finding for one in state.active.values() if one.node == node.key and not one.over)
    forgotten = (
        one
        for one in known
        if one.statistic == FURTHER_SHIFT and one.column in columns and (one.column, one.alarm_batch_id) not in judged
    )
    return (*forgotten, *(leap for leap in judged.values() if leap is not None))


def _leaps(lineage: Lineage, node: Node, finding: Finding, newest: Batch) -> Iterator[tuple[Batch, Finding | None]]:
    """Yield, of each change since a finding began, the first batch made after it and what leapt there and still does.

    Nothing where too little is remembered to tell.
    """
    acts = header_acts(lineage, node.key, finding.onset_latest + 1, newest.at)
    if not acts:
        return
    ring, began = lineage.ring(node.key), first_bad(lineage, node.key, finding)
    observed = series(lineage, node.key, ring, finding.column or "", finding.statistic, _OBSERVED)
    observed[[batch.late for batch in ring]] = np.nan
    healthy = _known(observed[max(began - _LATELY, 0) : began])
    for at in sorted({act.at for act in acts}):
        place = lineage.until(node.key, at - 1)
        before, now = _known(observed[began:place]), observed[-1]
        if min(len(healthy), len(before)) < _ENOUGH or not isfinite(observed[place]) or not isfinite(now):
            continue
        then, still = _leap(healthy, before, observed[place]), _leap(healthy, before, now)
        leapt = then * still > 0 and _quiet_above(lineage, ring[began:place], ring[place])
        yield ring[place], _finding(node, finding, ring[place - 1].at, ring[place], abs(then)) if leapt else None


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _leap(healthy: Floats, before: Floats, value: float) -> float:
    """Return by how many healthy deviations a value leapt away from normal, signed; 0 if it did not, or came back."""
    usual, off = float(healthy.mean()), float(np.median(before))
    noise = float(healthy.std())
    limit = max(_FAR * noise, _FARTHER * float(np.abs(before - off).max()), _AS_MUCH * abs(off - usual))
    same = (value - usual) * (off - usual) > 0
    away = abs(value - usual) - (abs(off - usual) if same else 0.0)
    return (value - off) / max(noise, 1e-12) if away >= limit > 0 else 0.0


def _quiet_above(lineage: Lineage, before: Sequence[Batch], after: Batch) -> bool:
    """Tell whether nothing leapt in what these batches were made from; not where that is not known."""
    for parent in lineage.parent_keys(after.node):
        then, now = lineage.made_from(before, parent)[0], lineage.made_from((after,), parent)[0][-1:]
        if not now or not len(now[0].z):
            return False
        alike = [one.z for one in then if one.layout == now[0].layout and len(one.z)]
        if not alike:
            return False
        moved = np.abs(now[0].z - np.median(np.stack(alike), axis=0))
        if (moved[np.isfinite(moved)] > _STILL).any():
            return False
    return True


def _finding(node: Node, finding: Finding, last: Micros, first: Batch, far: float) -> Finding:
    return replace(
        finding,
        statistic=FURTHER_SHIFT,
        evidence_nats=min(far**2 / 2, _MOST_NATS),
        alarm_batch_id=first.batch_id,
        alarm_at=first.at,
        onset_earliest=last,
        onset_latest=first.at,
        onset_batch_id=first.batch_id,
        sentence=f"{finding.sentence}; it was off before {node.name} was changed, but not like this",
    )
