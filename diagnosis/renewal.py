"""Datasets that are not renewed: what reads them goes on with a batch that it has read before.

Silence alarms when a dataset is overdue by its own habit; who reads it notices with the first batch it makes without.
"""

from collections.abc import Sequence
from itertools import pairwise

from diagnosis.alert import Match
from diagnosis.identity import ABSENCE
from diagnosis.lineage import Lineage
from diagnosis.retest import Deviation
from diagnosis.state import Batch, NodeKind

_HABIT = 8  # batches before, of which each
_OWN = 0.8  # or nearly each had a parent batch of its own
_SURE = 10.0  # standard errors: as good as an alarm


def absence(lineage: Lineage, bad: Batch, focus: Deviation, parent: Sequence[Batch]) -> Deviation | None:
    """Return the silence of a parent that a ``bad`` batch shows, None if it is renewed as usual.

    parent: the batches of the parent that the suspected ones were made from. focus: what deviates in them.
    """
    if not parent or lineage.nodes[bad.node].kind is not NodeKind.DATASET:
        return None
    key = parent[-1].node
    if focus.statistic in ABSENCE:
        stopped = lineage.ring(key)[-1].sequence == parent[-1].sequence
    else:
        stopped = _read_again(lineage, bad, key)
    return Deviation(column="", statistic="silence", strength=_SURE) if stopped else None


def _read_again(lineage: Lineage, batch: Batch, key: str) -> bool:
    """Tell whether a batch names the same batch of a dataset as its predecessor, though that is not usual."""
    place = lineage.place(batch)
    before = lineage.ring(batch.node)[max(place - _HABIT, 0) : place]
    if len(before) < _HABIT:
        return False
    if lineage.made_from((batch,), key)[1] is not Match.EXACT:
        return False
    read = [lineage.made_from((one,), key)[0][-1:] for one in (*before, batch)]
    usual = [earlier != later for earlier, later in pairwise(read[:-1])]
    return bool(read[-1]) and read[-1] == read[-2] and sum(usual) >= _OWN * len(usual)
