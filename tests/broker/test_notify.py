"""Alerts in a real Alertmanager."""

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from diagnosis.alert import Alert, Cause, CauseKind, Onset, Severity, StageOfDiagnosis, Status
from streams.doctor.services import check_alertmanager
from streams.notify.alertmanager import Alertmanager
from streams.notify.notifier import Notifier
from streams.settings import Settings
from tests.deploy.debian import program

BINARY = "prometheus-alertmanager"
STARTS_WITHIN_S = 20.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a fresh Alertmanager from Debian's package."""
    program(BINARY)
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with _running(folder, address) as process:
        yield f"http://{address}"
        process.terminate()


def _running(folder: Path, address: str) -> "subprocess.Popen[bytes]":
    options = [
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([BINARY, *options], stdout=log, stderr=log)
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://{address}/-/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return process
    process.kill()
    raise AssertionError((folder / "log").read_text())


@pytest.fixture
def settings(url: str) -> Settings:
    return Settings(alertmanager_url=url, console_url="https://console/{alert_id}")


@pytest.fixture
def alertmanager(url: str) -> Iterator[Alertmanager]:
    with Alertmanager(url) as client:
        yield client


def an_alert(alert_id: str) -> Alert:
    return Alert(
        alert_id=alert_id,
        revision=1,
        status=Status.FIRING,
        stage_of_diagnosis=StageOfDiagnosis.DIAGNOSED,
        environment="test",
        pipeline="taxi",
        severity=Severity.WARNING,
        kind=CauseKind.SOURCE_DATA,
        title="mean of distance rose",
        summary='it "rose" → a lot\nsince 10:00',
        onset=Onset(earliest=1, latest=2),
        detected_at=3,
        cause=Cause(kind=CauseKind.SOURCE_DATA, component="rides"),
        cause_key="k",
    )


def listed(url: str, alert_id: str) -> list[dict[str, Any]]:
    """What Alertmanager holds active of an alert."""
    found = httpx.get(f"{url}/api/v2/alerts", params={"filter": f'alert_id="{alert_id}"'}).json()
    return [alert for alert in found if alert["status"]["state"] == "active"]


def test_an_alert_lives_in_alertmanager_as_long_as_it_fires(
    url: str, settings: Settings, alertmanager: Alertmanager
) -> None:
    notifier = Notifier(settings)
    now = int(time.time() * 1e6)
    notifier.take(an_alert("one"), now)
    assert notifier.post(alertmanager, now).failures == 0

    (posted,) = listed(url, "one")
    assert posted["labels"]["severity"] == "warning"
    assert posted["annotations"]["description"] == 'it "rose" → a lot\nsince 10:00'
    assert posted["generatorURL"] == "https://console/one"

    notifier.take(replace(an_alert("one"), revision=2, severity=Severity.CRITICAL), now)
    assert notifier.post(alertmanager, now + 1_000).failures == 0
    assert [alert["labels"]["severity"] for alert in listed(url, "one")] == ["critical"]

    notifier.take(replace(an_alert("one"), revision=3, status=Status.RESOLVED, severity=Severity.CRITICAL), now)
    assert notifier.post(alertmanager, now + 2_000).failures == 0
    assert listed(url, "one") == []


def test_an_end_nobody_was_told_of_raises_nothing(url: str, settings: Settings, alertmanager: Alertmanager) -> None:
    notifier = Notifier(settings)
    now = int(time.time() * 1e6)
    notifier.recall(an_alert("two"), now)
    notifier.recall(replace(an_alert("two"), revision=2, status=Status.RESOLVED), now)

    assert notifier.post(alertmanager, now).failures == 0

    assert listed(url, "two") == []


def test_the_doctor_names_its_version(settings: Settings) -> None:
    (line,) = check_alertmanager(settings)

    assert line.text.startswith("version 0.")
