"""The type of a column's summary: everything that later arithmetic may know of its rows."""

from dataclasses import dataclass, field

import numpy as np

from detectors.distinct import Registers, estimate
from detectors.reference import Floats


def _floats() -> Floats:
    return np.empty(0)


def _registers() -> Registers:
    return np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnSummary:
    """One column of one batch, reduced; summaries of parts add up. 500 bytes once a reference exists, 1 KB of a piece.

    kind: ``number`` or ``category``. count: rows, of which ``missing`` are absent and ``non_finite`` infinite; the rest
    is *present*. extreme: present numbers whose square overflows, or that are subnormal. minimum, maximum, mean,
    squares: of the present numbers; ``squares`` sums squared deviations from the mean. A sketch may not tell its mean
    (NaN) or its squares (0). distinct: different present values (minus zero is zero), None where that is not known: of
    what will be added to more, ``registers`` hold them (see ``detectors.distinct``), empty for a whole batch.
    reference: identity of the reference that ``counts`` (rows per bin) was taken against, 0 if there was none;
    then numbers carry a sketch (``points`` with ``weights``) and categories their most frequent names with the rows
    of ``other``. new: rows whose category the reference has never seen.
    error: by how much the producer's sketch may be off, as the standard error of a mean rank, in thousandths.
    """

    kind: str
    type: str | None = None
    count: int
    missing: int = 0
    non_finite: int = 0
    extreme: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float = 0.0
    squares: float = 0.0
    distinct: int | None = None
    registers: Registers = field(default_factory=_registers)
    reference: int = 0
    counts: Floats = field(default_factory=_floats)
    points: Floats = field(default_factory=_floats)
    weights: Floats = field(default_factory=_floats)
    categories: dict[str, int] = field(default_factory=dict)
    other: int = 0
    new: int = 0
    error: int = 0

    @property
    def present(self) -> int:
        """Rows that hold a finite value."""
        return self.count - self.missing - self.non_finite

    @property
    def different(self) -> float | None:
        """Different present values, exact or estimated; None where nobody kept count."""
        if self.distinct is None and len(self.registers):
            return estimate(self.registers)
        return self.distinct
