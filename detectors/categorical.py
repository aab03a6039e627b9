"""Summaries of categorical columns: rows per frequent category of the reference."""

from dataclasses import replace
from zlib import crc32

import numpy as np

from detectors.batch import CategoryColumn
from detectors.distinct import registers_of_names
from detectors.reference import TOP, Floats, Reference, category_hash
from detectors.summary import ColumnSummary

NAME_BYTES = 24  # of a category, as it is kept
NAMES = 512  # names kept of a batch while there is no reference


def summarise_category(column: CategoryColumn, reference: Reference | None, *, piece: bool) -> ColumnSummary:
    """Summarise codes, int32 of shape ``(rows,)``; a code outside the dictionary counts as missing.

    piece: of something that more will be added to.
    """
    size = len(column.dictionary)
    codes = column.codes[(column.codes >= 0) & (column.codes < size)]
    held = np.bincount(codes, minlength=size)
    rows: dict[str, int] = {}
    for code in np.flatnonzero(held):  # over different values, not rows; a dictionary may repeat a name
        name = storable(column.dictionary[code])
        rows[name] = rows.get(name, 0) + int(held[code])
    summary = from_rows(
        rows,
        0,
        reference,
        type_=column.type,
        count=len(column.codes),
        missing=len(column.codes) - len(codes),
        distinct=None if piece else len(rows),
    )
    return replace(summary, registers=registers_of_names(rows)) if piece else summary


def storable(name: str) -> str:
    """The name as it is kept: as UTF-8 can hold it (JSON lets half a surrogate pair through), a long one cut.

    >>> storable("Sweden"), storable("The United Kingdom of Great Britain and Northern Ireland")
    ('Sweden', 'The United Ki…50a9f31b')
    """
    if name.isascii() and len(name) <= NAME_BYTES:
        return name
    whole = name.encode("utf-8", "replace")
    if len(whole) <= NAME_BYTES:
        return whole.decode()
    return f"{whole[: NAME_BYTES - 11].decode('utf-8', 'ignore')}…{crc32(whole):08x}"


def from_rows(
    rows: dict[str, int],
    other: int,
    reference: Reference | None,
    *,
    type_: str | None,
    count: int,
    missing: int,
    distinct: int | None,
) -> ColumnSummary:
    """The summary of a column whose categories hold ``rows``, and ``other`` rows categories that are not named."""
    if reference is None:
        kept = dict(sorted(rows.items(), key=lambda item: (-item[1], item[0]))[:NAMES])
        return ColumnSummary(
            kind="category",
            type=type_,
            count=count,
            missing=missing,
            distinct=distinct,
            categories=kept,
            other=other + sum(rows.values()) - sum(kept.values()),
        )
    counts, new = count_against(rows, other, reference)
    return ColumnSummary(
        kind="category",
        type=type_,
        count=count,
        missing=missing,
        distinct=distinct,
        reference=reference.identity,
        counts=counts,
        new=new,
    )


def count_against(rows: dict[str, int], other: int, reference: Reference) -> tuple[Floats, int]:
    """Rows per top category and the rest, shape ``(17,)``; and rows of never-seen categories."""
    counts = np.zeros(TOP + 1)
    for i, name in enumerate(reference.categories):
        counts[i] = rows.get(name, 0)
    counts[TOP] = other + sum(rows.values()) - counts[:TOP].sum()
    if reference.saturated:
        return counts, 0
    known = set(reference.known.tolist())
    top = set(reference.categories)
    return counts, sum(held for name, held in rows.items() if name not in top and category_hash(name) not in known)


def add_rows(a: ColumnSummary, b: ColumnSummary) -> tuple[dict[str, int], int]:
    """Names and rows of two summaries together, and the rows that are not named."""
    rows = dict(a.categories)
    for name, held in b.categories.items():
        rows[name] = rows.get(name, 0) + held
    kept = dict(sorted(rows.items(), key=lambda item: (-item[1], item[0]))[:NAMES])
    return kept, a.other + b.other + sum(rows.values()) - sum(kept.values())
