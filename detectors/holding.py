"""Which subgroup of rows holds the shift that a finding is about, as of the latest batch."""

from dataclasses import replace

from detectors.sampled import Cells, Rows, aligned, learn_calm
from detectors.state import Active, BatchSummary, ColumnState, DatasetState
from detectors.subgroup import CATEGORIES, Divided, contributions, find

DIVIDING = 16  # such columns that are looked at
FINDINGS = 32  # that are looked into with every batch


def hold(state: DatasetState, batch: BatchSummary) -> DatasetState:
    """Look at the rows of ``batch`` for the subgroup behind each finding; a batch without findings is remembered."""
    if not any(active.row >= 0 for active in state.active):
        return replace(state, calm=learn_calm(state.calm, batch.sample, batch.at))
    asked = [active for active in state.active if active.row >= 0 and active.column in state.columns][:FINDINGS]
    held = {active.row: _held(state, active, batch.sample) for active in asked}
    return replace(state, active=tuple(held.get(active.row, active) for active in state.active))


def _held(state: DatasetState, active: Active, rows: Rows) -> Active:
    before, now = state.calm.until(active.onset_earliest), rows.cells
    column = state.columns[active.column]
    calm = Cells(names=now.names, reference=now.reference, code=aligned(before, now))
    place = _place(column, active.column, now)
    if active.back > 0 or place is None or not len(before.code):
        return active
    contributed = contributions(
        active.statistic, column.reference, calm.code[:, place], now.code[:, place], active.rank
    )
    look = max(1, state.steps + 2 - active.step)
    found = find(*contributed, _divided(state, active.column, calm, now), look, active.held)
    return replace(active, held=found)


def _place(column: ColumnState, name: str, cells: Cells) -> int | None:
    """Where a column stands among the sampled ones, None where its rows were not counted against its reference."""
    place = cells.names.index(name) if name in cells.names else None
    fits = place is not None and int(cells.reference[place]) == column.reference.identity
    return place if fits else None


def _divided(state: DatasetState, column: str, calm: Cells, now: Cells) -> Divided:
    """Other columns of few categories that show no change themselves."""
    changed = {column, *(active.column for active in state.active)}
    places = {
        name: place
        for name, held in state.columns.items()
        if name not in changed and _few(held) and (place := _place(held, name, now)) is not None
    }
    names = list(places)[:DIVIDING]
    at = [places[name] for name in names]
    return Divided(
        columns=tuple(names),
        categories=tuple(state.columns[name].reference.categories for name in names),
        calm=calm.code[:, at],
        now=now.code[:, at],
    )


def _few(column: ColumnState) -> bool:
    return column.reference.kind == "category" and 1 < len(column.reference.categories) <= CATEGORIES
