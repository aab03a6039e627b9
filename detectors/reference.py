"""The fixed yardstick of a column: bins, or frequent categories, against which every batch is counted.

A reference only has to be *fixed*, not exact: every statistic is a bounded function of the counts against it, and the
baseline learns what that function looks like while healthy. It is taken from the first pooled rows of a column.
"""

from dataclasses import dataclass, field, replace
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

BINS = 32
OUTER = np.array([1.0, 3.0, 7.0, 15.0, 40.0, 100.0])  # cuts beyond the range, in standard deviations of a row
CUTS = BINS + 1 + 2 * len(OUTER)
RANGE = slice(len(OUTER) + 1, len(OUTER) + 1 + BINS)  # the bins between minimum and maximum
ROUNDING = 1e-12  # of the largest value: by so much sums and means of it may be off
SMALLEST, LARGEST = 1e-280, 1e300  # of a spread and of a cut, so that neither sums nor ratios overflow
TOP = 16
KNOWN = 256  # hashes, of 2 bytes; a column with more categories is an identifier, where "new" means nothing


def _floats() -> Floats:
    return np.empty(0)


def _hashes() -> NDArray[np.uint16]:
    return np.empty(0, np.uint16)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """What a column's batches are counted against; at most 750 bytes for numbers, 1 KB for categories.

    kind: ``number`` or ``category``. identity: equal for equal references, never 0.
    cuts: shape ``(45,)``, bin ``j`` holds values in ``(cuts[j - 1], cuts[j]]``; 32 bins (``RANGE``) lie within the
    reference's range, seven on either side of it; repeated cuts make empty bins. middle, spread: median and robust
    standard deviation of its rows. share: shape ``(46,)`` (or ``(17,)`` for categories: the top 16 and the rest), the
    reference's share of each bin; empty where only the mean of the numbers is told.
    known: hashes of the categories seen besides the top; saturated: too many to be kept, nothing counts as new.
    error: of the sketches it was taken from, see ``ColumnSummary``.
    """

    kind: str
    identity: int
    cuts: Floats = field(default_factory=_floats)
    middle: float = 0.0
    spread: float = 1.0
    share: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    categories: tuple[str, ...] = ()
    known: NDArray[np.uint16] = field(default_factory=_hashes)
    saturated: bool = False
    error: int = 0

    @property
    def shapeless(self) -> bool:
        """Whether only the mean of its numbers is told: nothing falls into bins."""
        return self.kind == "number" and len(self.share) == 0


def number_reference(points: Floats, weights: Floats, error: int = 0) -> Reference:
    """Cut sorted ``points`` of ``weights`` (both shape ``(k,)``, ``k >= 1``) into 32 bins of about equal weight.

    A value that holds two bins' worth of rows gets a bin of its own, so that discrete columns keep their atoms. Beyond
    the range bins grow with the distance: the first rows of a column that swings with the time of day show one hour.
    """
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]
    inner = _inner_cuts(points, cumulative)
    low, middle, high = np.clip(_quantiles(points, cumulative, np.array([0.25, 0.5, 0.75])), -LARGEST, LARGEST)
    around = abs(middle) / 1000 or 1.0
    spread = float(np.clip((high - low) / 1.349 or (points[-1] / 4 - points[0] / 4) or around, SMALLEST, LARGEST / 1e3))
    cuts = np.concatenate([inner[0] - spread * OUTER[::-1], inner, inner[-1] + spread * OUTER])
    held = np.diff(np.searchsorted(points, cuts, side="right"), prepend=0)
    edges = np.concatenate([[0], np.cumsum(held)])
    shares = np.zeros(CUTS + 1)
    shares[:-1] = np.diff(np.concatenate([[0.0], cumulative])[edges])
    return Reference(
        kind="number",
        identity=crc32(cuts.tobytes()) | 1,
        cuts=cuts,
        share=shares.astype(np.float32),
        middle=float(middle),
        spread=spread,
        error=error,
    )


def mean_reference(mean: float, deviation: float, extent: float) -> Reference:
    """Of numbers of which only the mean is told, and perhaps the standard ``deviation`` of a row, else 0.

    extent: from minimum to maximum, else 0. Where no deviation is told it is taken for a sixth of that (a thousand
    normal rows reach so far), and where neither is, for a tenth of the mean.
    """
    reference = number_reference(np.array([mean]), np.ones(1))
    likely = deviation or extent / 6 or abs(mean) / 10 or 1.0
    spread = float(np.clip(likely, SMALLEST, LARGEST / 1e3))
    return replace(reference, spread=spread, share=np.empty(0, np.float32))


def _quantiles(points: Floats, cumulative: Floats, at: Floats) -> Floats:
    return points[np.searchsorted(cumulative, at - 1e-12)]


def _inner_cuts(points: Floats, cumulative: Floats) -> Floats:
    """The 33 cuts from below the minimum to the maximum or above; the last ones are equal where fewer are needed.

    Those between lie midway between two values, and beside an atom at either end as far from it: what is off an atom by
    a rounding, or by what differs from batch to batch, still counts as that atom.
    """
    share = np.diff(cumulative, prepend=0.0)
    atom = share >= 2 / BINS
    beside = np.where(atom[[0, -1]], [_half(points[0], points[1:2]), _half(points[-1], points[-2:-1])], 0.0)
    lowest, highest = np.nextafter(points[0] - beside[0], -np.inf), points[-1] + beside[1]
    quantiles = _quantiles(points, cumulative, np.arange(1, BINS) / BINS)
    inner = np.unique(np.concatenate([quantiles, np.nextafter(points[atom], -np.inf)]))
    inner = np.concatenate([[lowest], inner[(inner >= points[0]) & (inner < points[-1])][: BINS - 1]])
    cuts = np.full(BINS + 1, highest)
    cuts[: len(inner)] = inner
    following = np.searchsorted(points, inner[1:], side="right")
    left, right = points[following - 1], points[following]
    cuts[1 : len(inner)] = np.minimum(left / 2 + right / 2, np.nextafter(right, -np.inf))
    return cuts


def _half(value: float, next_to: Floats) -> float:
    """Half the way between a value and its neighbour; a rounding, if it has none."""
    return float(min(LARGEST, np.abs(value / 2 - next_to / 2).max(initial=ROUNDING * abs(value))))


def category_reference(categories: dict[str, int], other: int) -> Reference:
    """Keep the 16 most frequent of ``categories`` (rows by value) and the hashes of the rest."""
    ranked = sorted(categories, key=lambda name: (-categories[name], name))
    top = tuple(ranked[:TOP])
    saturated = other > 0 or len(ranked) > TOP + KNOWN
    counts = np.zeros(TOP + 1)
    counts[: len(top)] = [categories[name] for name in top]
    counts[TOP] = other + sum(categories[name] for name in ranked[TOP:])
    return Reference(
        kind="category",
        identity=crc32("\0".join(top).encode()) | 1,
        share=(counts / max(1.0, counts.sum())).astype(np.float32),
        categories=top,
        known=np.sort(np.array([] if saturated else [category_hash(name) for name in ranked[TOP:]], np.uint16)),
        saturated=saturated,
    )


def category_hash(name: str) -> int:
    """A stable 16-bit hash (Python's own differs between processes): one new category in 256 is taken for known."""
    return crc32(name.encode()) & 0xFFFF
