"""Columns that have only ever risen: no law of their values has been seen, so none is judged, though all is learnt.

Of keys and of times of events nothing comes again that could be unlike before; whether rows are missing or repeated is
judged all the same. So is all of a column from the batch on that shows that it does not only rise.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors.state import BatchSummary, DatasetState
from detectors.table import STATISTICS
from detectors.trend import follow, rising

_OF_VALUES = np.isin(STATISTICS, ["location", "scale", "skew", "tail", "out_of_range", "mean"])


def follow_trends(state: DatasetState, batch: BatchSummary) -> DatasetState:
    """Note which columns rose."""
    if batch.replaces is not None or not state.columns:
        return state
    mean = np.full(len(state.columns), np.nan)
    for name, column in state.columns.items():
        summary = batch.columns.get(name)
        if summary is not None and summary.kind == column.reference.kind == "number" and summary.present:
            mean[column.position] = summary.mean
    return replace(state, trend=follow(state.trend, mean))


def lawless(state: DatasetState) -> NDArray[np.bool_]:
    """Which statistics are of values of columns that only rise, bool ``(m,)``."""
    rows = np.zeros(len(state.table), np.bool_)
    only = rising(state.trend)
    for name, column in state.columns.items():
        if only[column.position]:
            rows |= state.table.of(name)
    return rows & _OF_VALUES[state.table.kind]
