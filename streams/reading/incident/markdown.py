"""An incident report in Markdown, for tickets and chats; names of strangers cannot become markup."""

import re
from collections.abc import Iterable, Iterator

from streams.reading.histogram import spark
from streams.reading.incident.content import Incident, Rows
from streams.reading.measures import number, offset, share, time

_MARKUP = re.compile(r"(`[\w.-]+`)|([\\`*\[\]<>|~&#])")


def render_markdown(report: Incident) -> str:
    """The whole report."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Incident) -> Iterator[str]:
    yield f"# {escaped(report.title)}"
    yield ""
    yield f"**{report.severity}**, {escaped(report.standing)}"
    for line in report.summary:
        yield from ("", escaped(line))
    yield ""
    yield from (f"* {escaped(name)}: {escaped(value)}" for name, value in report.facts)
    yield from _section("What to do", [f"{i}. {escaped(step)}" for i, step in enumerate(report.next_steps, 1)])
    yield from _section("Where it started", (f"* {escaped(line)}" for line in report.cause))
    yield from _section(f"Values of {escaped(report.column)}", _values(report))
    yield from _section("Timeline (UTC)", _timeline(report))
    hops = [(f"{i}", hop.name, hop.told, hop.batch_id) for i, hop in enumerate(report.path, 1)]
    yield from _section("How it spread", [*_table(("", "dataset", "verdict", "batch"), hops), *_more(report.path_left)])
    moved = [(one.subject, one.what, one.before_told, one.after_told) for one in report.moved]
    yield from _section(
        "What moved", [*_table(("dataset", "what", "before", "after"), moved), *_more(report.moved_left)]
    )
    yield from _section("Predictions reached", _pairs(report.reached))
    yield from _section("What else was considered", _pairs(report.considered))
    yield from _section("Around it", _pairs(report.around))


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, on one line; a plain name in backticks stays a name in code.

    >>> escaped("a|b <i> of `tip`")
    'a\\\\|b \\\\<i\\\\> of `tip`'
    """
    return _MARKUP.sub(lambda found: found[1] or f"\\{found[2]}", " ".join(text.split()))


def _section(heading: str, body: Iterable[str]) -> Iterator[str]:
    lines = list(body)
    if lines:
        yield from ("", f"## {heading}", "", *lines)


def _values(report: Incident) -> Iterator[str]:
    drawn = report.histogram
    if drawn is not None:
        most = float(max(drawn.before.max(), drawn.after.max()))
        yield from ("```", f"before        {spark(drawn.before, most)}", f"at the cause  {spark(drawn.after, most)}")
        yield from (f"              from {number(drawn.low)} to {number(drawn.high)}", "```")
    rows = [(name, share(before), share(after)) for name, before, after in report.categories]
    yield from _table(("value", "before", "at the cause"), rows)


def _timeline(report: Incident) -> Iterator[str]:
    rows = [(time(one.at), offset(one.at, report.onset), one.what, one.batch) for one in report.timeline]
    return _table(("when", "", "what", "batch"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    rows = list(rows)
    if rows:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from (f"| {' | '.join(map(escaped, row))} |" for row in rows)


def _pairs(rows: Rows) -> Iterator[str]:
    for name, *rest in rows:
        value = escaped(" ".join(rest))
        yield f"* {escaped(name)}: {value}" if value else f"* {escaped(name)}"


def _more(left: int) -> list[str]:
    return ["", f"… and {left} more"] if left else []
