"""A few rows of every batch, whole across its columns: each value as the bin of its column's reference."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from detectors.batch import CategoryColumn, ColumnInput, NumberColumn
from detectors.categorical import storable
from detectors.distinct import mixed
from detectors.finding import Micros
from detectors.reference import TOP, Floats, Reference, category_hash

Codes = NDArray[np.uint8]

ROWS = 256  # of a batch: 256 bytes a column
SHARE = 16  # of them that a calm batch leaves behind
BATCHES = 16  # calm batches remembered: 256 bytes a column as well
NEW = TOP + 1  # a never-seen category; ``TOP`` itself is the rest
INFINITE, MISSING, ABSENT = 253, 254, 255  # absent: the batch, or its reference, did not have the column


def _codes() -> Codes:
    return np.empty((0, 0), np.uint8)


def _identities() -> NDArray[np.uint32]:
    return np.empty(0, np.uint32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Rows of ``c`` columns. code: uint8 ``(rows, c)``. reference: uint32 ``(c,)``, whose bins the codes are."""

    names: tuple[str, ...] = ()
    reference: NDArray[np.uint32] = field(default_factory=_identities)
    code: Codes = field(default_factory=_codes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """A uniform sample of a batch: those of its rows whose ``key``, uint32, hashes lowest, in that order."""

    key: NDArray[np.uint32] = field(default_factory=_identities)
    cells: Cells = field(default_factory=Cells)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calm:
    """Rows of the last calm batches, 16 of each. at: event times of these batches, int64."""

    at: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    cells: Cells = field(default_factory=Cells)

    def until(self, at: Micros) -> Cells:
        """Rows of batches not later than ``at``."""
        held = np.repeat(self.at <= at, SHARE)
        return Cells(names=self.cells.names, reference=self.cells.reference, code=self.cells.code[held])


def row_keys(name: str, rows: int) -> NDArray[np.uint32]:
    """Keys of the rows of a batch, or of a part of one, by its name."""
    return low(np.arange(rows, dtype=np.uint64) + (np.uint64(crc32(name.encode())) << np.uint64(32)))


def low(codes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """A hash of each code, 32 bits of it."""
    return mixed(codes).astype(np.uint32)


def sample(columns: Mapping[str, ColumnInput], references: Mapping[str, Reference], key: NDArray[np.uint32]) -> Rows:
    """Choose among rows, by their ``key``, shape ``(rows,)``, in the columns that have a reference and all of them."""
    rows = len(key)
    held = {
        column: (given, reference)
        for column, given in columns.items()
        if (reference := references.get(column)) is not None and _fits(given, reference, rows)
    }
    if not held:
        return Rows()
    chosen = np.argpartition(key, ROWS)[:ROWS] if rows > ROWS else np.arange(rows)
    chosen = chosen[np.argsort(key[chosen], kind="stable")]
    code = np.empty((len(held), len(chosen)), np.uint8)
    for place, (given, reference) in enumerate(held.values()):
        code[place] = _binned(given, reference, chosen)
    identities = np.array([reference.identity for _, reference in held.values()], np.uint32)
    return Rows(key=key[chosen], cells=Cells(names=tuple(held), reference=identities, code=code.T))


def _fits(given: ColumnInput, reference: Reference, rows: int) -> bool:
    if isinstance(given, NumberColumn):
        return reference.kind == "number" and len(given.values) == rows
    return isinstance(given, CategoryColumn) and reference.kind == "category" and len(given.codes) == rows


def _binned(given: ColumnInput, reference: Reference, chosen: NDArray[np.int64]) -> Codes:
    if isinstance(given, NumberColumn):
        return _numbers(given.values[chosen], reference)
    assert isinstance(given, CategoryColumn)  # sketches have no rows
    return _categories(given, reference, chosen)


def _numbers(values: Floats, reference: Reference) -> Codes:
    code = reference.cuts.searchsorted(values, side="left").astype(np.uint8)
    if not np.isfinite(values).all():
        code[np.isinf(values)] = INFINITE
        code[np.isnan(values)] = MISSING
    return code


def _categories(given: CategoryColumn, reference: Reference, chosen: NDArray[np.int64]) -> Codes:
    different, place = np.unique(given.codes[chosen], return_inverse=True)
    ranks = {name: rank for rank, name in enumerate(reference.categories)}
    known = set(reference.known.tolist())
    code = np.full(len(different), MISSING, np.uint8)
    for index, one in enumerate(different.tolist()):
        if 0 <= one < len(given.dictionary):
            name = storable(given.dictionary[one])
            usual = reference.saturated or category_hash(name) in known
            code[index] = ranks.get(name, TOP if usual else NEW)
    return code[place]


def aligned(cells: Cells, like: Cells) -> Codes:
    """The codes of ``cells`` in the columns of ``like``, ``ABSENT`` where it has not got them."""
    if cells.names == like.names and np.array_equal(cells.reference, like.reference):
        return cells.code
    places = {column: place for place, column in enumerate(zip(cells.names, cells.reference.tolist(), strict=True))}
    code = np.full((len(cells.code), len(like.names)), ABSENT, np.uint8)
    for place, column in enumerate(zip(like.names, like.reference.tolist(), strict=True)):
        if column in places:
            code[:, place] = cells.code[:, places[column]]
    return code


def together(a: Cells, b: Cells) -> Cells:
    """The rows of both, in the columns of either; of a column with two references, ``b``'s is right."""
    there = set(b.names)
    more = [place for place, name in enumerate(a.names) if name not in there]
    like = Cells(
        names=(*b.names, *(a.names[place] for place in more)),
        reference=np.concatenate([b.reference, a.reference[more]]),
    )
    return Cells(names=like.names, reference=like.reference, code=np.concatenate([aligned(a, like), aligned(b, like)]))


def merged(a: Rows, b: Rows) -> Rows:
    """The sample of two parts together; as each has its lowest keys, so has the whole."""
    both, key = together(a.cells, b.cells), np.concatenate([a.key, b.key])
    lowest = np.argsort(key, kind="stable")[:ROWS]
    return Rows(key=key[lowest], cells=Cells(names=both.names, reference=both.reference, code=both.code[lowest]))


def learn_calm(calm: Calm, rows: Rows, at: Micros) -> Calm:
    """With rows of one more batch; one of fewer than 16 rows leaves none."""
    if len(rows.key) < SHARE:
        return calm
    fresh = Cells(names=rows.cells.names, reference=rows.cells.reference, code=rows.cells.code[:SHARE])
    both = together(calm.cells, fresh)
    kept = Cells(names=both.names, reference=both.reference, code=both.code[-SHARE * BATCHES :])
    return Calm(at=np.append(calm.at, at)[-BATCHES:], cells=kept)


def without(calm: Calm, column: str) -> Calm:
    """The same rows, all of ``column`` forgotten."""
    kept = [place for place, name in enumerate(calm.cells.names) if name != column]
    names = tuple(calm.cells.names[place] for place in kept)
    cells = Cells(names=names, reference=calm.cells.reference[kept], code=calm.cells.code[:, kept])
    return Calm(at=calm.at, cells=cells)
