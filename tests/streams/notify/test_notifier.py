"""What is posted, and what happens when it cannot be."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from diagnosis.alert import Alert, Severity, StageOfDiagnosis, Status
from streams.notify.alertmanager import Alertmanager
from streams.notify.message import annotations_of
from streams.notify.notifier import Notifier
from streams.notify.why import Reason
from streams.settings import Settings

SECOND = 1_000_000
NOW = 1_795_428_400_000_000
SETTINGS = Settings(notify_after_s=60, notify_repeat_s=60, console_url="https://console/{alert_id}")


class Receiver(ThreadingHTTPServer):
    """Something that answers as an Alertmanager does, with a status of the test's choice."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = 200
        self.refused_id = ""
        self.posts: list[list[dict[str, Any]]] = []


class _Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refused = any(message["labels"]["alert_id"] == self.server.refused_id for message in posted)
        status = 400 if refused else self.server.status
        if status == 200:
            self.server.posts.append(posted)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def alertmanager(receiver: Receiver) -> Iterator[Alertmanager]:
    with Alertmanager(f"http://127.0.0.1:{receiver.server_address[1]}") as client:
        yield client


def test_a_firing_alert_is_posted_with_labels_and_annotations(
    broken_deploy: Alert, receiver: Receiver, alertmanager: Alertmanager
) -> None:
    notifier = Notifier(SETTINGS)
    notifier.take(broken_deploy, NOW)

    delivery = notifier.post(alertmanager, NOW)

    assert delivery.posted == (Reason.DIAGNOSED,)
    ((message,),) = receiver.posts
    assert message["labels"]["severity"] == "critical"
    assert message["annotations"]["summary"] == broken_deploy.title
    assert message["generatorURL"] == "https://console/3f2a9c41d07be855"
    assert message["endsAt"] > message["startsAt"]
    assert notifier.due(NOW + SECOND) == []


def test_the_old_label_set_is_resolved_in_the_same_call(
    broken_deploy: Alert, receiver: Receiver, alertmanager: Alertmanager
) -> None:
    notifier = Notifier(SETTINGS)
    notifier.take(broken_deploy, NOW)
    notifier.post(alertmanager, NOW)

    notifier.take(replace(broken_deploy, revision=4, severity=Severity.WARNING), NOW + SECOND)
    notifier.post(alertmanager, NOW + SECOND)

    ends = {message["labels"]["severity"]: message["endsAt"] for message in receiver.posts[-1]}
    assert ends["critical"] == "2026-11-23T10:06:41.000Z"
    assert ends["warning"] > ends["critical"]


def test_resolution_is_posted_once(broken_deploy: Alert, receiver: Receiver, alertmanager: Alertmanager) -> None:
    notifier = Notifier(SETTINGS)
    notifier.take(broken_deploy, NOW)
    notifier.post(alertmanager, NOW)
    notifier.take(replace(broken_deploy, revision=4, status=Status.RESOLVED), NOW + SECOND)

    assert notifier.post(alertmanager, NOW + SECOND).posted == (Reason.RESOLVED,)
    assert notifier.post(alertmanager, NOW + 600 * SECOND).posted == ()
    assert receiver.posts[-1][0]["endsAt"] == "2026-11-23T10:06:41.000Z"


def test_an_alert_that_ends_before_anybody_was_told_is_never_told(
    broken_deploy: Alert, receiver: Receiver, alertmanager: Alertmanager
) -> None:
    notifier = Notifier(SETTINGS)
    notifier.take(replace(broken_deploy, stage_of_diagnosis=StageOfDiagnosis.SUSPECTED), NOW)
    notifier.post(alertmanager, NOW)
    notifier.take(replace(broken_deploy, revision=4, status=Status.RESOLVED), NOW + SECOND)
    notifier.post(alertmanager, NOW + SECOND)

    assert receiver.posts == []


def test_what_could_not_be_posted_stays_due_after_a_growing_pause(
    broken_deploy: Alert, receiver: Receiver, alertmanager: Alertmanager
) -> None:
    notifier = Notifier(SETTINGS)
    notifier.take(broken_deploy, NOW)
    receiver.status = 503

    delivery = notifier.post(alertmanager, NOW)

    assert delivery.failures == 1
    assert delivery.error is not None
    assert notifier.due(NOW + SECOND // 2) == []
    assert notifier.post(alertmanager, NOW + SECOND).failures == 1
    assert notifier.due(NOW + 2 * SECOND) == []
    receiver.status = 200
    assert notifier.post(alertmanager, NOW + 3 * SECOND).posted == (Reason.DIAGNOSED,)


def test_nobody_listening_is_a_failure_and_no_error(broken_deploy: Alert) -> None:
    notifier = Notifier(SETTINGS)
    notifier.take(broken_deploy, NOW)

    with Alertmanager("http://127.0.0.1:1") as nobody:
        assert notifier.post(nobody, NOW).failures == 1


def test_one_refused_alert_does_not_hold_up_the_others(
    broken_deploy: Alert, receiver: Receiver, alertmanager: Alertmanager
) -> None:
    notifier = Notifier(SETTINGS)
    for alert_id in ("good", "bad", "fine"):
        notifier.take(replace(broken_deploy, alert_id=alert_id), NOW)
    receiver.refused_id = "bad"

    delivery = notifier.post(alertmanager, NOW)

    assert delivery.failures == 1
    assert [message["labels"]["alert_id"] for (message,) in receiver.posts] == ["good", "fine"]
    assert notifier.due(NOW + SECOND) == []


def test_after_a_restart_what_ended_meanwhile_is_resolved_under_every_label_it_had(
    broken_deploy: Alert, receiver: Receiver, alertmanager: Alertmanager
) -> None:
    notifier = Notifier(SETTINGS)
    notifier.recall(replace(broken_deploy, revision=1, severity=Severity.INFO), NOW - 60 * SECOND)
    notifier.recall(replace(broken_deploy, revision=2), NOW - 50 * SECOND)
    notifier.recall(replace(broken_deploy, revision=3, status=Status.RESOLVED), NOW - 40 * SECOND)

    assert notifier.post(alertmanager, NOW).posted == (Reason.RESOLVED,)

    assert {message["labels"]["severity"] for message in receiver.posts[0]} == {"info", "critical"}


def test_an_older_revision_changes_nothing(broken_deploy: Alert) -> None:
    notifier = Notifier(SETTINGS)
    notifier.take(broken_deploy, NOW)
    notifier.take(replace(broken_deploy, revision=1, status=Status.RESOLVED), NOW)

    assert list(notifier.firing) == [broken_deploy]


def test_annotations_are_texts_and_none_is_empty(broken_deploy: Alert) -> None:
    annotations = dict(annotations_of(broken_deploy))

    assert all(isinstance(text, str) and text for text in annotations.values())
    assert annotations["change"] == "v41 -> v42"
    assert annotations["explain"] == "headwater explain 3f2a9c41d07be855"
