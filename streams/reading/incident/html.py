"""An incident report as one HTML file that needs nothing else: no script, no font, no picture from elsewhere."""

import re
from collections.abc import Iterable, Iterator
from html import escape

from diagnosis.alert import Verdict
from streams.reading.incident.content import Incident, Moved, Passed, Rows
from streams.reading.incident.drawing import before_after, before_after_histogram, timeline
from streams.reading.measures import offset, share, time

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6676; --line: #d9dee6; --paper: #fff; --wash: #f4f6f9;
  --bad: #c0392b; --warn: #b7791f; --calm: #2b6cb0; --good: #2f855a; --hidden: #805ad5 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b8; --line: #364152; --paper: #151a21;
  --wash: #1e252f; --bad: #ff8274; --warn: #ecc261; --calm: #7db5f0; --good: #68d391; --hidden: #b794f4 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 820px;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .4rem 0 }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; padding-bottom: .2rem; border-bottom: 1px solid var(--line) }
code { font: .92em ui-monospace, monospace; background: var(--wash); padding: 0 .2em }
p, ol, ul { margin: .4rem 0 } ol, ul { padding-left: 1.4rem } .soft { color: var(--soft) }
.badge { display: inline-block; color: var(--paper); background: var(--soft); border-radius: 4px; padding: 0 .5rem;
  font-weight: 600; font-size: .8rem; letter-spacing: .03em }
.badge.CRITICAL { background: var(--bad) } .badge.WARNING { background: var(--warn) }
.badge.INFO { background: var(--calm) }
.facts { display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; margin: .8rem 0 } .facts b { font-weight: 600 }
.todo { background: var(--wash); border-left: 4px solid var(--calm); padding: .4rem .8rem; border-radius: 0 4px 4px 0 }
table { border-collapse: collapse; width: 100%; font-size: .92rem }
th { text-align: left; color: var(--soft); font-weight: 500 }
th, td { padding: .25rem .8rem .25rem 0; vertical-align: top; border-bottom: 1px solid var(--line) }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums } td:last-child, th:last-child { padding-right: 0 }
td.name { color: var(--soft); white-space: nowrap; width: 1% } .when { white-space: nowrap; color: var(--soft) }
.INTRODUCED { color: var(--bad); font-weight: 600 } .INHERITED { color: var(--warn) } .HEALTHY { color: var(--good) }
.MASKED { color: var(--hidden) } .UNKNOWN { color: var(--soft) }
svg { max-width: 100%; height: auto; display: block } svg text { font: 12px system-ui, sans-serif; fill: var(--ink);
  paint-order: stroke; stroke: var(--paper); stroke-width: 4px }
svg .axis { stroke: var(--soft); stroke-width: 1.5 } svg .drop { stroke: var(--line) }
svg circle.mark { fill: var(--soft) }
svg circle.bad, svg rect.is { fill: var(--bad) } svg text.bad { fill: var(--bad); font-weight: 600 }
svg rect.was { fill: var(--soft) } svg path.was { fill: none; stroke: var(--ink); stroke-width: 1.5 }
@media print { body { margin: 0; max-width: none } }
"""
LINKS = ("http://", "https://")


def render_html(report: Incident) -> str:
    """The whole report; every text in it is escaped."""
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{STYLE}</style></head><body>\n"
    )
    return head + "\n".join(_body(report)) + "\n</body></html>\n"


def _body(report: Incident) -> Iterator[str]:
    severity = escape(report.severity)
    yield f'<span class="badge {severity}">{severity}</span> <span class="soft">{escape(report.standing)}</span>'
    yield f"<h1>{escape(report.title)}</h1>"
    yield from (f"<p>{_shown(line)}</p>" for line in report.summary)
    facts = "".join(f'<span><span class="soft">{n}</span> <b>{escape(value)}</b></span>' for n, value in report.facts)
    yield f'<div class="facts">{facts}</div>'
    if report.next_steps:
        yield from _section("What to do", f'<div class="todo">{_list("ol", report.next_steps)}</div>')
    first, *others = report.cause
    yield from _section("Where it started", f"<p><b>{escape(first)}</b></p>{_list('ul', others)}")
    if report.histogram is not None:
        told = '<p class="soft">outline: before; filled: in the first bad batch</p>'
        yield from _section(f"Values of {escape(report.column)}", before_after_histogram(report.histogram), told)
    if report.categories:
        cells = ((name, share(before), share(after)) for name, before, after in report.categories)
        rows = ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells]
        yield from _section(f"Values of {escape(report.column)}", _table(("value", "before", "at the cause"), rows))
    yield from _section("Timeline (UTC)", timeline(report.timeline, report.onset), _moments(report))
    if report.path:
        rows = [_hop(hop) for hop in report.path]
        yield from _section("How it spread", _table(("dataset", "verdict", "batch"), rows), _more(report.path_left))
    if report.moved:
        heads = ("dataset", "what", "before", "after", "")
        rows = [_moved(one) for one in report.moved]
        yield from _section("What moved", _table(heads, rows), _more(report.moved_left))
    yield from _section("Predictions reached", _pairs(report.reached))
    if report.considered:
        yield from _section("What else was considered", _pairs(report.considered))
    if report.around:
        yield from _section("Around it", _pairs(report.around))


def _section(heading: str, *body: str) -> Iterator[str]:
    yield f"<h2>{heading}</h2>"
    yield from (part for part in body if part)


def _list(tag: str, texts: Iterable[str]) -> str:
    items = "".join(f"<li>{_shown(text)}</li>" for text in texts)
    return f"<{tag}>{items}</{tag}>" if items else ""


def _table(heads: tuple[str, ...], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _moments(report: Incident) -> str:
    rows = (
        f'<tr><td class="when">{escape(time(one.at))}</td><td class="when">{offset(one.at, report.onset)}</td>'
        f"<td>{escape(one.what)}</td><td>{escape(one.batch)}</td></tr>"
        for one in report.timeline
    )
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def _hop(hop: Passed) -> str:
    name = f"<b>{escape(hop.name)}</b>" if hop.verdict is Verdict.INTRODUCED else escape(hop.name)
    verdict = f'<td class="{hop.verdict.value}">{escape(hop.told)}</td>'
    return f'<tr><td>{name}</td>{verdict}<td class="soft">{escape(hop.batch_id)}</td></tr>'


def _moved(one: Moved) -> str:
    numbers = f'<td class="number">{escape(one.before_told)}</td><td class="number">{escape(one.after_told)}</td>'
    what = f"<td>{escape(one.subject)}</td><td>{_shown(one.what)}</td>"
    return f'<tr title="{escape(one.sentence)}">{what}{numbers}<td>{before_after(one.before, one.after)}</td></tr>'


def _pairs(rows: Rows) -> str:
    made = "".join(
        f'<tr><td class="name">{escape(name)}</td><td>{_linked(" ".join(rest))}</td></tr>'
        if any(rest)
        else f'<tr><td colspan="2">{escape(name)}</td></tr>'
        for name, *rest in rows
    )
    return f"<table><tbody>{made}</tbody></table>"


def _linked(text: str) -> str:
    """Only what is wholly a web address becomes a link, so that no address runs a script."""
    shown = escape(text)
    if text.startswith(LINKS) and not any(letter.isspace() for letter in text):
        return f'<a href="{shown}" rel="noreferrer noopener">{shown}</a>'
    return shown


def _shown(text: str) -> str:
    """A sentence, its names in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _more(left: int) -> str:
    return f'<p class="soft">… and {left} more</p>' if left else ""
