"""When people are told."""

from dataclasses import replace

import pytest

from diagnosis.alert import Alert, Severity, StageOfDiagnosis, Status
from streams.notify.why import Reason, Told, labels_of, why_notify
from streams.settings import Settings

SECOND = 1_000_000
SETTINGS = Settings(notify_after_s=60, notify_repeat_s=300)


@pytest.fixture
def told(broken_deploy: Alert) -> Told:
    labels = labels_of(broken_deploy)
    return Told(first_seen=0, open=frozenset({labels}), told_at=0, told_revision=broken_deploy.revision)


def test_a_diagnosed_alert_is_told_at_once(broken_deploy: Alert) -> None:
    assert why_notify(Told(first_seen=0), broken_deploy, 0, SETTINGS) is Reason.DIAGNOSED


@pytest.mark.parametrize(("seconds", "reason"), [(59, None), (60, Reason.UNDIAGNOSED)])
def test_an_undiagnosed_alert_is_told_when_diagnosis_takes_too_long(
    broken_deploy: Alert, seconds: int, reason: Reason | None
) -> None:
    suspected = replace(broken_deploy, stage_of_diagnosis=StageOfDiagnosis.SUSPECTED)

    assert why_notify(Told(first_seen=0), suspected, seconds * SECOND, SETTINGS) is reason


@pytest.mark.parametrize(("seconds", "reason"), [(299, None), (300, Reason.REPEATED)])
def test_a_firing_alert_is_repeated(broken_deploy: Alert, told: Told, seconds: int, reason: Reason | None) -> None:
    assert why_notify(told, broken_deploy, seconds * SECOND, SETTINGS) is reason


def test_another_severity_is_told_at_once(broken_deploy: Alert, told: Told) -> None:
    milder = replace(broken_deploy, severity=Severity.INFO, revision=4)

    assert why_notify(told, milder, 0, SETTINGS) is Reason.RELABELLED


def test_a_new_revision_is_told_at_once(broken_deploy: Alert, told: Told) -> None:
    assert why_notify(told, replace(broken_deploy, revision=4), 0, SETTINGS) is Reason.REVISED


@pytest.mark.parametrize(
    ("status", "reason"), [(Status.RESOLVED, Reason.RESOLVED), (Status.SUPERSEDED, Reason.SUPERSEDED)]
)
def test_the_end_is_told_once_to_those_who_know_of_it(
    broken_deploy: Alert, told: Told, status: Status, reason: Reason
) -> None:
    over = replace(broken_deploy, status=status)

    assert why_notify(told, over, 0, SETTINGS) is reason
    assert why_notify(replace(told, open=frozenset()), over, 0, SETTINGS) is None
    assert why_notify(Told(first_seen=0), over, 0, SETTINGS) is None


def test_labels_are_what_never_changes_and_the_severity(broken_deploy: Alert) -> None:
    assert dict(labels_of(broken_deploy)) == {
        "alertname": "HeadwaterAnomaly",
        "alert_id": "3f2a9c41d07be855",
        "environment": "production",
        "pipeline": "taxi",
        "owner": "data-platform",
        "severity": "critical",
    }
    assert "owner" not in dict(labels_of(replace(broken_deploy, owner=None)))
