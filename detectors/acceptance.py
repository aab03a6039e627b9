"""The new normal: what is kept, and what is learnt again, of columns whose change was accepted."""

from dataclasses import replace

import numpy as np

from detectors import sampled
from detectors.baseline import choose, empty_baseline, narrowed
from detectors.evidence import empty_bank
from detectors.finding import Micros
from detectors.opinion import blanked
from detectors.recurring import empty_recurring
from detectors.season import empty_fit
from detectors.shape import empty_shape
from detectors.state import ColumnState, DatasetState
from detectors.summary import ColumnSummary
from detectors.surprise import empty_surprises
from detectors.watch import blank_portrait, forget_column, pool_without, without

BLIND = frozenset({"out_of_range", "new_category", "column_retyped", "mean"})  # bins say little of such a column
FAR = 1.0  # standard deviations of a row: a shift beyond pushes most rows into few bins


def accept_column(state: DatasetState, column: str) -> DatasetState:
    """Learn ``column`` afresh: its level alone where its bins still fit, else with a reference of its next rows.

    Either way it is expected to come again, unless what was accepted is that it is gone.
    """
    held = state.columns.get(column)
    if held is not None and not _gone(state, column) and _bins_fit(state, column):
        return _restart(state, column, held)
    seen = held is not None or column in state.waiting
    awaited = {column: _nothing(state, column)} if seen and not _gone(state, column) else {}
    state = forget_column(state, column)
    return replace(state, waiting=state.waiting | awaited)


def accept_subject(state: DatasetState, at: Micros) -> DatasetState:
    """Learn every column and the subject itself afresh; exact findings that began after ``at`` stay."""
    names = [name for name in (*state.columns, *state.waiting) if not _gone(state, name)]
    return replace(
        DatasetState(subject=state.subject),
        watermark=state.watermark,
        pinned_until=state.pinned_until,
        recent=replace(state.recent, step=np.full_like(state.recent.step, -1)),
        active=tuple(active for active in state.active if active.row < 0 and active.onset_earliest > at),
        open=state.open,
        waiting={name: _nothing(state, name) for name in names},
    )


def _gone(state: DatasetState, column: str) -> bool:
    return any(a.column == column and a.statistic == "column_removed" for a in state.active)


def _bins_fit(state: DatasetState, column: str) -> bool:
    mine = [a for a in state.active if a.column == column]
    far = any(a.statistic in ("location", "scale") and abs(a.effect or 0.0) > FAR for a in mine)
    return not far and not any(a.statistic in BLIND for a in mine)


def _nothing(state: DatasetState, column: str) -> ColumnSummary:
    """No rows of ``column``: what is awaited is not new when it comes."""
    held = state.columns.get(column)
    kind = state.waiting[column].kind if held is None else held.reference.kind
    return ColumnSummary(kind=kind, count=0, distinct=0)


def _restart(state: DatasetState, column: str, held: ColumnState) -> DatasetState:
    """Forget all but the bins of ``column``, and that it is usually there."""
    size = len(state.table)
    rows = state.table.of(column)
    place = np.arange(len(state.columns)) == held.position
    blank = empty_baseline(size)
    return replace(
        state,
        active=without(state, column),
        live=choose(rows, blank, state.live),
        safe=choose(rows, narrowed(blank), state.safe),
        season=replace(
            state.season,
            fit=choose(rows, empty_fit(size), state.season.fit),
            recurring=choose(rows, empty_recurring(size), state.season.recurring),
        ),
        safe_weights=np.where(rows[:, None], np.float32(0), state.safe_weights),
        shape=choose(place, empty_shape(len(place)), state.shape),
        surprises=choose(rows, empty_surprises(size), state.surprises),
        bank=choose(rows, empty_bank(size), state.bank),
        second=blanked(state.second, rows),
        portrait=choose(place, blank_portrait(len(place)), state.portrait),
        calm=sampled.without(state.calm, column),
        pool=None if state.pool is None else pool_without(state.pool, column),
    )
