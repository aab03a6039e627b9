"""Batches of a minute, one by one through the detectors."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from detectors.batch import BatchInput, CategoryColumn, ColumnInput, NumberColumn
from detectors.dataset import DatasetState, Policy, fold, summarise

MINUTE = 60_000_000
MONTH = 43_200  # minutes
ROWS = 1000
EACH = 9  # statistics of a dataset of one column


def numbers(values: NDArray[np.float64]) -> dict[str, ColumnInput]:
    """Rows, shape ``(columns, rows)``, as numeric columns."""
    return {f"c{i}": NumberColumn(values=row) for i, row in enumerate(values)}


def feed(
    state: DatasetState, n: int, columns: Mapping[str, ColumnInput], policy: Policy
) -> tuple[DatasetState, set[tuple[str, ...]]]:
    """The state after minute ``n``, and the findings that stand: column, statistic and the batch that alarmed."""
    first = next(iter(columns.values()))
    rows = len(first.values) if isinstance(first, NumberColumn) else 0
    rows = len(first.codes) if isinstance(first, CategoryColumn) else rows
    at = n * MINUTE
    batch = BatchInput(subject="bench/mark", batch_id=str(n), at=at, arrived_at=at, rows=rows, columns=dict(columns))
    state, judgement = fold(state, summarise(state, batch), policy)
    found = judgement.findings if judgement else ()
    return state, {(f.column or "", f.statistic, f.alarm_batch_id) for f in found}
