"""The worker beside real monitoring: what it shows is scraped, whom it tells has heard, what it indexes is found."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from diagnosis.alert import Alert, Cause, CauseKind, Onset, Severity, StageOfDiagnosis, Status
from schemas.events import DataBatch
from simulation.catalogue import FAULTS
from simulation.checkout import CHECKOUT
from simulation.life import Life
from streams.index.reader import NotFound, open_reader
from streams.metrics import DEFINITIONS
from streams.settings import Settings
from streams.topics import Topic
from tests.broker.installation import ALERT, Installation, wait_until
from tests.broker.monitoring import Api, RedisServer, alertmanager, prometheus, value_of
from tests.deploy.debian import run

TICKS = 4


@pytest.fixture
def installation(tmp_path: Path, bootstrap: str, topic_prefix: str) -> Installation:
    return Installation(tmp_path, bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=2)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Api]:
    """An Alertmanager."""
    with alertmanager(tmp_path / "alertmanager") as api:
        yield api


def batches() -> list[DataBatch]:
    """A few healthy minutes of the simulated shop; they end now."""
    start = int(time.time() * 1e6) - (TICKS + 1) * CHECKOUT.tick
    life = Life(CHECKOUT, FAULTS["unit-change"], seed=3, start=start, ticks=TICKS, onset=TICKS)
    return [arrival.event for arrival in life if isinstance(arrival.event, DataBatch)]


def counted(text: str, name: str, **labels: str) -> float:
    """The value of one series of an exposition; 0 where it is not there."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )


def an_alert(now: int) -> Alert:
    return Alert(
        alert_id="f00dfeed",
        revision=1,
        status=Status.FIRING,
        stage_of_diagnosis=StageOfDiagnosis.DIAGNOSED,
        environment="production",
        pipeline="shop",
        severity=Severity.WARNING,
        kind=CauseKind.SOURCE_DATA,
        title="amount of raw_orders rose 100-fold at its source",
        summary="amount of raw_orders rose 100-fold",
        next_steps=("Ask whoever delivers raw_orders.",),
        onset=Onset(earliest=now, latest=now),
        detected_at=now,
        cause=Cause(kind=CauseKind.SOURCE_DATA, component="raw_orders", column="amount", confidence=0.9),
        cause_key="raw_orders/amount",
        owner="payments",
    )


def publish(installation: Installation, alert: Alert) -> None:
    """As the diagnose agent would."""
    installation.produce(Topic.ALERTS, ALERT.encode(alert), alert.alert_id.encode())
    installation.producer.flush()


def test_what_is_scraped_is_clean_and_prometheus_has_it(installation: Installation, tmp_path: Path, told: Api) -> None:
    sent = batches()
    with installation.worker() as worker:
        installation.send(*sent)
        installation.produce(Topic.PREDICTIONS, b"garbage", b"shop/fraud")
        installation.producer.flush()
        ok = {"topic": "data-batches", "result": "ok"}
        wait_until(lambda: counted(worker.metrics(), "headwater_events_total", **ok) == len(sent), 60, "every batch")
        wait_until(lambda: 'reason="' in worker.metrics(), 30, "the dead letter")
        run("promtool", "check", "metrics", text=worker.metrics())

        place = worker.metrics_url.removeprefix("http://").removesuffix("/metrics")
        addresses = {"worker": place, "alertmanager": told.url.removeprefix("http://")}
        with prometheus(tmp_path / "prometheus", **addresses) as api:
            wait_until(lambda: value_of(api, 'up{job="headwater"}') == 1, 30, "the target")
            assert value_of(api, "sum(headwater_events_total)") == len(sent) + 1
            assert value_of(api, f'headwater_dataset_rows{{pipeline="{CHECKOUT.name}"}} > 0') is not None
            rules = api.get("/api/v1/rules")["data"]["groups"][0]["rules"]
            assert [rule["lastError"] for rule in rules if rule.get("lastError")] == []
            wait_until(lambda: "Watchdog" in firing(told), 30, "the watchdog in Alertmanager")
            wait_until(lambda: "HeadwaterDeadLetters" in firing(told), 30, "the dead letter in Alertmanager")


def firing(told: Api) -> set[str]:
    return {alert["labels"]["alertname"] for alert in told.get("/api/v2/alerts")}


def test_everything_exposed_is_in_the_table_of_metrics(installation: Installation) -> None:
    with installation.worker() as worker:
        wait_until(worker.ready, what="readiness")
        exposed = {family.name: family for family in text_string_to_metric_families(worker.metrics())}
    known = {one.name.removesuffix("_total") for one in DEFINITIONS}
    ours = {name for name in exposed if name.startswith("headwater_") and not name.endswith("_created")}
    assert ours <= known
    assert all(exposed[name].documentation for name in ours)


def test_an_alert_reaches_alertmanager_and_ends_there(installation: Installation, told: Api) -> None:
    now = int(time.time() * 1e6)
    alert = an_alert(now)
    with installation.worker(alertmanager_url=told.url):
        publish(installation, alert)
        wait_until(lambda: bool(told.get("/api/v2/alerts")), 60, "the alert in Alertmanager")
        (heard,) = told.get("/api/v2/alerts")
        assert heard["labels"] == {
            "alertname": "HeadwaterAnomaly",
            "alert_id": "f00dfeed",
            "environment": "production",
            "pipeline": "shop",
            "owner": "payments",
            "severity": "warning",
        }
        assert heard["annotations"]["summary"] == alert.title
        assert heard["annotations"]["next_steps"] == "Ask whoever delivers raw_orders."
        assert [receiver["name"] for receiver in heard["receivers"]] == ["payments"]

        publish(installation, replace(alert, revision=2, severity=Severity.CRITICAL))
        wait_until(lambda: severities(told) == ["critical"], 30, "the higher severity alone")

        over = replace(alert, revision=3, severity=Severity.CRITICAL, status=Status.RESOLVED, resolved_at=now)
        publish(installation, over)
        wait_until(lambda: severities(told) == [], 30, "the end of the alert")


def severities(told: Api) -> list[str]:
    return [alert["labels"]["severity"] for alert in told.get("/api/v2/alerts")]


def test_without_alertmanager_the_worker_says_so_and_tells_it_later(installation: Installation, tmp_path: Path) -> None:
    with alertmanager(tmp_path / "first") as gone:
        url = gone.url
    with installation.worker(alertmanager_url=url) as worker:
        publish(installation, an_alert(int(time.time() * 1e6)))
        away = {"dependency": "alertmanager"}
        wait_until(lambda: counted(worker.metrics(), "headwater_degraded", **away) == 1, 60, "headwater_degraded")
        assert counted(worker.metrics(), "headwater_notify_failures_total") >= 1
        with alertmanager(tmp_path / "second", port=int(url.rpartition(":")[2])) as back:
            wait_until(lambda: severities(back) == ["warning"], 60, "the alert, told later")
            wait_until(lambda: counted(worker.metrics(), "headwater_degraded", **away) == 0, 30, "recovery")


def test_debians_redis_serves_the_index_and_is_filled_again_when_it_was_lost(
    installation: Installation, tmp_path: Path
) -> None:
    sent = batches()
    with RedisServer(tmp_path / "redis") as server, installation.worker(redis_url=server.url) as worker:
        settings = installation.settings.model_copy(update={"redis_url": Settings(redis_url=server.url).redis_url})
        installation.send(*sent[:-4])
        wait_until(lambda: all(is_indexed(settings, batch) for batch in sent[:-4]), 60, "the index")

        server.stop()
        installation.send(*sent[-4:])
        away = {"dependency": "redis"}
        wait_until(lambda: counted(worker.metrics(), "headwater_degraded", **away) == 1, 60, "headwater_degraded")
        ok = {"topic": "data-batches", "result": "ok"}
        wait_until(lambda: counted(worker.metrics(), "headwater_events_total", **ok) == len(sent), 60, "detection")

        server.start()
        wait_until(lambda: all(is_indexed(settings, batch) for batch in sent), 60, "the index, filled again")
        wait_until(lambda: counted(worker.metrics(), "headwater_degraded", **away) == 0, 30, "recovery")


def is_indexed(settings: Settings, batch: DataBatch) -> bool:
    try:
        return open_reader(settings).trace(str(batch.batch_id)).node.batch_id == batch.batch_id
    except NotFound:
        return False
