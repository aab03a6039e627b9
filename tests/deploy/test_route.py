from typing import Any

import pytest
import yaml

from diagnosis.alert import Alert, Cause, CauseKind, Onset, Severity, StageOfDiagnosis, Status
from streams.notify.why import ALERT_NAME, labels_of
from tests.deploy.debian import DEPLOY, run

CONFIG = DEPLOY / "alertmanager/alertmanager.yml"
READ: dict[str, Any] = yaml.safe_load(CONFIG.read_text())


def anomaly(
    severity: Severity, *, pipeline: str = "shop", owner: str | None = None, environment: str = "production"
) -> dict[str, str]:
    """The labels Headwater posts."""
    alert = Alert(
        alert_id="a1",
        revision=1,
        status=Status.FIRING,
        stage_of_diagnosis=StageOfDiagnosis.DIAGNOSED,
        environment=environment,
        pipeline=pipeline,
        severity=severity,
        kind=CauseKind.SOURCE_DATA,
        title="",
        summary="",
        onset=Onset(earliest=0, latest=0),
        detected_at=0,
        cause=Cause(kind=CauseKind.SOURCE_DATA, component="raw"),
        cause_key="",
        owner=owner,
    )
    return dict(labels_of(alert))


ROUTES = [
    (anomaly(Severity.CRITICAL), "data-team-pager"),
    (anomaly(Severity.WARNING), "data-team"),
    (anomaly(Severity.INFO), "quiet"),
    (anomaly(Severity.UNKNOWN), "data-team"),
    (anomaly(Severity.CRITICAL, environment="development"), "quiet"),
    (anomaly(Severity.CRITICAL, owner="payments"), "payments-pager"),
    (anomaly(Severity.WARNING, owner="payments"), "payments"),
    (anomaly(Severity.INFO, owner="payments"), "quiet"),
    (anomaly(Severity.WARNING, pipeline="fraud-eu"), "payments"),
    ({"alertname": "Watchdog", "severity": "none"}, "watchdog"),
    ({"alertname": "HeadwaterDown", "severity": "critical", "job": "headwater"}, "operators"),
    ({"alertname": "HeadwaterDeadLetters", "severity": "warning", "topic": "predictions"}, "operators"),
]


def test_amtool_accepts_the_configuration() -> None:
    assert "SUCCESS" in run("amtool", "check-config", CONFIG)


@pytest.mark.parametrize(("labels", "receiver"), ROUTES)
def test_an_alert_reaches_who_should_know(labels: dict[str, str], receiver: str) -> None:
    given = [f"{name}={value}" for name, value in labels.items()]
    run("amtool", "config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={receiver}", *given)


def test_one_fault_is_one_notification() -> None:
    (route,) = (one for one in READ["route"]["routes"] if one["matchers"] == [f'alertname="{ALERT_NAME}"'])
    assert route["group_by"] == ["alert_id"]


def test_a_webhook_leads_nowhere_until_somebody_sets_it() -> None:
    urls = [hook["url"] for receiver in READ["receivers"] for hook in receiver.get("webhook_configs", ())]
    assert urls
    assert all(url.startswith("http://127.0.0.1:") for url in urls)


def test_only_alerts_about_the_same_thing_silence_each_other() -> None:
    for rule in READ["inhibit_rules"]:
        assert rule["equal"]
        assert any(matcher.startswith("alertname") for matcher in rule["source_matchers"])
        assert any(matcher.startswith("alertname") for matcher in rule["target_matchers"])
