"""A replay as people read it: what is the same, what differs, and in what."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from streams.reading.layout import columns, words
from streams.reading.listing import alert_line
from streams.reading.measures import time
from streams.replay.comparing import Compared, Verdict
from streams.replay.replay import Replay

STYLE = {Verdict.SAME: "dim", Verdict.DIFFERS: "yellow", Verdict.MISSING: "red", Verdict.NEW: "green"}
TOLD = {
    Verdict.SAME: "the same to the last byte",
    Verdict.DIFFERS: "said otherwise",
    Verdict.MISSING: "published, and would not be",
    Verdict.NEW: "not published, and would be",
}
NOT_WHOLE = (
    "Older records are gone: the replay began without what they had taught, "
    "and what was published before it began is left out."
)


def render_replay(replay: Replay, compared: Sequence[Compared]) -> RenderableType:
    """One line an alert, below it what changed; a summary at the end."""
    parts: list[RenderableType] = [_read(replay)]
    if not replay.whole:
        parts.append(Text(NOT_WHOLE, style="dim"))
    for one in compared:
        parts += _alert(one)
    counts = Counter(one.verdict for one in compared)
    told = ", ".join(f"{counts[verdict]} {TOLD[verdict]}" for verdict in Verdict if counts[verdict])
    alerts = f"{len(compared):,} alert{'' if len(compared) == 1 else 's'}"
    parts.append(words(f"{alerts}: {told}" if compared else "no alerts, published or replayed", "bold"))
    return Group(*parts)


def _read(replay: Replay) -> Text:
    if replay.begin is None or replay.end is None:
        return words("nothing is recorded", "dim")
    topics = ", ".join(replay.source)
    told = f"replayed {replay.records:,} records of {topics}, {time(replay.begin)} to {time(replay.end)} UTC"
    for number, what in ((replay.unreadable, "unreadable"), (replay.defects, "that could not be folded")):
        told += f"; {number:,} {what}" if number else ""
    return words(told, "dim")


def _alert(one: Compared) -> Iterator[RenderableType]:
    line = Text(f"{one.verdict.value:<9}", style=STYLE[one.verdict])
    yield line.append_text(alert_line(one.latest))
    changed = {name: f"{before} → {after}" for name, (before, after) in one.changed.items()}
    if one.verdict is Verdict.DIFFERS and not changed:
        changed = {"": "its end says the same; wording, numbers or earlier revisions differ"}
    if changed:
        rows = [(Text(f"         {name}", style="dim"), words(value)) for name, value in changed.items()]
        yield columns(rows, ratio=1)
