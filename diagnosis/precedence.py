"""What came first: a cause is there in what the first plainly bad batch was made from, and did not come after it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isinf

import numpy as np

from diagnosis.explaining import PLAIN
from diagnosis.identity import ABSENCE, TIMING, concern
from diagnosis.lineage import Lineage
from diagnosis.onset import first_bad
from diagnosis.retest import Deviation, Retest, series
from diagnosis.state import Batch
from diagnosis.steps import Step

_THERE = 2.0  # standard errors that a cause shows in what a plainly bad batch was made from,
_COMING = 3.0  # unless that is so many less than in the later ones: then it came after


def surely_bad(step: Step) -> tuple[Batch, ...]:
    """Return a step's batches since the end of its onset interval, at least its last one."""
    return tuple(batch for batch in step.batches if batch.at >= step.when.latest) or step.batches[-1:]


def first_plain(retest: Retest, step: Step) -> Batch | None:
    """Return the first batch since the onset that plainly deviates: a window may hold some that are still sound."""
    assert step.focus is not None
    column, statistic = step.focus.column, step.focus.statistic
    since = surely_bad(step)
    read = ((batch, retest.strength(step.node, (batch,), column, statistic)) for batch in since)
    plain = (batch for batch, strength in read if strength is not None and abs(strength) >= PLAIN)
    return next(plain, since[0] if since else None)


@dataclass(frozen=True, slots=True)
class _Source:
    """What a batch was made from, and whether its predecessor was made from another."""

    made: Batch
    fresh: bool


def in_time(retest: Retest, step: Step, way: tuple[Step, ...], found: Sequence[Deviation]) -> Iterator[Deviation]:
    """Leave out what came after the step's first batch, if that is plainly bad; ``way`` leads up from it.

    found: how the last step of the way deviates, strongest first. The statistics of a column move together: where the
    strongest came later, the others did, but for what shows by itself.
    """
    source = _source(retest, step, way)
    if source is None:
        yield from found
        return
    leads: dict[str, bool] = {}
    for one in found:
        late = _came_later(retest, way[-1], source, one)
        led = leads.setdefault(concern(one.column, one.statistic), late)
        if not late and (not led or _shows(retest, source.made, one)):
            yield one


def _source(retest: Retest, step: Step, way: tuple[Step, ...]) -> _Source | None:
    """Return what a step's first batch was made from, up this way; None unless that batch is plainly bad."""
    assert step.focus is not None
    lineage = retest.lineage
    first = next((batch for batch in step.batches if batch.at >= step.when.latest), None)
    if first is None:
        return None
    shown = retest.strength(step.node, (first,), step.focus.column, step.focus.statistic)
    if shown is None or abs(shown) < PLAIN:
        return None
    made = _climbed(lineage, (lineage.read(first),), way)  # of batches that are read together, the last
    before = _climbed(lineage, lineage.ring(step.node)[: lineage.place(first)][-1:], way)
    return _Source(made[0], made != before) if made else None


def _climbed(lineage: Lineage, batches: tuple[Batch, ...], way: tuple[Step, ...]) -> tuple[Batch, ...]:
    """Return the last batch up a way that these were made from, nothing where that is not known."""
    for above in way:
        batches = lineage.made_from(batches, above.node)[0][-1:]
    return batches


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
    """Tell whether an exact check, which dates its onset exactly, failed only after a batch.

    That nothing comes, or not in time, harms what goes on with an older batch, not what reads a new one.
    """
    if one.finding is None or not isinf(one.finding.evidence_nats):
        return False
    if one.statistic in ABSENCE:
        return source.fresh
    after = lineage.ring(source.made.node)[first_bad(lineage, source.made.node, one.finding)].at > source.made.at
    return after and (source.fresh or one.statistic not in TIMING)


def _shows(retest: Retest, made: Batch, one: Deviation) -> bool:
    """Tell whether a deviation shows in one batch by itself."""
    then = retest.strength(made.node, (made,), one.column, one.statistic)
    return then is not None and then * np.sign(one.strength) >= _COMING
