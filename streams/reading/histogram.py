"""What a column looked like before and at the cause, as two small histograms on one axis."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType
from rich.text import Text

from detectors.judgement import ColumnProfile
from streams.reading.layout import columns, words
from streams.reading.measures import number, share

Floats = NDArray[np.float64]

BARS = 32
BLOCKS = " ▁▂▃▄▅▆▇█"
LEFT_OUT = 0.005  # of the rows at either end: a few far rows must not press all others into one bar
CATEGORIES = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """Shares of rows per even bar from ``low`` to ``high``, before and after: both of shape ``(32,)``."""

    low: float
    high: float
    before: Floats
    after: Floats


def histogram(profile: ColumnProfile) -> Histogram | None:
    """The batch of ``profile`` beside what was usual; None for categories, and where either is not known.

    The profile's bins are uneven; the rows of each are spread evenly over it, those of the outermost as far as the
    batch's own extremes.
    """
    if profile.kind != "number" or len(profile.edges) < 2 or len(profile.expected_share) != len(profile.counts):
        return None
    before, after = profile.expected_share.astype(float), profile.counts.astype(float)
    if before.sum() <= 0 or after.sum() <= 0:
        return None
    before, after = before / before.sum(), after / after.sum()
    inner = profile.edges
    low = inner[0] if profile.minimum is None else min(inner[0], profile.minimum)
    high = inner[-1] if profile.maximum is None else max(inner[-1], profile.maximum)
    edges = np.concatenate([[low], inner, [high]])
    first, last = _ends(edges, before, after)
    if not np.isfinite([first, last]).all() or last <= first:
        return None
    cuts = np.linspace(first, last, BARS + 1)
    return Histogram(low=first, high=last, before=_even(edges, before, cuts), after=_even(edges, after, cuts))


def _ends(edges: Floats, before: Floats, after: Floats) -> tuple[float, float]:
    """Between which values nearly all rows lie, before or after."""
    spans = []
    for held in (before, after):
        cumulative = np.concatenate([[0.0], np.cumsum(held)])
        inside = np.flatnonzero((cumulative[1:] > LEFT_OUT) & (cumulative[:-1] < 1 - LEFT_OUT))
        spans.append((edges[inside[0]], edges[inside[-1] + 1]))
    return float(min(low for low, _ in spans)), float(max(high for _, high in spans))


def _even(edges: Floats, held: Floats, cuts: Floats) -> Floats:
    cumulative = np.concatenate([[0.0], np.cumsum(held)])
    rising = edges + np.arange(len(edges)) * 1e-12 * max(cuts[-1] - cuts[0], 1e-300)  # equal edges hold a single value
    return np.diff(np.interp(cuts, rising, cumulative))


def spark(shares: Floats, most: float) -> str:
    """Shares as a row of blocks; whatever is not zero is at least the lowest block."""
    steps = np.ceil(shares / max(most, 1e-300) * (len(BLOCKS) - 1)).astype(int)
    return "".join(BLOCKS[min(step, len(BLOCKS) - 1)] for step in np.where(shares > most / 500, steps, 0))


def render_histogram(profile: ColumnProfile) -> RenderableType | None:
    """Two sparklines and their axis, or the categories that moved most; None where nothing can be compared."""
    drawn = histogram(profile)
    if drawn is None:
        rows = list(_categories(profile))
        return columns(rows) if rows else None
    most = float(max(drawn.before.max(), drawn.after.max()))
    axis = f"{number(drawn.low)}{number(drawn.high):>{BARS - len(number(drawn.low))}}"
    return columns(
        [
            (Text("before", style="dim"), Text(spark(drawn.before, most))),
            (Text("at the cause", style="dim"), Text(spark(drawn.after, most), style="bold")),
            (Text(""), Text(axis, style="dim")),
        ]
    )


def moved_categories(profile: ColumnProfile) -> tuple[tuple[str, float, float], ...]:
    """Category, share before and share after, of those that moved most; the rest of them is ``others``."""
    known = len(profile.categories)
    if profile.kind != "category" or not known or len(profile.expected_share) < known + 1 or not profile.counts.sum():
        return ()
    after = profile.counts / profile.counts.sum()
    names = (*profile.categories, "others")
    places = [*range(known), len(profile.counts) - 1]
    rows = [(name, float(profile.expected_share[at]), float(after[at])) for name, at in zip(names, places, strict=True)]
    return tuple(sorted(rows, key=lambda row: -abs(row[2] - row[1]))[:CATEGORIES])


def _categories(profile: ColumnProfile) -> Iterator[tuple[RenderableType, ...]]:
    for name, before, after in moved_categories(profile):
        yield words(name), Text(f"{share(before):>6} → {share(after):<6}"), Text("█" * round(20 * after), style="bold")
