"""The alert as a person reads it."""

from dataclasses import replace

import pytest
from rich.text import Text

from diagnosis.alert import (
    Alert,
    Cause,
    CauseKind,
    Elsewhere,
    Grounding,
    Impact,
    Match,
    Rejection,
    Severity,
    Status,
    Verdict,
)
from streams.reading.alert import HOPS_SHOWN, SYMPTOMS_SHOWN, render_alert
from streams.reading.layout import as_text
from streams.reading.listing import alert_line
from streams.reading.words import GROUNDING, HEADLINE, KIND, MATCH, REJECTION, SEVERITY_STYLE, VERDICT, VERDICT_STYLE

AT_80_COLUMNS = """\
 CRITICAL   Code v42 of clean multiplies distance by 1,000
firing, diagnosed · revision 3 · alert 3f2a9c41d07be855
pipeline taxi · production · owner data-platform

Since 10:01 the mean of distance in cleaned is 3,204 instead of 3.2.

What to do
  1.  Roll clean back from v42 to v41.
  2.  Then run it again for the batches from cleaned-0412 on.

Where it started
  A code change in clean: v41 → v42
  column distance
  93 % sure; path and mechanism found
  ·  the code version changed from v41 to v42 in cleaned-0412, the first bad
     batch

How it spread
  ┌  rides (ingest)   healthy                  rides-0412
  ●  cleaned (clean)  introduced here          cleaned-0412
  ├  features         inherited, by partition  features-0412
  └  fare (model)     inherited                fare-0412

When (UTC)
  2026-11-23 10:00:00  -1 min  last good batch  cleaned-0411
  2026-11-23 10:01:00          it began (within 2 min)  first bad batch
                               cleaned-0412
  2026-11-23 10:06:00  +5 min  Headwater noticed

What moved
  taxi/cleaned
  ·  mean of distance rose from 3.2 to 3,204
  taxi/fare
  ·  mean score rose from 14.20 to 31.90

Whom it reached
  predictions   12,480 predictions of fare, 31 % of all since it began
  the first     p-2f81
  accuracy      -0.041, estimated  (between -0.06 and -0.02)
  scores moved  81 % by distance, -10 % by hour; 29 % not attributed

What else was considered
  4 %  rides.distance  the data of the source changed
  no   fare  a model change m8: it came after the trouble began (7 min later)

Around it
  source     postgres://rides
  versions   code v42
  run        run-1001
  toggles    new_units=on
  runbook    https://wiki/runbooks/units
  dashboard  https://grafana/taxi
"""


def test_an_alert_reads_well_at_80_columns(broken_deploy: Alert) -> None:
    assert as_text(render_alert(broken_deploy), 80) == AT_80_COLUMNS


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(broken_deploy: Alert, width: int) -> None:
    lines = as_text(render_alert(broken_deploy), width).splitlines()

    assert max(len(line) for line in lines) <= width


def test_the_taxonomy_has_words_for_everything() -> None:
    assert set(KIND) == set(HEADLINE) == set(CauseKind)
    assert set(GROUNDING) == set(Grounding)
    assert set(VERDICT) == set(VERDICT_STYLE) == set(Verdict)
    assert set(REJECTION) == set(Rejection)
    assert set(MATCH) == set(Match)
    assert set(SEVERITY_STYLE) == set(Severity)


@pytest.mark.parametrize("kind", list(CauseKind))
def test_every_kind_of_cause_names_its_component(broken_deploy: Alert, kind: CauseKind) -> None:
    alert = replace(broken_deploy, cause=Cause(kind=kind, component="rides"))

    headline = as_text(render_alert(alert)).split("Where it started\n")[1].splitlines()[0]

    assert "rides" in headline


def test_a_fault_in_some_rows_says_in_which_and_how_much_of_the_shift_they_hold(broken_deploy: Alert) -> None:
    cause = replace(broken_deploy.cause, component="cleaned", segment="city = Oslo")
    found = replace(broken_deploy.symptoms[0], held_by="city = Oslo", held_share=0.97)

    by_rows = as_text(render_alert(replace(broken_deploy, cause=cause, symptoms=(found,))))
    by_batches = as_text(render_alert(replace(broken_deploy, cause=cause)))

    assert "column distance, only where city = Oslo (97 % of the shift)" in by_rows
    assert "column distance, only where city = Oslo\n" in by_batches


def test_an_alert_with_nothing_known_yet_is_readable(broken_deploy: Alert) -> None:
    bare = replace(
        broken_deploy,
        summary="",
        next_steps=(),
        last_good=None,
        cause=Cause(kind=CauseKind.UNKNOWN, component=""),
        suspects=(),
        rejected=(),
        path=(),
        symptoms=(),
        impact=Impact(),
        owner=None,
    )

    text = as_text(render_alert(bare))

    assert "Cause unknown" in text
    assert "% sure" not in text
    assert "no prediction is known to be affected" in text


def test_scores_that_no_column_moved_are_told_as_such_and_scores_that_did_not_move_are_not(
    broken_deploy: Alert,
) -> None:
    bare = replace(broken_deploy, impact=replace(broken_deploy.impact, attribution=()))

    assert "scores moved  not attributable to input columns" in as_text(render_alert(bare))
    assert "scores moved" not in as_text(render_alert(replace(bare, symptoms=bare.symptoms[:1])))


def test_an_alert_that_is_over_says_when(broken_deploy: Alert) -> None:
    over = replace(broken_deploy, status=Status.RESOLVED, resolved_at=broken_deploy.onset.earliest + 3_600_000_000)

    text = as_text(render_alert(over))

    assert "resolved · revision 3" in text
    assert "2026-11-23 11:01:00  +1 h    it was over" in text


def test_the_drawn_values_stand_under_the_column_that_is_blamed(broken_deploy: Alert) -> None:
    text = as_text(render_alert(broken_deploy, Text("▁▄█")))

    assert f"Values of {broken_deploy.cause.column}\n  ▁▄█" in text


def test_long_paths_and_many_symptoms_are_cut_and_counted(broken_deploy: Alert) -> None:
    long = replace(
        broken_deploy,
        path=broken_deploy.path * 20,
        symptoms=broken_deploy.symptoms * 20,
    )

    text = as_text(render_alert(long))

    assert f"… and {80 - HOPS_SHOWN} more" in text
    assert f"… and {40 - SYMPTOMS_SHOWN} more" in text


def test_what_strangers_write_can_neither_colour_nor_move_the_cursor(broken_deploy: Alert) -> None:
    hostile = replace(broken_deploy, title="\x1b[2J[bold red]calm[/]", summary="\r\x07quiet")

    text = as_text(render_alert(hostile))

    assert "\x1b" not in text
    assert "\r" not in text
    assert "[bold red]calm[/]" in text


def test_a_line_of_the_list_says_when_how_bad_and_what(broken_deploy: Alert) -> None:
    line = alert_line(broken_deploy).plain

    assert line == (
        "2026-11-23 10:06:00  CRITICAL  firing      3f2a9c41d07b  taxi: Code v42 of clean multiplies distance by 1,000"
    )


def test_predictions_of_other_pipelines_are_told_with_their_pipelines(broken_deploy: Alert) -> None:
    churn = Elsewhere(
        pipeline="marketing",
        models=("churn",),
        predictions_affected=4210,
        first_prediction_id="c-1",
        performance_change=-0.041,
    )
    away = replace(broken_deploy.impact, models=("marketing/churn",), predictions_affected=4210, elsewhere=(churn,))
    both = replace(away, models=("fare", "marketing/churn"), predictions_affected=16690)

    told = as_text(render_alert(replace(broken_deploy, impact=away)), 120)
    assert "4,210 predictions of churn in pipeline marketing, 31 % of all since it began" in told
    assert "-0.041, estimated  (between -0.06 and -0.02), in pipeline marketing" in told
    assert "of these" not in told
    told = as_text(render_alert(replace(broken_deploy, impact=both)), 120)
    assert "16,690 predictions of fare and of churn in pipeline marketing" in told
    assert "4,210 of churn in pipeline marketing, the first c-1" in told
