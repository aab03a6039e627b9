"""The incident report, as a person reads it and as a stranger would abuse it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosis.alert import Alert, Impact, Links, Status
from streams.reading.incident.content import HOPS_SHOWN, MOVED_SHOWN, incident
from streams.reading.incident.drawing import before_after, timeline
from streams.reading.incident.html import render_html
from streams.reading.incident.markdown import escaped, render_markdown

MARKDOWN = """\
# Code v42 of clean multiplies distance by 1,000

**CRITICAL**, firing, diagnosed, revision 3

Since 10:01 the mean of distance in cleaned is 3,204 instead of 3.2.

* alert: 3f2a9c41d07be855
* pipeline: taxi (production)
* owner: data-platform
* noticed after: 5 min

## What to do

1. Roll clean back from v42 to v41.
2. Then run it again for the batches from cleaned-0412 on.

## Where it started

* A code change in clean: v41 → v42
* column distance
* 93 % sure; path and mechanism found
* the code version changed from v41 to v42 in cleaned-0412, the first bad batch

## Timeline (UTC)

| when |  | what | batch |
|---|---|---|---|
| 2026-11-23 10:00:00 | -1 min | last good batch | cleaned-0411 |
| 2026-11-23 10:01:00 |  | it began (within 2 min) | first bad batch cleaned-0412 |
| 2026-11-23 10:06:00 | +5 min | Headwater noticed |  |
"""

EVIL = '`<b>`<script>alert("1")</script>|[x](javascript:alert(1))`\x1b[31m'


def measured(alert: Alert) -> Alert:
    """The alert with numbers to its first symptom, and a rate in its second."""
    mean, other = alert.symptoms
    missing = replace(other, subject="taxi/features", column="tip", statistic="missing_rate")
    return replace(
        alert,
        symptoms=(replace(mean, expected=3.2, observed=3204.0), replace(missing, expected=0.004, observed=0.31)),
    )


class Tags(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def evil(alert: Alert, text: str) -> Alert:
    """The alert with ``text`` wherever a producer can put one."""
    return replace(
        alert,
        alert_id=text,
        title=text,
        summary=text,
        pipeline=text,
        owner=text,
        next_steps=(text,),
        cause=replace(alert.cause, component=text, column=text, evidence=(text,), before=text, after=text),
        onset=replace(alert.onset, batch_id=text),
        path=tuple(replace(hop, dataset=text, batch_id=text, stage=text) for hop in alert.path),
        symptoms=tuple(replace(one, subject=text, column=text, sentence=text) for one in alert.symptoms),
        rejected=tuple(replace(one, component=text, detail=text, change_id=text) for one in alert.rejected),
        impact=replace(alert.impact, models=(text,), first_prediction_id=text),
        runbook_url=text,
        links=Links(dashboard=f"javascript:{text}", change="https://ci/1"),
    )


def test_markdown_reads_from_what_to_do_to_what_was_ruled_out(broken_deploy: Alert) -> None:
    text = render_markdown(incident(measured(broken_deploy)))

    assert text.startswith(MARKDOWN)
    assert "| taxi/cleaned | distance: mean | 3.2 | 3,204 |" in text
    assert "| taxi/features | tip: share of missing values | 0.4 % | 31 % |" in text
    assert "| 2 | cleaned (clean) | introduced here | cleaned-0412 |" in text
    assert "* the first: p-2f81" in text
    assert "* no: fare a model change m8: it came after the trouble began (7 min later)" in text


def test_html_says_the_same_and_needs_nothing_else(broken_deploy: Alert) -> None:
    parsed = Tags(render_html(incident(measured(broken_deploy))))

    said = " ".join(parsed.words)
    for part in ("Roll clean back", "A code change in clean", "introduced here", "12,480 predictions", "p-2f81"):
        assert part in said
    assert parsed.links == ["https://wiki/runbooks/units", "https://grafana/taxi"]
    assert {"svg", "rect", "circle"} <= parsed.tags
    assert not parsed.tags & {"script", "link", "img", "iframe"}


def test_names_of_strangers_are_no_markup(broken_deploy: Alert) -> None:
    honest = Tags(render_html(incident(broken_deploy)))
    report = incident(evil(broken_deploy, EVIL))
    parsed = Tags(render_html(report))

    assert parsed.tags <= honest.tags | {"code"}
    assert parsed.attributes <= honest.attributes
    assert parsed.links == ["https://ci/1"]
    assert "\x1b" not in render_html(report) + render_markdown(report)
    assert "<script" not in render_markdown(report).replace("\\<", "")


@given(text=st.text(max_size=30))
def test_a_text_in_a_table_of_markdown_stays_in_its_cell(text: str) -> None:
    shown = escaped(text)

    assert len(shown.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", shown)


def test_a_report_of_little_is_short_and_says_so(broken_deploy: Alert) -> None:
    bare = replace(
        broken_deploy, symptoms=(), path=(), suspects=(), rejected=(), impact=Impact(), next_steps=(), last_good=None
    )

    for text in (render_markdown(incident(bare)), render_html(incident(bare))):
        assert "no prediction is known to be affected" in text
        assert "What moved" not in text
        assert "How it spread" not in text
        assert "considered" not in text


def test_a_report_of_very_much_stays_readable(broken_deploy: Alert) -> None:
    huge = replace(broken_deploy, symptoms=broken_deploy.symptoms * 200, path=broken_deploy.path * 100)
    report = incident(huge)

    assert (len(report.moved), report.moved_left) == (MOVED_SHOWN, 400 - MOVED_SHOWN)
    assert (len(report.path), report.path_left) == (HOPS_SHOWN, 400 - HOPS_SHOWN)
    assert render_markdown(report).count("\n… and ") == 2


def test_what_is_over_says_how_long_it_lasted(broken_deploy: Alert) -> None:
    over = replace(broken_deploy, status=Status.RESOLVED, resolved_at=broken_deploy.onset.earliest + 3_600_000_000)

    text = render_markdown(incident(over))

    assert "* lasted: 1 h" in text
    assert "| 2026-11-23 11:01:00 | +1 h | it was over |" in text


def test_a_claim_without_two_numbers_is_told_in_its_sentence(broken_deploy: Alert) -> None:
    (bare,) = incident(replace(broken_deploy, symptoms=broken_deploy.symptoms[:1])).moved

    assert (bare.what, bare.before_told, bare.after_told) == ("mean of distance rose from 3.2 to 3,204", "-", "-")


@pytest.mark.parametrize(
    ("before", "after", "bars"),
    [(3.2, 3204.0, 2), (-1.0, 4.0, 2), (0.0, 0.0, 0), (None, 1.0, 0), (float("nan"), 1.0, 0), (1.0, float("inf"), 0)],
)
def test_bars_are_drawn_where_there_are_two_numbers(before: float | None, after: float | None, bars: int) -> None:
    drawn = before_after(before, after)

    assert drawn.count("<rect") == bars
    assert 'width="-' not in drawn


def test_a_timeline_of_one_instant_is_drawn_too(broken_deploy: Alert) -> None:
    report = incident(broken_deploy)
    at = report.onset

    assert timeline([replace(one, at=at) for one in report.timeline], at).count("<circle") == 3
