"""What is off already and moves further in the first batch that its node made otherwise: a fault of its own.

A detector tells once that a statistic is off, and whatever becomes of it then is part of that finding. Where it leaps
just when versions, toggles or parameters of its node change, and nothing leaps in what the node is made from, that
change broke it again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isinf, sqrt
from operator import attrgetter

import numpy as np
from detectors.finding import Finding

from diagnosis.changes import header_acts
from diagnosis.lineage import Lineage
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
_TOGETHER = 4  # batches since then that tell together what one does not, after twice as many that were off
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
        before, read = _known(observed[began:place]), place + np.flatnonzero(np.isfinite(observed[place:]))
        if min(len(healthy), len(before)) < _ENOUGH or not len(read):
            continue
        far = _leapt(healthy, before, observed[read])
        made = [ring[spot] for spot in read[: len(far)].tolist()]
        leapt = made and _quiet_above(lineage, ring[began:place], made)
        yield ring[place], _finding(node, finding, ring[place - 1 : place + 1], made[-1], far[-1]) if leapt else None


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _leapt(healthy: Floats, before: Floats, since: Floats) -> list[float]:
    """Return how far the first values since a change leapt together, up to the first that tells; none if none does."""
    most = min(_TOGETHER, len(before) // 2)
    still = _leap(healthy, before, since[-most:])
    far = [
        _leap(healthy, before, since[:together]) * np.sign(still) for together in range(1, min(most, len(since)) + 1)
    ]
    return far[: next((told for told, one in enumerate(far, 1) if one > 0), 0)]


def _leap(healthy: Floats, before: Floats, since: Floats) -> float:
    """Return by how many healthy deviations values leapt away from normal, signed; 0 if they did not, or came back."""
    usual, off, value = float(healthy.mean()), float(np.median(before)), float(np.median(since))
    noise, strayed = float(healthy.std()), float(np.abs(before - off).max())
    limit = max(max(_FAR * noise, _FARTHER * strayed) / sqrt(len(since)), _AS_MUCH * abs(off - usual))
    same = (value - usual) * (off - usual) > 0
    away = abs(value - usual) - (abs(off - usual) if same else 0.0)
    return (value - off) / max(noise, 1e-12) if away >= limit > 0 else 0.0


def _quiet_above(lineage: Lineage, before: Sequence[Batch], after: Sequence[Batch]) -> bool:
    """Tell whether nothing leapt in what these batches were made from; not where that is not known."""
    for parent in lineage.parent_keys(after[0].node):
        then, now = (lineage.made_from(batches, parent)[0] for batches in (before, after))
        now = now[-len(after) :]
        if not now or not all(len(one.z) and one.layout == now[0].layout for one in now):
            return False
        alike = [one.z for one in then if one.layout == now[0].layout and len(one.z)]
        if not alike:
            return False
        usual, found = (np.median(np.stack(z), axis=0) for z in (alike, [one.z for one in now]))
        moved = np.abs(found - usual)
        if (moved[np.isfinite(moved)] > _STILL / sqrt(len(now))).any():
            return False
    return True


def _finding(node: Node, finding: Finding, around: Sequence[Batch], told: Batch, far: float) -> Finding:
    """Of the last batch before a change and the first after it, told by the batch ``told``."""
    last, first = around
    return replace(
        finding,
        statistic=FURTHER_SHIFT,
        evidence_nats=min(far**2 / 2, _MOST_NATS),
        alarm_batch_id=first.batch_id,
        alarm_at=told.at,
        onset_earliest=last.at,
        onset_latest=first.at,
        onset_batch_id=first.batch_id,
        sentence=f"{finding.sentence}; it was off before {node.name} was changed, but not like this",
    )
