"""What a detector is given: one batch of a dataset, or one part of it, as columns of plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.finding import Micros

__all__ = ["BatchInput", "CategoryColumn", "ColumnInput", "Micros", "NumberColumn", "SketchColumn"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumberColumn:
    """A numeric (or boolean, or timestamp) column: float64, shape ``(rows,)``, NaN means missing."""

    values: NDArray[np.float64]
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CategoryColumn:
    """A dictionary-encoded column: int32 codes into ``dictionary``, shape ``(rows,)``, -1 means missing."""

    dictionary: tuple[str, ...]
    codes: NDArray[np.int32]
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SketchColumn:
    """A column that its producer reduced before sending: for tables too big or too private to send.

    count: rows, including ``missing`` and ``non_finite``. At most one of the three shapes is given: a histogram
    (``edges`` of shape ``(k + 1,)``, ``counts`` of shape ``(k,)``), a serialised ``datasketches`` KLL sketch of
    doubles, or quantiles (values ``v`` at cumulative probabilities ``p``). ``top``: frequent values with their
    rows; ``other``: the rows of all other values.
    """

    count: int
    missing: int = 0
    non_finite: int = 0
    minimum: float | None = None
    maximum: float | None = None
    sum: float | None = None
    sum_squares: float | None = None
    edges: NDArray[np.float64] | None = None
    counts: NDArray[np.float64] | None = None
    kll: bytes | None = None
    p: NDArray[np.float64] | None = None
    v: NDArray[np.float64] | None = None
    top: tuple[tuple[str, int], ...] = ()
    other: int = 0
    distinct: int | None = None
    type: str | None = None


ColumnInput: TypeAlias = NumberColumn | CategoryColumn | SketchColumn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchInput:
    """One batch of ``subject`` (``pipeline/dataset``), or one part of it, before it is summarised.

    at: event time (``produced_at``). arrived_at: when the broker stored it. rows: as its producer declared them,
    of this part. replaces: the batch this one is a re-run of. attempt: of the run that made it, from 1. backfill: it
    fills in history on purpose.
    """

    subject: str
    batch_id: str
    at: Micros
    arrived_at: Micros
    rows: int
    part_index: int = 0
    part_of: int = 1
    replaces: str | None = None
    attempt: int = 1
    window_start: Micros | None = None
    window_end: Micros | None = None
    backfill: bool = False
    segments: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    columns: Mapping[str, ColumnInput]
