"""One log of observations, whoever folds it and however often interrupted: all revisions of all alerts are the same."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.policy import Policy
from simulation.catalogue import FAULTS
from simulation.checkout import CHECKOUT
from simulation.life import Life
from streams.commands import replay as command
from streams.topics import Topic, partition_of
from tests.broker.installation import ALERT, OBSERVATION, Installation, wait_until
from tests.diagnosis.story import Shift, World, chain, run_together

app = typer.Typer()
app.command()(command.replay)

BREAK = 30
AHEAD = 2_524_608_000_000_000  # in 2050: however late the log is read, none of its datasets has fallen silent
LAKE = dict.fromkeys(("orders", "customers", "clean"), "lake")


@pytest.fixture
def installation(tmp_path: Path, bootstrap: str, topic_prefix: str) -> Iterator[Installation]:
    with Installation(tmp_path, bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=4) as made:
        yield made


def told(installation: Installation) -> tuple[list[Observation], dict[tuple[str, int], bytes]]:
    """A log of two pipelines with all that they write to each other, and what folding it publishes."""
    shifts = [
        Shift("orders", "amount", "location", BREAK, 40, until=BREAK + 12),
        Shift("features", "age", "missing_rate", BREAK + 4, 40),
    ]
    settings = installation.settings
    policy = Policy(
        environment=settings.environment, settle_s=settings.settle_s, resolve_batches=settings.resolve_batches
    )
    world = World(chain(), shifts, pipelines=LAKE, start=AHEAD)
    _, alerts, log = run_together(world.rounds(0, BREAK + 40), policy)
    return log, {(alert.alert_id, alert.revision): ALERT.encode(alert) for alert in alerts}


def write(installation: Installation, log: list[Observation]) -> None:
    for one in log:
        key = one.addressee.encode()
        home = partition_of(key, installation.settings.partitions)
        installation.produce(Topic.OBSERVATIONS, OBSERVATION.encode(one), key, home)
    installation.producer.flush()


def published(installation: Installation) -> dict[tuple[str, int], bytes]:
    found: dict[tuple[str, int], bytes] = {}
    for _, value, _ in installation.records(Topic.ALERTS):
        alert: Alert = ALERT.decode(value)
        assert (alert.alert_id, alert.revision) not in found, "a revision was published twice"
        found[alert.alert_id, alert.revision] = value
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_log_gives_the_same_revisions_with_one_worker_and_with_two(
    installation: Installation, workers: int
) -> None:
    log, expected = told(installation)
    write(installation, log)
    with ExitStack() as running:
        for _ in range(workers):
            running.enter_context(installation.worker())
        wait_until(lambda: expected.keys() <= published(installation).keys(), what="every revision")
    found = published(installation)
    assert {name: found[name] for name in expected} == expected


def test_the_same_log_gives_the_same_revisions_after_kill_9(installation: Installation) -> None:
    log, expected = told(installation)
    for begin in range(0, len(log), len(log) // 4):
        write(installation, log[begin : begin + len(log) // 4])
        with installation.worker() as worker:
            wait_until(worker.ready, what="readiness")
            worker.kill()
    with installation.worker():
        wait_until(lambda: expected.keys() <= published(installation).keys(), what="every revision")
    found = published(installation)
    assert {name: found[name] for name in expected} == expected


def replay(*words: str) -> Result:
    return CliRunner().invoke(app, ["--bootstrap", *words])


def test_the_replay_command_says_that_the_published_alerts_are_the_same_and_what_a_setting_changes(
    installation: Installation, bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_TOPIC_PREFIX", topic_prefix)
    log, expected = told(installation)
    write(installation, log)
    with installation.worker():
        wait_until(lambda: expected.keys() <= published(installation).keys(), what="every revision")
        wait_until(lambda: replay(bootstrap).exit_code == 0, what="the same again")
    before = published(installation)

    again = replay(bootstrap)
    patient = replay(bootstrap, "--json", "--set", "diagnosis.resolve_batches=1000")

    ids = {alert_id for alert_id, _ in before}
    assert again.exit_code == 0, again.output
    assert again.stdout.endswith(f": {len(ids)} the same to the last byte\n")
    assert patient.exit_code == 1, patient.output
    assert {"published": "RESOLVED", "replayed": "FIRING"} in [
        json.loads(line)["changed"].get("status") for line in patient.stdout.splitlines()
    ]
    assert published(installation) == before


def test_a_setting_of_detection_is_tried_on_the_events_themselves(
    installation: Installation, bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_TOPIC_PREFIX", topic_prefix)
    start = int(time.time() * 1e6) - 76 * CHECKOUT.tick
    life = Life(CHECKOUT, FAULTS["code-deploy"], seed=7, start=start, ticks=74, onset=60)
    with installation.worker():
        installation.send(*(arrival.event for arrival in life))
        wait_until(lambda: bool(installation.latest()), what="an alert")
    alert = installation.latest()[0]

    as_it_is = replay(bootstrap, "--json", "--set", "detection.false_alarms_per_month=1")
    blind = replay(bootstrap, "--json", "--set", "detection.tolerance=20")

    (said,) = _about(alert, as_it_is)
    assert said["verdict"] in ("same", "differs"), said
    assert "cause" not in said["changed"]
    assert _about(alert, blind) not in ([], [said])


def _about(alert: Alert, replayed: Result) -> list[dict[str, Any]]:
    """What is said of a published alert; that its producers have been silent since is another matter."""
    compared = [json.loads(line) for line in replayed.stdout.splitlines()]
    return [one for one in compared if one["verdict"] != "new" and one["pipeline"] == alert.pipeline]
