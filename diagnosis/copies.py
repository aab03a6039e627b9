"""What a model is served is a copy of what its batches hold: where these are off as far, it began with them.

That holds even where they are too few to be sure of it by themselves.
"""

from collections.abc import Sequence
from math import nan
from operator import attrgetter

import numpy as np

from diagnosis.lineage import Lineage
from diagnosis.retest import Deviation, Retest, series
from diagnosis.state import Batch, NodeKind
from diagnosis.steps import Step

_MOST = 16
_HELD = 0.5  # of what is off in what a model is served, that its batches must hold
_OBSERVED, _EXPECTED = attrgetter("observed"), attrgetter("expected")


def copied(retest: Retest, step: Step, parent: Step) -> tuple[Deviation, ...]:
    """Return what a model's step copies from a parent with the same column: nothing if that is not off like it."""
    focus, lineage = step.focus, retest.lineage
    if focus is None or lineage.nodes[step.node].kind is not NodeKind.MODEL:
        return ()
    share = _share_held(lineage, step.batches, parent.node, focus.column, focus.statistic)
    strength = retest.strength(parent.node, parent.batches, focus.column, focus.statistic)
    if strength is None or not share >= _HELD:
        return ()
    return (Deviation(column=focus.column, statistic=focus.statistic, strength=strength),)


def _share_held(lineage: Lineage, windows: Sequence[Batch], parent: str, column: str, statistic: str) -> float:
    """Return how much of what a served column is off by is in the batches that it was read from, 1 for all of it.

    windows: those that are off, of one model. NaN where the statistic was not read in both.
    """
    served, held = [], []
    for window in windows[:_MOST]:
        batches = [lineage.read(one) for one in lineage.made_from((window,), parent)[0]]
        served.append(_off(lineage, window.node, (window,), column, statistic))
        held.append(_off(lineage, parent, batches, column, statistic))
    both = np.isfinite(served) & np.isfinite(held)
    return float(np.sum(held, where=both) / np.sum(served, where=both)) if both.any() else nan


def _off(lineage: Lineage, node: str, batches: Sequence[Batch], column: str, statistic: str) -> float:
    """Return by how much a statistic is off on average, in its own units; NaN where it is not read."""
    observed, expected = (series(lineage, node, batches, column, statistic, of) for of in (_OBSERVED, _EXPECTED))
    off = observed - expected
    read = np.isfinite(off)
    return float(off.mean(where=read)) if read.any() else nan
