"""Small batches are judged together, but for one that is unlike anything: that one is judged alone, at once."""

from dataclasses import replace

import numpy as np

from detectors.column import against
from detectors.comparing import compared
from detectors.judgement import Readings
from detectors.parts import join
from detectors.points import pointwise
from detectors.reference import RANGE
from detectors.state import BatchSummary, ColumnState, DatasetState, Policy, Pool
from detectors.summary import ColumnSummary
from detectors.weigh import weigh

STARTLING = 0.5  # share of rows by which a batch differs from the usual one
STRIKING = 4.0  # standard deviations that a batch alone is off
MANY = 10  # rows below which shares say nothing
COVERS = 1.5  # usual gaps: the last batch is of one, and less than half of another would still fit


def pooled(
    state: DatasetState, batch: BatchSummary, gap_s: float | None, usual_gap_s: float, policy: Policy, alone: bool
) -> tuple[DatasetState, Readings]:
    """Weigh the batch, or the pool that it completes; keep it pooled while there are too few rows.

    alone: whether it is to be judged whatever its rows.
    """
    if state.pool is None:
        pool = Pool(batch=batch, began=batch.at, batches=1)
    else:
        references = {name: column.reference for name, column in state.columns.items()}
        pool = replace(state.pool, batch=join(state.pool.batch, batch, references), batches=state.pool.batches + 1)
    lasts_s = (batch.at - pool.began) / 1e6 + COVERS * usual_gap_s
    full = pool.batch.rows >= policy.pool_rows or 0 < policy.pool_s <= lasts_s
    if full or alone or pointwise(state, usual_gap_s, policy):
        state = state if state.pool is None else replace(state, pool=None)
        return weigh(state, pool.batch, gap_s, usual_gap_s, policy, pool.batches)
    return replace(state, pool=pool), Readings()


def emptied(state: DatasetState, usual_gap_s: float, policy: Policy) -> DatasetState:
    """Weigh the pool that waits, for a batch comes that is to be judged alone."""
    if state.pool is None:
        return state
    state, _ = weigh(replace(state, pool=None), state.pool.batch, None, usual_gap_s, policy, state.pool.batches)
    return state


def startles(state: DatasetState, batch: BatchSummary, policy: Policy) -> bool:
    """Whether a batch is further off than few rows can be by chance.

    So it is where most rows of some column are missing, out of range or of new categories, and usually are not.
    """
    return _strikes(state, batch, policy) or any(
        _startles(state, state.columns[name], summary)
        for name, summary in batch.columns.items()
        if name in state.columns and summary.count >= MANY
    )


def _strikes(state: DatasetState, batch: BatchSummary, policy: Policy) -> bool:
    """Whether any statistic that is drawn from the rows, and known by now, is off by more than ``STRIKING``."""
    known = state.table.drawn & (state.live.count >= policy.warm_up(state.pooled))
    if not known.any():
        return False
    weighed = compared(state, batch, 1, None, policy)
    return bool(np.any(known & weighed.live & (np.abs(weighed.z) - weighed.tolerance > STRIKING)))


def _startles(state: DatasetState, column: ColumnState, summary: ColumnSummary) -> bool:
    usually = state.live.held[column.offset] / max(1.0, state.live.rows[column.offset])
    if summary.missing / summary.count > usually + STARTLING:
        return True
    fitting = against(summary, column.reference)
    if fitting.reference != column.reference.identity or fitting.present == 0:
        return False
    if column.reference.kind == "category":
        return fitting.new / fitting.present > STARTLING
    outside = 1 - float(fitting.counts[RANGE].sum()) / fitting.present
    usual = state.portrait.share[column.position]
    return outside > STARTLING + 1 - float(usual[RANGE].sum()) if usual.any() else False
