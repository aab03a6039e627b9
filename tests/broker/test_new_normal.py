"""A fault is accepted as the new normal and reported, and a deploy is announced, on a real broker."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from diagnosis.alert import Alert, Status
from diagnosis.provenance import ObservationKind
from schemas.codec import Codec
from schemas.events import Change, ChangeKind, DataBatch, Event
from simulation.catalogue import FAULTS
from simulation.checkout import CHECKOUT
from simulation.life import Life
from streams.announcing import NotAnnounced
from streams.commands.accept import accept
from streams.commands.change import change
from streams.commands.report import report
from streams.topics import Topic
from tests.broker.installation import Installation, wait_until

TICKS, ONSET, ACCEPTED = 130, 60, 74

app = typer.Typer()
for command in (accept, change, report):
    app.command()(command)


@pytest.fixture
def installation(
    tmp_path: Path, bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    monkeypatch.setenv("HEADWATER_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("HEADWATER_BOOTSTRAP", bootstrap)
    with Installation(tmp_path, bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=4) as made:
        yield made


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def changes(installation: Installation) -> list[tuple[bytes | None, Change]]:
    codec = Codec("change", Change)
    return [(key, codec.decode(value)) for key, value, _ in installation.records(Topic.CHANGES)]


def test_a_deploy_is_announced_under_its_key(installation: Installation) -> None:
    result = run("change", "--pipeline", "taxi", "--component", "clean", "--kind", "CODE", "--after", "v42")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("announced clean:v42@")
    ((key, event),) = changes(installation)
    assert (key, event.kind, event.after) == (b"taxi/clean", ChangeKind.CODE, "v42")


def test_a_deploy_announced_where_headwater_never_ran_says_how_to_begin(
    bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_TOPIC_PREFIX", topic_prefix)
    deploy = ("--pipeline", "taxi", "--component", "clean", "--kind", "CODE", "--after", "v42")

    error = run("change", *deploy, "--bootstrap", bootstrap).exception

    assert isinstance(error, NotAnnounced)
    assert "headwater topics create" in str(error)


def ticks() -> list[list[Event]]:
    """A simulated life whose amounts are a hundredfold from ``ONSET`` on, cut by tick."""
    start = int(time.time() * 1e6) - (TICKS + 2) * CHECKOUT.tick
    cut: list[list[Event]] = [[] for _ in range(TICKS)]
    for arrival in Life(CHECKOUT, FAULTS["unit-change"], seed=7, start=start, ticks=TICKS, onset=ONSET):
        cut[arrival.tick].append(arrival.event)
    return cut


def status_of(installation: Installation, alert: Alert) -> Status:
    return {one.alert_id: one.status for one in installation.latest()}[alert.alert_id]


def batches_of(events: list[list[Event]]) -> list[DataBatch]:
    return [event for tick in events for event in tick if isinstance(event, DataBatch)]


def borne_out(installation: Installation) -> bool:
    """Whether the alert says that outcomes no longer follow the scores: what it does not say is not accepted."""
    return any(finding.statistic == "calibration" for alert in installation.latest() for finding in alert.symptoms)


def observed_all(installation: Installation, events: list[list[Event]]) -> bool:
    observed = {one.batch_id for one in installation.observations() if one.kind is ObservationKind.BATCH}
    return observed >= {batch.batch_id for batch in batches_of(events)}


def test_an_accepted_alert_resolves_and_does_not_come_again(installation: Installation, tmp_path: Path) -> None:
    events = ticks()
    with installation.worker() as worker:
        wait_until(worker.ready, what="readiness")
        for tick in events[:ACCEPTED]:
            installation.send(*tick)
            time.sleep(0.1)
        wait_until(lambda: len(installation.latest()) == 1, what="one alert")
        wait_until(lambda: observed_all(installation, events[:ACCEPTED]), what="all observed")
        wait_until(lambda: borne_out(installation), what="what outcomes say")
        (alert,) = installation.latest()
        assert alert.status is Status.FIRING

        result = run("accept", alert.alert_id[:10], "--yes", "--reason", "amounts are in cents now")
        assert result.exit_code == 0, result.output
        assert "checkout/raw_orders: column amount" in result.stdout

        for tick in events[ACCEPTED:]:
            installation.send(*tick)
            time.sleep(0.1)
        wait_until(lambda: observed_all(installation, events), what="all observed")
        wait_until(lambda: status_of(installation, alert) is Status.RESOLVED, what="the alert's end")

    last = min(batch.produced_at for batch in batches_of(events[-3:]))
    assert [one.alert_id for one in installation.latest()] == [alert.alert_id]
    assert not [found for seen in installation.observations() if seen.at >= last for found in seen.findings]
    assert run("accept", alert.alert_id, "--yes").exit_code == 1
    assert run("report", alert.alert_id[:10], "-o", str(tmp_path / "incident.html")).exit_code == 0
    assert "it was over" in (tmp_path / "incident.html").read_text()
