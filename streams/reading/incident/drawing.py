"""Drawings as inline SVG: when things happened, how far a statistic moved, and how values are spread."""

from collections.abc import Sequence
from html import escape

from streams.reading.alert import Moment
from streams.reading.histogram import Histogram
from streams.reading.measures import number, offset, time

WIDTH = 720
LANE = 22
MARGIN = 12
BAR_WIDTH = 220
HEIGHT = 120
LETTER = 7.2  # pixels, generously


def timeline(moments: Sequence[Moment], onset: int) -> str:
    """The moments on a line in the proportions of time, each labelled below it in a lane of its own.

    The earliest has the lowest lane, so that its stem passes left of the labels of the others.
    """
    if not moments:
        return ""
    first, last = moments[0].at, moments[-1].at
    span = max(1, last - first)
    height = LANE * (len(moments) + 1) + MARGIN
    lines = [f'<line class="axis" x1="{MARGIN}" y1="{MARGIN}" x2="{WIDTH - MARGIN}" y2="{MARGIN}"/>']
    marks: list[str] = []
    for lane, moment in enumerate(reversed(moments), 1):
        x = MARGIN + (WIDTH - 2 * MARGIN) * (moment.at - first) / span if last > first else MARGIN
        kind = "bad" if moment.what.startswith("it began") else "mark"
        label = f"{time(moment.at)[11:]} {moment.what} {offset(moment.at, onset)}".rstrip()
        y = MARGIN + lane * LANE
        left = x + len(label) * LETTER < WIDTH
        anchor, at = ("start", x + 5) if left else ("end", x - 5)
        lines.append(f'<line class="drop" x1="{x:.1f}" y1="{MARGIN}" x2="{x:.1f}" y2="{y}"/>')
        marks.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{MARGIN}" r="5"/>')
        marks.append(f'<text class="{kind}" x="{at:.1f}" y="{y}" text-anchor="{anchor}">{escape(label)}</text>')
    return _svg(WIDTH, height, "timeline", [*lines, *marks])


def before_after(before: float | None, after: float | None) -> str:
    """Two bars on one scale that holds zero, before above after; nothing where a number is missing."""
    if before is None or after is None or not all(abs(value) < 1e300 for value in (before, after)):
        return ""
    low, high = min(0.0, before, after), max(0.0, before, after)
    if high == low:
        return ""
    zero = -low / (high - low) * BAR_WIDTH
    parts = [f'<line class="axis" x1="{zero:.1f}" y1="0" x2="{zero:.1f}" y2="22"/>']
    for kind, value, y in (("was", before, 2), ("is", after, 12)):
        length = max(1.5, abs(value) / (high - low) * BAR_WIDTH)
        x = zero - length if value < 0 else zero
        parts.append(f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{length:.1f}" height="8"/>')
    return _svg(BAR_WIDTH, 22, "before above after", parts)


def before_after_histogram(drawn: Histogram) -> str:
    """Two histograms on one axis: filled as at the cause, outlined as before."""
    most = max(drawn.before.max(), drawn.after.max(), 1e-300)
    step, base = (WIDTH - 2 * MARGIN) / len(drawn.before), HEIGHT - LANE
    bars, outline = [], [f"M{MARGIN} {base}"]
    for i, (before, after) in enumerate(zip(drawn.before, drawn.after, strict=True)):
        x, tall, was = MARGIN + i * step, base * float(after / most), base - base * float(before / most)
        bars.append(f'<rect class="is" x="{x:.1f}" y="{base - tall:.1f}" width="{step - 1:.1f}" height="{tall:.1f}"/>')
        outline.append(f"V{was:.1f}H{x + step:.1f}")
    ends = (
        f'<text x="{MARGIN}" y="{HEIGHT - 4}">{number(drawn.low)}</text>'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 4}" text-anchor="end">{number(drawn.high)}</text>'
    )
    path = f'<path class="was" d="{" ".join(outline)}V{base}"/>'
    return _svg(WIDTH, HEIGHT, "values before (outline) and at the cause (filled)", [*bars, path, ends])


def _svg(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" {box}>{"".join(parts)}</svg>'
