"""Batches that come in parts, and small batches that are judged together."""

from dataclasses import replace

from detectors.column import add, against
from detectors.finding import Micros
from detectors.reference import Reference
from detectors.sampled import merged
from detectors.state import OPEN, BatchSummary, DatasetState
from detectors.summary import ColumnSummary


def join(a: BatchSummary, b: BatchSummary, references: dict[str, Reference]) -> BatchSummary:
    """Both as one: parts of a batch, or small batches; the later one gives id and times.

    A column that changed its kind between the two is taken from ``b``.
    """
    columns: dict[str, ColumnSummary] = {}
    for name in a.columns | b.columns:
        left, right = (_aligned(side.columns.get(name), references.get(name)) for side in (a, b))
        if left is None or right is None:
            columns[name] = left or right  # type: ignore[assignment]  # one of the two has it
        elif left.kind != right.kind or left.reference != right.reference:
            columns[name] = right
        else:
            columns[name] = add(left, right)
    starts = [start for start in (a.window_start, b.window_start) if start is not None]
    ends = [end for end in (a.window_end, b.window_end) if end is not None]
    return replace(
        b,
        at=max(a.at, b.at),
        arrived_at=max(a.arrived_at, b.arrived_at),
        rows=a.rows + b.rows,
        parts=tuple(sorted({*a.parts, *b.parts})),
        window_start=min(starts, default=None),
        window_end=max(ends, default=None),
        columns=columns,
        sample=merged(a.sample, b.sample),
    )


def _aligned(summary: ColumnSummary | None, reference: Reference | None) -> ColumnSummary | None:
    return against(summary, reference) if summary is not None and reference is not None else summary


def gather(state: DatasetState, part: BatchSummary) -> tuple[DatasetState, BatchSummary | None]:
    """Put a part to its batch; the whole batch once every part is there, else ``None``. A repeated part is ignored."""
    mine = next((held for held in state.open if held.batch_id == part.batch_id), None)
    if mine is not None and set(part.parts) <= set(mine.parts):
        return state, None
    references = {name: column.reference for name, column in state.columns.items()}
    whole = part if mine is None else join(mine, part, references)
    rest = tuple(held for held in state.open if held.batch_id != part.batch_id)
    if len(whole.parts) >= whole.part_of:
        return replace(state, open=rest), whole
    return replace(state, open=(*rest, whole)[-OPEN:]), None


def overdue(state: DatasetState, now: Micros, wait_s: float) -> tuple[BatchSummary, ...]:
    """Open batches that by ``now``, in arrival time, have waited for their parts for too long."""
    limit = now - round(wait_s * 1e6)
    return tuple(held for held in state.open if held.arrived_at < limit)
