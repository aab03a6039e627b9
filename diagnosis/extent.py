"""Which batches of the origin a fault spoilt: where its statistics were off, or what the spoilt batches came from."""

from bisect import bisect_right
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from diagnosis.identity import ABSENCE
from diagnosis.lateness import LATENESS, habit_of, late_among
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.onset import bad_batches
from diagnosis.retest import series
from diagnosis.ring import Floats
from diagnosis.state import Active, Batch, NodeKind

_LOUD = 8.0  # a shift this large shows in every single batch,
_QUIET = 4.0  # so that a batch below this is a healthy one in between or after
_RISING = 2.0  # unless it leads up to the first that is loud: what grows begins small,
_GROWN = 0.7  # and where the first bad batch shows less than this share of what came, before that one


def spoilt(lineage: Lineage, origin: str, members: Iterable[Active], newest: int | None = None) -> tuple[Batch, ...]:
    """Return the affected batches of the origin, or of a finding's own node where the origin was never observed.

    newest: look at only so many of the newest batches per finding.
    """
    found: dict[tuple[str, int], Batch] = {}
    followed = list(members)
    here = [member for member in followed if member.node == origin]
    elsewhere = [member for member in followed if member.node != origin]
    if any(_absent(lineage, member) for member in here):
        here += [member for member in elsewhere if _absent(lineage, member)]
    for member in here or elsewhere:
        batches = _off(lineage, member, newest)
        if here and member.finding.statistic == LATENESS:
            batches += _waited_in_vain(lineage, origin, batches[0].at, newest)
        for batch in batches if here else _upstream(lineage, batches, origin) or batches:
            found[batch.node, batch.sequence] = batch
    return tuple(found[name] for name in sorted(found))


def _off(lineage: Lineage, member: Active, newest: int | None) -> tuple[Batch, ...]:
    """Return a finding's batches without those in which a loud shift is not seen."""
    if _absent(lineage, member):
        return _kept_old(lineage, member, newest)
    if lineage.nodes[member.node].kind is NodeKind.OUTCOMES:
        windows = lineage.ring(member.node.replace("outcomes:", "model:", 1))
        return tuple(batch for batch in windows[-(newest or 0) :] if batch.at >= member.finding.onset_latest)
    batches = bad_batches(lineage, member.node, member.finding, member.last_at)
    z = _shown(lineage, member, batches)
    loud = tuple(batch for batch, quiet in zip(batches, _quiet(z), strict=True) if not quiet)
    batches = (*_leading_up(lineage, member, batches, z), *(loud if member.level >= _LOUD else batches))
    return batches[-(newest or 0) :]


def _shown(lineage: Lineage, member: Active, batches: tuple[Batch, ...]) -> Floats:
    """Return how far batches are off in a finding's statistic."""
    return series(lineage, member.node, batches, member.finding.column or "", member.finding.statistic)


def _quiet(z: Floats) -> NDArray[np.bool_]:
    """Tell in which batches of a loud shift it is not seen: below ``_QUIET``, but for those that lead up to it."""
    size = np.abs(z)
    quiet = size < _QUIET
    first = int(np.argmax(size >= min(_LOUD, np.max(size, initial=0.0, where=np.isfinite(size)))))
    rising: NDArray[np.bool_] = (np.arange(len(z)) < first) & (z * np.sign(z[first]) >= _RISING)
    return quiet & ~rising


def _leading_up(lineage: Lineage, member: Active, batches: tuple[Batch, ...], z: Floats) -> tuple[Batch, ...]:
    """Return the last batches before a finding's first in which what has grown since was already to be seen."""
    if not _RISING <= abs(z[0]) < _GROWN * np.median(np.abs(z)):
        return ()
    before = lineage.ring(member.node)[: lineage.place(batches[0])]
    shown = _shown(lineage, member, before) * np.sign(z[0])
    return before[len(shown) - int(np.argmin([*(shown[::-1] >= _RISING), False])) :]


def _absent(lineage: Lineage, member: Active) -> bool:
    """Tell whether a finding says that a dataset is no longer renewed."""
    return member.finding.statistic in ABSENCE and lineage.nodes[member.node].kind is NodeKind.DATASET


def _kept_old(lineage: Lineage, member: Active, newest: int | None) -> tuple[Batch, ...]:
    """Return what went on reading a dataset's last batch after the next one was due."""
    return tuple(
        batch
        for child in lineage.children(member.node)
        for batch in lineage.ring(child)[-(newest or 0) :]
        if batch.at > member.finding.onset_latest
        and lineage.made_from((batch,), member.node)[0][-1:] == (lineage.find(member.node, member.last_batch_id),)
    )


def _waited_in_vain(lineage: Lineage, origin: str, since: Micros, newest: int | None) -> tuple[Batch, ...]:
    """Return what went on with an older batch of ``origin``, or of what is made from it, though a late one was due."""
    found: dict[tuple[str, int], Batch] = {}
    for key in (origin, *sorted(lineage.descendants(origin))):
        ring = lineage.ring(key)
        habit = habit_of(ring) if lineage.nodes[key].kind is NodeKind.DATASET else None
        if habit is None:
            continue
        late = late_among(ring[lineage.until(key, since - 1) :], habit)
        ends = sorted(batch.window_end for batch in late if batch.window_end is not None)
        for child in lineage.children(key) if ends else ():
            for one in lineage.ring(child)[lineage.until(child, ends[0] + habit.due) :][-(newest or 0) :]:
                read = lineage.made_from((one,), key)[0]
                behind = ends[bisect_right(ends, max(batch.window_end or 0 for batch in read)) :] if read else []
                if behind and behind[0] + habit.due < one.at:
                    found[one.node, one.sequence] = one
    return tuple(found.values())


def _upstream(lineage: Lineage, batches: tuple[Batch, ...], origin: str) -> tuple[Batch, ...]:
    """Return the batches of ``origin`` that these descend from, without what a good one before them descends from."""
    if not batches:
        return ()
    before = lineage.ring(batches[0].node)[: lineage.place(batches[0])][-1:]
    innocent = {batch.batch_id for batch in climb(lineage, before, origin)}
    return tuple(batch for batch in climb(lineage, batches, origin) if batch.batch_id not in innocent)


def climb(lineage: Lineage, batches: Iterable[Batch], origin: str) -> tuple[Batch, ...]:
    """Return the batches of ``origin`` that these descend from."""
    waiting = list(batches)
    seen = {(batch.node, batch.sequence) for batch in waiting}
    found = []
    while waiting:
        batch = waiting.pop()
        if batch.node == origin:
            found.append(batch)
            continue
        for parentage in lineage.parents(batch):
            for parent in parentage.batches:
                if (parent.node, parent.sequence) not in seen:
                    seen.add((parent.node, parent.sequence))
                    waiting.append(parent)
    return tuple(found)
