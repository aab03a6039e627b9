"""Which columns are watched: taken up once enough of them was seen, forgotten when a new normal is accepted."""

from dataclasses import fields, replace
from math import isfinite
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors import opinion, sampled, table
from detectors.baseline import Baseline, empty_baseline, narrowed
from detectors.column import add
from detectors.days import TERMS
from detectors.evidence import Bank, empty_bank
from detectors.points import GATHERED, POINTS
from detectors.recurring import Recurring, empty_recurring
from detectors.reference import CUTS, LARGEST, Reference, category_reference, mean_reference, number_reference
from detectors.season import Fit, empty_fit
from detectors.shape import Shape, empty_shape
from detectors.state import MAX_COLUMNS, Active, Attendance, BatchSummary, ColumnState, DatasetState, Pool, Portrait
from detectors.summary import ColumnSummary
from detectors.surprise import Surprises, empty_surprises
from detectors.table import extend, statistics_of
from detectors.trend import Trend, no_trend

Arrays = TypeVar("Arrays", Baseline, Bank, Fit, Portrait, Shape, Surprises, Attendance, Trend, Recurring)


def take_up(state: DatasetState, batch: BatchSummary, points: bool) -> DatasetState:
    """Give a reference to every column of ``batch`` that has none and has now shown enough rows.

    points: of numbers only the means are watched, for there are few rows in a batch.
    """
    new = {name: held for name, held in batch.columns.items() if name not in state.columns and not held.reference}
    if not new:
        return state
    waiting, columns = dict(state.waiting), dict(state.columns)
    added: list[tuple[str, tuple[str, ...]]] = []
    rows = len(state.table)
    for name, summary in new.items():
        if len(columns) >= MAX_COLUMNS:
            break
        held = waiting.pop(name, None)
        both = summary if held is None or held.kind != summary.kind else add(held, summary)
        of_means = points and both.kind == "number"
        if both.present < (POINTS if of_means else GATHERED):
            waiting[name] = both
            continue
        columns[name] = ColumnState(
            reference=_reference(both, of_means), offset=rows, position=len(columns), type=summary.type
        )
        added.append((name, statistics_of(columns[name].reference)))
        rows += len(added[-1][1])
    if not added:
        return replace(state, waiting=waiting)
    grown = rows - len(state.table)
    return replace(
        state,
        waiting=waiting,
        columns=columns,
        table=extend(state.table, added),
        live=_append(state.live, empty_baseline(grown)),
        safe=_append(state.safe, narrowed(empty_baseline(grown))),
        season=replace(
            state.season,
            fit=_append(state.season.fit, empty_fit(grown)),
            recurring=_append(state.season.recurring, empty_recurring(grown)),
        ),
        safe_weights=np.concatenate([state.safe_weights, np.zeros((grown, TERMS), np.float32)]),
        shape=_append(state.shape, empty_shape(len(added))),
        surprises=_append(state.surprises, empty_surprises(grown)),
        bank=_append(state.bank, empty_bank(grown)),
        second=opinion.extended(state.second, grown),
        attendance=_append(state.attendance, _absent(len(added))),
        portrait=_append(state.portrait, blank_portrait(len(added))),
        trend=_append(state.trend, no_trend(len(added))),
    )


def _reference(summary: ColumnSummary, of_means: bool) -> Reference:
    if summary.kind == "category":
        return category_reference(summary.categories, summary.other)
    if of_means or len(summary.points) == 0:  # or a sketch without a shape
        mean = summary.mean if isfinite(summary.mean) else 0.0
        extent = (summary.maximum or 0.0) / 2 - (summary.minimum or 0.0) / 2
        return mean_reference(mean, (summary.squares / summary.present) ** 0.5, 2 * max(0.0, min(extent, LARGEST)))
    return number_reference(summary.points, summary.weights, summary.error)


def _absent(columns: int) -> Attendance:
    no = np.zeros(columns, np.bool_)
    return Attendance(batches=np.zeros(columns, np.int32), infinite=no, extreme=no)


def blank_portrait(columns: int) -> Portrait:
    """Portraits of ``columns`` of which nothing healthy was seen."""
    zeros = np.zeros(columns)
    return Portrait(mean=zeros, deviation=zeros, share=np.zeros((columns, CUTS + 1), np.float32), weight=zeros)


def _append(a: Arrays, b: Arrays) -> Arrays:
    names = [field.name for field in fields(a)]
    return type(a)(**{name: np.concatenate([getattr(a, name), getattr(b, name)]) for name in names})


def _keep(a: Arrays, rows: NDArray[np.bool_]) -> Arrays:
    return type(a)(**{field.name: getattr(a, field.name)[rows] for field in fields(a)})


def forget_column(state: DatasetState, column: str) -> DatasetState:
    """The state without anything it knew of ``column``."""
    waiting = {name: held for name, held in state.waiting.items() if name != column}
    if column not in state.columns:
        return replace(state, waiting=waiting, active=without(state, column))
    table_rows = ~state.table.of(column)
    column_rows = np.array([name != column for name in state.columns])
    moved = np.cumsum(table_rows) - 1
    columns = {
        name: replace(held, offset=int(moved[held.offset]), position=position)
        for position, (name, held) in enumerate((n, h) for n, h in state.columns.items() if n != column)
    }
    active = tuple(
        replace(finding, row=int(moved[finding.row])) if finding.row >= 0 else finding
        for finding in without(state, column)
    )
    return replace(
        state,
        waiting=waiting,
        columns=columns,
        active=active,
        table=table.without(state.table, column),
        live=_keep(state.live, table_rows),
        safe=_keep(state.safe, table_rows),
        season=replace(
            state.season,
            fit=_keep(state.season.fit, table_rows),
            recurring=_keep(state.season.recurring, table_rows),
        ),
        safe_weights=state.safe_weights[table_rows],
        shape=_keep(state.shape, column_rows),
        surprises=_keep(state.surprises, table_rows),
        bank=_keep(state.bank, table_rows),
        second=opinion.kept(state.second, table_rows),
        attendance=_keep(state.attendance, column_rows),
        portrait=_keep(state.portrait, column_rows),
        trend=_keep(state.trend, column_rows),
        calm=sampled.without(state.calm, column),
        pool=None if state.pool is None else pool_without(state.pool, column),
    )


def without(state: DatasetState, column: str) -> tuple[Active, ...]:
    """The findings of all other columns."""
    return tuple(finding for finding in state.active if finding.column != column)


def pool_without(pool: Pool, column: str) -> Pool:
    """The pooled rows of all other columns."""
    columns = {name: held for name, held in pool.batch.columns.items() if name != column}
    return replace(pool, batch=replace(pool.batch, columns=columns))
