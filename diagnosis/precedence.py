"""What came first: a cause is there in what the first bad batch was made from, where that dates the onset exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf

import numpy as np

from diagnosis.identity import ABSENCE, TIMING, concern
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.onset import SHARP, first_bad
from diagnosis.retest import Deviation, Retest, series
from diagnosis.state import Batch
from diagnosis.steps import Step, changed_here

_MISSED = ABSENCE | {"gap"}  # what harms only those who go on without the batch that did not come
_THERE = 2.0  # standard errors that a cause shows in what such a batch was made from,
_COMING = 3.0  # unless that is so many less than in the later ones: then it came after
_SOUND = 3.0  # standard errors by which a sound batch may be off, and by which harm shows
_AS_MUCH = 0.7  # of what it is in the batch in question: a fault that grows does harm from some size on


def surely_bad(step: Step) -> tuple[Batch, ...]:
    """Return a step's batches since the end of its onset interval, at least its last one."""
    return tuple(batch for batch in step.batches if batch.at >= step.when.latest) or step.batches[-1:]


def first_sharp(retest: Retest, step: Step) -> Batch | None:
    """Return the first batch since the onset that plainly deviates: a window may hold some that are still sound."""
    assert step.focus is not None
    column, statistic = step.focus.column, step.focus.statistic
    since = surely_bad(step)
    read = ((batch, retest.strength(step.node, (batch,), column, statistic)) for batch in since)
    sharp = (batch for batch, strength in read if strength is not None and abs(strength) >= SHARP)
    return next(sharp, since[0] if since else None)


@dataclass(frozen=True, slots=True)
class _Source:
    """What a first bad batch was made from, and whether its predecessor was made from another.

    sound: what that was, where it was sound and the stage was changed since.
    """

    made: Batch
    fresh: bool
    sound: Batch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    """Which deviations of a step upstream were there when the first bad batch was made, if that is dated exactly.

    way: leads from ``step`` up to the one that deviates. late: what the strongest deviations are about that came later.
    The statistics of a column move together: where the strongest came later, the others did, but for what shows by
    itself.
    """

    retest: Retest
    step: Step
    way: tuple[Step, ...]
    source: _Source | None
    late: frozenset[str]

    def admits(self, one: Deviation) -> bool:
        """Tell whether a deviation did not come later, nor was over by then, nor long there without doing any harm."""
        if one.statistic in _MISSED and _renewed(self.retest.lineage, self.step, self.way, self.source):
            return False
        if self.source is None:
            return True
        if _did_no_harm(self.retest, self.source, one):
            return False
        if concern(one.column, one.statistic) in self.late:
            return _shows(self.retest, self.source.made, one)
        return not _came_later(self.retest, self.way[-1], self.source, one)


def precedence(retest: Retest, step: Step, way: tuple[Step, ...], found: Sequence[Deviation]) -> Precedence:
    """Return what came before a step's first batch; ``way`` leads up to the one that deviates as ``found``."""
    source = _source(retest, step, way)
    leads = {concern(one.column, one.statistic): one for one in reversed(found)} if source is not None else {}
    late = frozenset(about for about, one in leads.items() if source and _came_later(retest, way[-1], source, one))
    return Precedence(retest=retest, step=step, way=way, source=source, late=late)


def _source(retest: Retest, step: Step, way: tuple[Step, ...]) -> _Source | None:
    """Return what a step's first batch was made from, up this way; None unless it dates the onset exactly."""
    assert step.focus is not None
    lineage = retest.lineage
    first = next((batch for batch in step.batches if batch.at >= step.when.latest), None)
    if first is None:
        return None
    shown = retest.strength(step.node, (first,), step.focus.column, step.focus.statistic)
    if shown is None or abs(shown) < SHARP:
        return None
    made = _climbed(lineage, (lineage.read(first),), way)  # of batches that are read together, the last
    last = lineage.ring(step.node)[: lineage.place(first)][-1:]
    before = _climbed(lineage, last, way)
    was = retest.strength(step.node, last, step.focus.column, step.focus.statistic)
    sound = before[0] if before and was is not None and abs(was) < _SOUND and changed_here(lineage, step) else None
    return _Source(made[0], made != before, sound) if made else None


def _renewed(lineage: Lineage, step: Step, way: tuple[Step, ...], source: _Source | None) -> bool:
    """Tell whether the first bad batch, or each that may be it, was made from a single one that was new then.

    That nothing had come before, or not in time, did it no harm.
    """
    assert step.focus is not None
    if step.focus.statistic in TIMING | ABSENCE:
        return False
    bad = surely_bad(step)[: 1 if source is not None else None]
    return bool(bad) and all(_made_anew(lineage, one, way) for one in bad)


def _made_anew(lineage: Lineage, batch: Batch, way: tuple[Step, ...]) -> bool:
    made: tuple[Batch, ...] = (batch,)
    then = lineage.ring(batch.node)[: lineage.place(batch)][-1:]
    for above in way:
        made, then = lineage.made_from(made, above.node)[0], lineage.made_from(then, above.node)[0]
    return len(made) == 1 and made != then[-1:]


def _climbed(lineage: Lineage, batches: tuple[Batch, ...], way: tuple[Step, ...]) -> tuple[Batch, ...]:
    """Return the last batch up a way that these were made from, nothing where that is not known."""
    for above in way:
        batches = lineage.made_from(batches, above.node)[0][-1:]
    return batches


def _did_no_harm(retest: Retest, source: _Source, one: Deviation) -> bool:
    """Tell whether a deviation was as strong in what the last sound batch was made from: the change did, then."""
    if source.sound is None:
        return False
    then = retest.strength(source.sound.node, (source.sound,), one.column, one.statistic)
    now = retest.strength(source.made.node, (source.made,), one.column, one.statistic)
    if then is None or now is None:
        failed = _failed_at(retest.lineage, source.sound.node, one)
        return failed is not None and failed <= source.sound.at
    return abs(then) >= max(_SOUND, _AS_MUCH * abs(now)) and then * now > 0


def _came_later(retest: Retest, step: Step, source: _Source, one: Deviation) -> bool:
    """Tell whether a batch was still without a deviation of its step."""
    then = retest.strength(step.node, (source.made,), one.column, one.statistic)
    if then is None:
        return _checked_later(retest.lineage, source, one)
    later = tuple(batch for batch in step.batches if batch.at > source.made.at)
    since = series(retest.lineage, step.node, later, one.column, one.statistic)
    if not np.isfinite(since).any():
        return False
    level = float(np.nanmean(since))
    return abs(level - then) >= _COMING and then * np.sign(level) < _THERE


def _checked_later(lineage: Lineage, source: _Source, one: Deviation) -> bool:
    """Tell whether an exact check, which dates its onset exactly, failed only after a batch."""
    failed = _failed_at(lineage, source.made.node, one)
    if failed is None:
        return False
    return failed > source.made.at and (source.fresh or one.statistic not in TIMING)


def _failed_at(lineage: Lineage, node: str, one: Deviation) -> Micros | None:
    """Return the time of the first batch of a node that failed an exact check, None if it is about something else."""
    if one.finding is None or not isinf(one.finding.evidence_nats):
        return None
    return lineage.ring(node)[first_bad(lineage, node, one.finding)].at


def _shows(retest: Retest, made: Batch, one: Deviation) -> bool:
    """Tell whether a deviation shows in one batch by itself."""
    then = retest.strength(made.node, (made,), one.column, one.statistic)
    return then is not None and then * np.sign(one.strength) >= _COMING
