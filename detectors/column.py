"""From the rows of a column to its summary, and from the summaries of parts to that of the whole."""

from collections.abc import Mapping

import numpy as np

from detectors.batch import CategoryColumn, ColumnInput, NumberColumn
from detectors.categorical import add_rows, count_against, summarise_category
from detectors.distinct import Registers
from detectors.numeric import merge_points, summarise_numbers, weighted_bin_counts
from detectors.reference import Reference
from detectors.sketched import summarise_sketch
from detectors.summary import ColumnSummary

__all__ = ["ColumnSummary", "Reference", "add", "against", "summarise_column", "summarise_columns"]

_BLOCK = 4_000_000  # values sorted at once: 32 MB


def summarise_column(column: ColumnInput, reference: Reference | None, *, piece: bool = False) -> ColumnSummary:
    """Reduce one column to its summary, counted against ``reference`` where there is one of its kind.

    piece: its rows are not all, more will be added.

    >>> column = NumberColumn(values=np.array([1.0, 2.0, np.nan, 4.0]))
    >>> summary = summarise_column(column, None)
    >>> summary.count, summary.missing, summary.distinct, summary.maximum
    (4, 1, 3, 4.0)
    """
    return summarise_columns({"": column}, {"": reference}, piece=piece)[""]


def summarise_columns(
    columns: Mapping[str, ColumnInput], references: Mapping[str, Reference | None], *, piece: bool = False
) -> dict[str, ColumnSummary]:
    """Reduce many columns at once; numeric columns of equal length share one pass of array arithmetic.

    piece: their rows are not all, more will be added.
    """
    summaries: dict[str, ColumnSummary | None] = dict.fromkeys(columns)
    lengths: dict[int, list[str]] = {}
    for name, column in columns.items():
        reference = references.get(name)
        if isinstance(column, NumberColumn):
            lengths.setdefault(len(column.values), []).append(name)
        elif isinstance(column, CategoryColumn):
            summaries[name] = summarise_category(column, _of_kind("category", reference), piece=piece)
        else:
            summaries[name] = summarise_sketch(column, reference)
    for rows, names in lengths.items():
        step = max(1, _BLOCK // max(1, rows))
        for start in range(0, len(names), step):
            block = names[start : start + step]
            summaries.update(_summarise_block(block, columns, references, piece=piece))
    return {name: summary for name, summary in summaries.items() if summary is not None}


def _summarise_block(
    names: list[str], columns: Mapping[str, ColumnInput], references: Mapping[str, Reference | None], *, piece: bool
) -> dict[str, ColumnSummary]:
    numbers = [column for name in names if isinstance(column := columns[name], NumberColumn)]
    values = np.stack([column.values for column in numbers])
    kept = [_of_kind("number", references.get(name)) for name in names]
    types = [column.type for column in numbers]
    return dict(zip(names, summarise_numbers(values, kept, types, piece=piece), strict=True))


def _of_kind(kind: str, reference: Reference | None) -> Reference | None:
    return reference if reference is not None and reference.kind == kind else None


def against(summary: ColumnSummary, reference: Reference) -> ColumnSummary:
    """The same summary counted against ``reference``; unchanged where it was already, or where the kinds differ.

    A summary that was taken without a reference is counted by its sketch: exactly for up to 128 different numbers.
    """
    if summary.kind != reference.kind or summary.reference == reference.identity:
        return summary
    if summary.reference:  # counted against a reference that is gone: its bins mean nothing here
        return _with(summary, reference=0, counts=np.empty(0))
    if summary.kind == "category":
        counts, new = count_against(summary.categories, summary.other, reference)
        return _with(summary, reference=reference.identity, counts=counts, new=new, categories={}, other=0)
    counts = weighted_bin_counts(summary.points, summary.weights, reference)
    nothing = np.empty(0)
    return _with(summary, reference=reference.identity, counts=counts, points=nothing, weights=nothing)


def add(a: ColumnSummary, b: ColumnSummary) -> ColumnSummary:
    """The summary of the rows of both; exact for parts counted against the same reference (or against none).

    Raises ``ValueError`` where the kinds or the references differ.
    """
    if a.kind != b.kind or a.reference != b.reference:
        raise ValueError(f"cannot add a {b.kind} against {b.reference} to a {a.kind} against {a.reference}")
    present = a.present + b.present
    mean, squares = _pooled_moments(a, b)
    points, weights = merge_points(a, b)
    categories, other = add_rows(a, b)
    return ColumnSummary(
        kind=a.kind,
        type=a.type if a.type is not None else b.type,
        count=a.count + b.count,
        missing=a.missing + b.missing,
        non_finite=a.non_finite + b.non_finite,
        extreme=a.extreme + b.extreme,
        minimum=min((m for m in (a.minimum, b.minimum) if m is not None), default=None),
        maximum=max((m for m in (a.maximum, b.maximum) if m is not None), default=None),
        mean=mean,
        squares=squares,
        distinct=b.distinct if not a.present else a.distinct if not b.present else None,
        registers=_pooled_registers(a, b),
        reference=a.reference,
        counts=a.counts + b.counts if a.reference else np.empty(0),
        points=points,
        weights=weights,
        categories=categories,
        other=other,
        new=a.new + b.new,
        error=round((a.error * a.present + b.error * b.present) / max(1, present)),
    )


def _pooled_registers(a: ColumnSummary, b: ColumnSummary) -> Registers:
    """Of both together, empty where one of them has rows and kept no registers."""
    if not a.present:
        return b.registers
    if not b.present:
        return a.registers
    if not len(a.registers) or not len(b.registers):
        return np.empty(0, np.uint8)
    return np.maximum(a.registers, b.registers)


def _pooled_moments(a: ColumnSummary, b: ColumnSummary) -> tuple[float, float]:
    """Mean and squared deviations of both together (Chan, Golub and LeVeque 1983)."""
    present = a.present + b.present
    if present == 0:
        return 0.0, 0.0
    apart = b.mean - a.mean
    share = b.present / present
    return a.mean + apart * share, a.squares + b.squares + apart * apart * a.present * share


def _with(summary: ColumnSummary, **changes: object) -> ColumnSummary:
    from dataclasses import replace

    return replace(summary, **changes)  # type: ignore[arg-type]  # the names are checked by replace itself
