from dataclasses import replace

import pytest

from diagnosis.alert import Alert, CauseKind, Impact, Severity, StageOfDiagnosis, Status
from diagnosis.pipeline import fold, start
from diagnosis.publish import Moment, Reason, why_publish
from tests.diagnosis.story import POLICY, Shift, World, chain, run

SETTLED = Moment(settled=True)


@pytest.fixture(scope="module")
def alert() -> Alert:
    world = World(chain(), [Shift("orders", "amount", "location", 20, 40)])
    return run(world.rounds(0, 22))[1][-1]


def test_the_first_revision_is_news(alert: Alert) -> None:
    assert why_publish(None, alert, Moment()) is Reason.OPENED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, Reason.NOTHING_NEW),
        ({"summary": "other words"}, Reason.NOTHING_NEW),
        ({"status": Status.RESOLVED}, Reason.STATUS),
        ({"stage_of_diagnosis": StageOfDiagnosis.UNKNOWN}, Reason.STAGE),
        ({"severity": Severity.INFO}, Reason.SEVERITY),
        ({"kind": CauseKind.JOIN}, Reason.CAUSE),
        ({"path": ()}, Reason.PATH),
        ({"symptoms": ()}, Reason.NOTHING_NEW),
        ({"impact": Impact()}, Reason.IMPACT),
    ],
)
def test_only_material_changes_are_news(alert: Alert, change: dict[str, object], reason: Reason) -> None:
    assert why_publish(alert, replace(alert, **change), SETTLED) is reason  # type: ignore[arg-type]  # fields of Alert


def test_a_few_predictions_more_are_no_news_but_twice_as_many_are(alert: Alert) -> None:
    reached = alert.impact.predictions_affected
    for number, reason in ((reached + 1, Reason.NOTHING_NEW), (2 * reached + 1, Reason.NUMBERS)):
        more = replace(alert, impact=replace(alert.impact, predictions_affected=number))
        assert why_publish(alert, more, SETTLED) is reason


@pytest.mark.parametrize("change", [{"path": ()}, {"symptoms": ()}])
def test_spreading_is_no_news_before_the_alert_has_settled(alert: Alert, change: dict[str, object]) -> None:
    spread = replace(alert, **change)  # type: ignore[arg-type]  # fields of Alert
    assert why_publish(alert, spread, Moment()) is Reason.NOTHING_NEW


def test_the_first_prediction_reached_is_news_at_any_time(alert: Alert) -> None:
    assert why_publish(replace(alert, impact=Impact()), alert, Moment()) is Reason.IMPACT


def test_a_number_that_is_due_is_told_if_it_has_changed(alert: Alert) -> None:
    more = replace(alert, impact=replace(alert.impact, predictions_affected=alert.impact.predictions_affected + 1))
    assert why_publish(alert, more, Moment(due=True)) is Reason.NUMBERS
    assert why_publish(alert, alert, Moment(due=True)) is Reason.NOTHING_NEW


def test_a_finding_of_another_subject_is_news(alert: Alert) -> None:
    fewer = tuple(one for one in alert.symptoms if one.subject == alert.symptoms[0].subject)
    assert len(fewer) < len(alert.symptoms)
    assert why_publish(replace(alert, symptoms=fewer), alert, SETTLED) is Reason.SYMPTOMS
    assert why_publish(replace(alert, symptoms=fewer), alert, Moment(due=True)) is Reason.SYMPTOMS


def test_that_outcomes_bear_the_trouble_out_is_news(alert: Alert) -> None:
    borne_out = replace(alert.symptoms[0], statistic="calibration", column=None)
    more = replace(alert, symptoms=(*alert.symptoms, borne_out))
    assert why_publish(alert, more, SETTLED) is Reason.SYMPTOMS


def test_links_and_runbook_are_filled_in_from_their_templates():
    policy = replace(
        POLICY,
        runbook_url="https://run/{kind}/{component}",
        console_url="https://console/{alert_id}",
        dashboard_url="https://board/{pipeline}",
    )
    state, alert = start("shop"), None
    for observation in World(chain(), [Shift("orders", "amount", "location", 40, 40)]).rounds(0, 60):
        state, alerts = fold(state, observation, policy)
        alert = alerts[-1] if alerts else alert
    assert alert is not None
    assert alert.runbook_url == f"https://run/{alert.kind}/{alert.cause.component}"
    assert alert.links.console == f"https://console/{alert.alert_id}"
    assert alert.links.dashboard == "https://board/shop"
