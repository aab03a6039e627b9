"""One log of observations, whoever folds it and however often interrupted: all revisions of all alerts are the same."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.policy import Policy
from streams.topics import Topic, partition_of
from tests.broker.installation import ALERT, OBSERVATION, Installation, wait_until
from tests.diagnosis.story import Shift, World, chain, run_together

BREAK = 30
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
    world = World(chain(), shifts, pipelines=LAKE)
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
