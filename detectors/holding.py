"""Which subgroup of rows holds the shift that a finding is about, as of the latest batch."""

from dataclasses import replace

from detectors.sampled import Cells, aligned, learn_calm
from detectors.state import Active, BatchSummary, ColumnState, DatasetState
from detectors.subgroup import CATEGORIES, Divided, contributions, find

DIVIDING = 16  # such columns that are looked at
FINDINGS = 32  # that are looked into with every batch


def hold(state: DatasetState, batch: BatchSummary) -> DatasetState:
    """Look at the rows of ``batch`` for the subgroup behind each finding; a batch without findings is remembered."""
    if not any(active.row >= 0 for active in state.active):
        return replace(state, calm=learn_calm(state.calm, batch.sample, batch.at))
    asked = [active for active in state.active if active.row >= 0 and active.column in state.columns][:FINDINGS]
    places = _places(state, batch.sample.cells)
    held = {active.row: _held(state, active, batch.sample.cells, places) for active in asked}
    return replace(state, active=tuple(held.get(active.row, active) for active in state.active))


def _places(state: DatasetState, cells: Cells) -> dict[str, int]:
    """Where the columns stand whose rows were counted against the reference that they now have."""
    sampled = enumerate(zip(cells.names, cells.reference.tolist(), strict=True))
    return {
        name: place
        for place, (name, identity) in sampled
        if name in state.columns and state.columns[name].reference.identity == identity
    }


def _held(state: DatasetState, active: Active, now: Cells, places: dict[str, int]) -> Active:
    before, place = state.calm.until(active.onset_earliest), places.get(active.column)
    if active.back > 0 or place is None or not len(before.code):
        return active
    names = _dividing(state, active.column, places)
    at = [place, *(places[name] for name in names)]
    chosen = Cells(names=(active.column, *names), reference=now.reference[at], code=now.code[:, at])
    calm, told = aligned(before, chosen), chosen.code
    divided = Divided(
        columns=names,
        categories=tuple(state.columns[name].reference.categories for name in names),
        calm=calm[:, 1:],
        now=told[:, 1:],
    )
    reference = state.columns[active.column].reference
    contributed = contributions(active.statistic, reference, calm[:, 0], told[:, 0], active.rank)
    return replace(active, held=find(*contributed, divided, max(1, state.steps + 2 - active.step), active.held))


def _dividing(state: DatasetState, column: str, places: dict[str, int]) -> tuple[str, ...]:
    """Other columns of few categories that show no change themselves."""
    changed = {column, *(active.column for active in state.active)}
    return tuple(name for name in places if name not in changed and _few(state.columns[name]))[:DIVIDING]


def _few(column: ColumnState) -> bool:
    return column.reference.kind == "category" and 1 < len(column.reference.categories) <= CATEGORIES
