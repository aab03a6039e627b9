"""Which statistics a subject has, one row each, and what one batch says about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.distinct import VARIANCE
from detectors.polynomials import polynomials
from detectors.reference import BINS, RANGE, TOP, Floats, Reference
from detectors.summary import ColumnSummary

SUBJECT = ("rows", "gap")
NUMBER = ("missing_rate", "location", "scale", "skew", "tail", "distinct", "out_of_range")
CATEGORY = ("missing_rate", "distinct", "new_category")  # and a rate for each frequent category, and for the rest
RATES = frozenset({"missing_rate", "out_of_range", "new_category", "category_rate"})
ASSUMED = frozenset({"rows", "gap", "distinct"})  # statistics whose sampling variance is a convention
UNIT = {"rows": 1.0, "gap": 4.0, "distinct": 2.0}  # tolerances in units of the policy's; rates: half, the rest: one
FAR = {"rows": 1.6, "gap": np.inf, "distinct": 1.6}  # a fifth, or five times, of what is usual
ENOUGH = 30  # present rows below which the shape of a column says nothing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """The statistics of a subject: ``m`` rows, the subject's own first, then each column's side by side.

    column: the column's name, ``""`` for the subject. rank: which frequent category, else 0. rate: bool ``(m,)``,
    rows of a kind out of all rows. drawn: bool ``(m,)``, the variance that drawing rows gives it is known. unit: what
    one standard deviation of a row is in the statistic's value. far: a shift of the value that a single batch proves.
    """

    column: tuple[str, ...]
    statistic: tuple[str, ...]
    rank: NDArray[np.int8]
    rate: NDArray[np.bool_]
    drawn: NDArray[np.bool_]
    unit: NDArray[np.float32]
    far: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.column)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One batch's values, arrays of shape ``(m,)``, meaningless where not ``live``.

    value: what is standardised (a rate by the arcsine of its root). sampling: the variance that drawing rows alone
    gives it. held, rows: the counts behind a rate.
    """

    value: Floats
    sampling: Floats
    held: Floats
    rows: Floats
    live: NDArray[np.bool_]


def subject_table() -> Table:
    """The table of a subject without columns."""
    none = np.empty(0, np.float32)
    no = np.empty(0, np.bool_)
    empty = Table(column=(), statistic=(), rank=np.empty(0, np.int8), rate=no, drawn=no, unit=none, far=none)
    return extend(empty, [("", SUBJECT)])


def extend(table: Table, columns: Sequence[tuple[str, tuple[str, ...]]]) -> Table:
    """The table with the statistics of more columns, each given by its name and its statistics."""
    names = [column for column, statistics in columns for _ in statistics]
    added = [name for _, statistics in columns for name in statistics]
    ranks = [rank for _, statistics in columns for rank in _ranks(statistics)]
    units = [UNIT.get(name, 0.5 if name in RATES else 1.0) for name in added]
    far = [FAR.get(name, 0.6 if name in RATES else 1.0) for name in added]
    return Table(
        column=table.column + tuple(names),
        statistic=table.statistic + tuple(added),
        rank=np.concatenate([table.rank, np.array(ranks, np.int8)]),
        rate=np.concatenate([table.rate, np.array([name in RATES for name in added], np.bool_)]),
        drawn=np.concatenate([table.drawn, np.array([name not in ASSUMED for name in added], np.bool_)]),
        unit=np.concatenate([table.unit, np.array(units, np.float32)]),
        far=np.concatenate([table.far, np.array(far, np.float32)]),
    )


def _ranks(statistics: tuple[str, ...]) -> list[int]:
    """Which frequent category each statistic is about; ``TOP`` for the rest, which stands last."""
    if "category_rate" not in statistics:
        return [0] * len(statistics)
    return [max(0, i - len(CATEGORY)) for i in range(len(statistics) - 1)] + [TOP]


def statistics_of(reference: Reference) -> tuple[str, ...]:
    """The statistics of a column with ``reference``."""
    if reference.kind == "number":
        return NUMBER
    return CATEGORY + ("category_rate",) * (len(reference.categories) + 1)


def measure(
    size: int,
    summaries: Mapping[str, ColumnSummary],
    references: Mapping[str, Reference],
    offsets: Mapping[str, int],
    rows: int,
    batches: int,
    gap_s: float | None,
) -> Measured:
    """The values of all ``size`` statistics in one batch, column by column of arrays.

    summaries: the batch's columns, each counted against its entry in ``references``; ``offsets``: the first row of each
    column in the table. rows: of all ``batches`` that were pooled; what counts is how many one has. gap_s: seconds
    since the batch before, ``None`` if unknown.
    """
    measured = Measured(
        value=np.zeros(size),
        sampling=np.ones(size),
        held=np.zeros(size),
        rows=np.zeros(size),
        live=np.zeros(size, np.bool_),
    )
    if rows > 0:
        measured.value[0], measured.sampling[0], measured.live[0] = np.log(rows / batches), 1 / rows, True
    if gap_s is not None and gap_s > 0:
        measured.value[1], measured.sampling[1], measured.live[1] = np.log(gap_s), 0.01, True
    for kind, fill in (("number", _fill_numbers), ("category", _fill_categories)):
        names = [name for name, summary in summaries.items() if summary.kind == kind and name in offsets]
        if names:
            base = np.array([offsets[name] for name in names])
            fill(measured, base, [summaries[name] for name in names], [references[name] for name in names])
    return measured


def _fill_numbers(measured: Measured, base: NDArray[np.int64], of: list[ColumnSummary], to: list[Reference]) -> None:
    counts = np.stack([summary.counts for summary in of])
    basics = np.array([(s.count, s.missing, s.non_finite, s.different or 0, s.noise) for s in of], np.float64)
    count, missing, non_finite, distinct, noise = basics.T
    present = counts.sum(axis=1)
    enough = present >= ENOUGH
    scores = polynomials(to)
    shape = np.einsum("cb,cbk->ck", counts, scores) / np.maximum(present, 1)[:, None]
    at = base[:, None] + np.arange(1, 5)
    measured.value[at] = shape
    measured.sampling[at] = (1 / np.maximum(present, 1) + 12 * noise)[:, None]
    measured.live[at] = enough[:, None]
    _fill_rate(measured, base, missing, count)
    smooth = np.array([reference.share.max() < 2 / BINS for reference in to])  # no value has a bin of its own
    _fill_distinct(measured, base + 5, of, distinct, present, enough, unique=smooth)
    outside = present - counts[:, RANGE].sum(axis=1) + non_finite  # infinity is out of every range
    _fill_rate(measured, base + 6, outside, present + non_finite)


def _fill_categories(measured: Measured, base: NDArray[np.int64], of: list[ColumnSummary], to: list[Reference]) -> None:
    counts = np.stack([summary.counts for summary in of])
    basics = np.array([(s.count, s.missing, s.different or 0, s.new) for s in of], np.float64)
    count, missing, distinct, new = basics.T
    present = count - missing
    enough = present >= ENOUGH
    _fill_rate(measured, base, missing, count)
    unique = np.array([reference.saturated for reference in to])
    _fill_distinct(measured, base + 1, of, distinct, present, enough, unique=unique)
    _fill_rate(measured, base + 2, new, present)
    known = np.array([len(reference.categories) for reference in to])
    first = base + len(CATEGORY)
    for rank in range(int(known.max())):
        there = known > rank
        _fill_rate(measured, (first + rank)[there], counts[there, rank], present[there])
    _fill_rate(measured, first + known, counts[:, TOP], present)


def _fill_rate(measured: Measured, at: NDArray[np.int64], held: Floats, rows: Floats) -> None:
    """A rate, arcsine-transformed (Anscombe 1948): its variance is then 1/4n whatever the rate."""
    measured.value[at] = np.arcsin(np.sqrt(np.clip((held + 0.375) / (rows + 0.75), 0, 1)))
    measured.sampling[at] = 1 / (4 * rows + 2)
    measured.held[at] = held
    measured.rows[at] = rows
    measured.live[at] = rows > 0


def _fill_distinct(
    measured: Measured,
    at: NDArray[np.int64],
    of: list[ColumnSummary],
    distinct: Floats,
    present: Floats,
    enough: NDArray[np.bool_],
    unique: NDArray[np.bool_],
) -> None:
    """Logarithm of the different values; of their share, where the reference says that nearly all differ.

    The reference decides, not the batch: a statistic that changes its unit jumps where nothing happened.
    """
    measured.value[at] = np.log(np.maximum(distinct, 1) / np.where(unique, np.maximum(present, 1), 1))
    estimated = np.array([summary.distinct is None for summary in of])
    measured.sampling[at] = 4e-4 + estimated * VARIANCE
    measured.live[at] = enough & (distinct > 0)
