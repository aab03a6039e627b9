"""The fixed yardstick of a column: bins, or frequent categories, against which every batch is counted.

A reference only has to be *fixed*, not exact: every statistic is a bounded function of the counts against it, and the
baseline learns what that function looks like while healthy. It is taken from the first pooled rows of a column.
"""

from dataclasses import dataclass, field
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

BINS = 32
CUTS = BINS + 1  # below the minimum, 32 bins between, above the maximum
TOP = 16
KNOWN = 256  # 1 KB of hashes; a column with more categories is an identifier, where "new" means nothing


def _floats() -> Floats:
    return np.empty(0)


def _hashes() -> NDArray[np.uint32]:
    return np.empty(0, np.uint32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """What a column's batches are counted against; at most 600 bytes for numbers, 1.3 KB and 16 names for categories.

    kind: ``number`` or ``category``. identity: equal for equal references, never 0.
    cuts: shape ``(33,)``, bin ``j`` holds values in ``(cuts[j - 1], cuts[j]]``; the first and last of the 34 bins hold
    what lies outside the reference's range; repeated cuts make empty bins. share: shape ``(34,)`` (or ``(17,)`` for
    categories: the top 16 and the rest), the reference's share of each bin.
    known: hashes of the categories seen besides the top; saturated: too many to be kept, nothing counts as new.
    """

    kind: str
    identity: int
    cuts: Floats = field(default_factory=_floats)
    share: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    categories: tuple[str, ...] = ()
    known: NDArray[np.uint32] = field(default_factory=_hashes)
    saturated: bool = False


def number_reference(points: Floats, weights: Floats) -> Reference:
    """Cut sorted ``points`` of ``weights`` (both shape ``(k,)``, ``k >= 1``) into 32 bins of about equal weight.

    A value that holds two bins' worth of rows gets a bin of its own, so that discrete columns keep their atoms.
    """
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]
    targets = np.arange(1, BINS) / BINS
    quantiles = points[np.searchsorted(cumulative, targets - 1e-12)]
    share = np.diff(cumulative, prepend=0.0)
    atoms = points[share >= 2 / BINS]
    below_minimum = np.nextafter(points[0], -np.inf)
    inner = np.unique(np.concatenate([quantiles, np.nextafter(atoms, -np.inf), [below_minimum]]))
    inner = inner[(inner >= below_minimum) & (inner < points[-1])][:BINS]
    cuts = np.full(CUTS, points[-1])
    cuts[: len(inner)] = inner
    held = np.diff(np.searchsorted(points, cuts, side="right"), prepend=0)
    shares = np.zeros(CUTS + 1)
    edges = np.concatenate([[0], np.cumsum(held)])
    total = np.concatenate([[0.0], cumulative])
    shares[:-1] = np.diff(total[edges])
    return Reference(kind="number", identity=crc32(cuts.tobytes()) | 1, cuts=cuts, share=shares.astype(np.float32))


def category_reference(categories: dict[str, int], other: int) -> Reference:
    """Keep the 16 most frequent of ``categories`` (rows by value) and the hashes of the rest."""
    ranked = sorted(categories, key=lambda name: (-categories[name], name))
    top = tuple(ranked[:TOP])
    counts = np.zeros(TOP + 1)
    counts[: len(top)] = [categories[name] for name in top]
    counts[TOP] = other + sum(categories[name] for name in ranked[TOP:])
    return Reference(
        kind="category",
        identity=crc32("\0".join(top).encode()) | 1,
        share=(counts / max(1.0, counts.sum())).astype(np.float32),
        categories=top,
        known=np.sort(np.array([category_hash(name) for name in ranked[TOP:]], np.uint32)),
        saturated=other > 0 or len(ranked) > KNOWN,
    )


def category_hash(name: str) -> int:
    """A stable 32-bit hash: Python's own differs between processes."""
    return crc32(name.encode())


def polynomials(shares: Floats | NDArray[np.float32]) -> Floats:
    """Orthonormal (shifted Legendre) polynomials L1..L4 of the mid-PIT of each bin.

    shares: shape ``(columns, bins)``, rows summing to 1. Returns shape ``(columns, bins, 4)``: location, scale, skew
    and tail of a row that falls into that bin. Mid-PIT is the share below a bin plus half of its own.
    """
    shares = shares.astype(np.float64)
    u = np.cumsum(shares, axis=-1) - shares / 2
    x = 2 * u - 1
    square = x * x
    return np.stack(
        [
            np.sqrt(3) * x,
            np.sqrt(5) * (1.5 * square - 0.5),
            np.sqrt(7) * x * (2.5 * square - 1.5),
            3 * (4.375 * square * square - 3.75 * square + 0.375),
        ],
        axis=-1,
    )
