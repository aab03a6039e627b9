"""What was published beside what would be."""

from dataclasses import replace

import pytest

from diagnosis.alert import Alert, CauseKind, Severity
from streams.alert_log import Published
from streams.commands.replay import comparison
from streams.reading.layout import as_text
from streams.reading.replay import render_replay
from streams.replay.comparing import Verdict, compare
from streams.replay.replay import Replay, Said
from streams.topics import Topic

AS_READ = """\
replayed 1,204 records of observations, 2026-11-23 10:00:00 to 2026-11-23 11:00:00 UTC
same     2026-11-23 10:06:00  CRITICAL  firing      3f2a9c41d07b  taxi: Code v42 of clean multiplies distance by 1,000
differs  2026-11-23 10:06:00  WARNING   firing      bbbb  taxi: Code v42 of clean multiplies distance by 1,000
         severity  CRITICAL → WARNING
         cause     CODE_CHANGE in clean.distance → JOIN in clean.distance
missing  2026-11-23 10:06:00  CRITICAL  firing      cccc  taxi: Code v42 of clean multiplies distance by 1,000
new      2026-11-23 10:06:00  CRITICAL  firing      dddd  taxi: Code v42 of clean multiplies distance by 1,000
4 alerts: 1 the same to the last byte, 1 said otherwise, 1 published, and would not be, 1 not published, and would be
"""
TEN = 1_795_428_000_000_000  # 2026-11-23 10:00:00 UTC


def named(alert: Alert, name: str, **fields: object) -> Alert:
    return replace(alert, alert_id=name, cause_key=name, **fields)  # type: ignore[arg-type]  # fields of the test's choice


def test_the_same_revisions_are_the_same_however_often_they_are_read(broken_deploy: Alert) -> None:
    revisions = [replace(broken_deploy, revision=number) for number in (1, 2)]

    (one,) = compare(revisions * 2, revisions)

    assert (one.verdict, one.changed) == (Verdict.SAME, {})


def test_an_earlier_revision_that_differs_is_a_difference(broken_deploy: Alert) -> None:
    revisions = [replace(broken_deploy, revision=number) for number in (1, 2)]

    (one,) = compare(revisions, [replace(revisions[0], title="otherwise"), revisions[1]])

    assert (one.verdict, one.changed) == (Verdict.DIFFERS, {})


def test_an_alert_that_another_finding_opened_is_recognised_by_its_cause(broken_deploy: Alert) -> None:
    (one,) = compare([broken_deploy], [replace(broken_deploy, alert_id="other")])

    assert one.verdict is Verdict.DIFFERS
    assert one.changed == {"id": (broken_deploy.alert_id, "other")}


def test_two_alerts_of_one_cause_are_paired_once_each(broken_deploy: Alert) -> None:
    would = [replace(broken_deploy, alert_id=name) for name in ("x", "y", "z")]

    found = compare([broken_deploy, would[0]], would)

    assert sorted(one.verdict for one in found) == [Verdict.DIFFERS, Verdict.NEW, Verdict.SAME]


def test_a_replay_is_read_alert_by_alert(broken_deploy: Alert) -> None:
    otherwise = {"severity": Severity.WARNING, "cause": replace(broken_deploy.cause, kind=CauseKind.JOIN)}
    was = [broken_deploy, named(broken_deploy, "bbbb"), named(broken_deploy, "cccc")]
    would = [broken_deploy, named(broken_deploy, "bbbb", **otherwise), named(broken_deploy, "dddd")]
    replay = Replay(source=(Topic.OBSERVATIONS,), records=1204, begin=TEN, end=TEN + 3_600_000_000)

    text = as_text(render_replay(replay, compare(was, would)), 200)

    assert [line.rstrip() for line in text.splitlines()] == AS_READ.splitlines()


@pytest.mark.parametrize(("since", "names"), [(None, ["a", "b"]), (TEN + 5, ["b"]), (TEN + 50, [])])
def test_only_what_was_told_about_since_a_time_is_compared(
    broken_deploy: Alert, since: int | None, names: list[str]
) -> None:
    published = [Published(stored_at=TEN + i * 10, alert=named(broken_deploy, name)) for i, name in enumerate("ab")]
    replay = Replay(source=(Topic.OBSERVATIONS,), said=[Said(at=one.stored_at, alert=one.alert) for one in published])

    found = comparison(published, published, replay, since)

    assert [(one.latest.alert_id, one.verdict) for one in found] == [(name, Verdict.SAME) for name in names]


def test_what_was_published_before_the_first_record_is_left_out_where_older_ones_are_gone(
    broken_deploy: Alert,
) -> None:
    published = [Published(stored_at=TEN, alert=broken_deploy)]

    whole = comparison(published, published, Replay(source=(Topic.OBSERVATIONS,), begin=TEN + 1), None)
    cut = comparison(published, published, Replay(source=(Topic.OBSERVATIONS,), begin=TEN + 1, whole=False), None)

    assert [one.verdict for one in whole] == [Verdict.MISSING]
    assert cut == []


@pytest.mark.parametrize(
    ("before", "said", "verdict"),
    [(1, 2, Verdict.SAME), (2, 2, Verdict.SAME), (2, 3, Verdict.SAME), (3, 2, Verdict.DIFFERS)],
)
def test_what_is_published_while_the_log_is_read_is_no_difference(
    broken_deploy: Alert, before: int, said: int, verdict: Verdict
) -> None:
    revisions = [replace(broken_deploy, revision=number) for number in (1, 2, 3)]
    published = [Published(stored_at=TEN + one.revision, alert=one) for one in revisions]
    replay = Replay(source=(Topic.OBSERVATIONS,), end=TEN, said=[Said(at=TEN, alert=one) for one in revisions[:said]])

    (one,) = comparison(published[:before], published, replay, None)

    assert one.verdict is verdict
