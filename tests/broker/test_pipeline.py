"""The whole path: events in, one alert out, whatever dies on the way."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnosis.alert import Alert, CauseKind, StageOfDiagnosis, Status
from diagnosis.provenance import ObservationKind
from schemas.events import Event
from simulation.catalogue import FAULTS
from simulation.checkout import CHECKOUT
from simulation.life import Life
from streams.detect.subject import Step, Subject
from streams.kafka.log import read_partition
from streams.plain import from_bytes
from streams.task import journal
from streams.task.snapshots import assemble
from streams.topics import Topic
from tests.broker.installation import Installation, wait_until

TICKS, ONSET = 74, 60
KILLS = 10


@pytest.fixture
def installation(tmp_path: Path, bootstrap: str, topic_prefix: str) -> Iterator[Installation]:
    with Installation(tmp_path, bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=4) as made:
        yield made


def ticks_of(fault: str) -> list[list[Event]]:
    """A simulated life, cut by tick; it ends now."""
    start = int(time.time() * 1e6) - (TICKS + 2) * CHECKOUT.tick
    ticks: list[list[Event]] = [[] for _ in range(TICKS)]
    for arrival in Life(CHECKOUT, FAULTS[fault], seed=7, start=start, ticks=TICKS, onset=ONSET):
        ticks[arrival.tick].append(arrival.event)
    return ticks


def batches(events: list[list[Event]]) -> Counter[str]:
    return Counter(str(event.batch_id) for tick in events for event in tick if type(event).__name__ == "DataBatch")


def seen(installation: Installation) -> Counter[str]:
    return Counter(
        observation.batch_id for observation in installation.observations() if observation.kind is ObservationKind.BATCH
    )


def diagnosed(installation: Installation) -> bool:
    return any(alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED for alert in installation.alerts())


def only_one(alerts: list[Alert]) -> list[Alert]:
    assert len(alerts) == 1, "\n".join(f"{alert.status} {alert.title}: {alert.summary}" for alert in alerts)
    return alerts


def test_a_fault_becomes_one_alert_that_names_its_cause(installation: Installation) -> None:
    events = ticks_of("unit-change")
    with installation.worker() as worker:
        wait_until(worker.ready, what="readiness")
        for tick in events:
            installation.send(*tick)
            time.sleep(0.1)
        wait_until(lambda: seen(installation) == batches(events), what="every batch observed once")
        wait_until(lambda: diagnosed(installation), what="a diagnosed alert")
        metrics = worker.metrics()
    (alert,) = only_one(installation.latest())
    assert (alert.status, alert.stage_of_diagnosis) == (Status.FIRING, StageOfDiagnosis.DIAGNOSED)
    assert (alert.cause.kind, alert.cause.component, alert.cause.column) == (
        CauseKind.SOURCE_DATA,
        "raw_orders",
        "amount",
    )
    assert f'headwater_events_total{{result="ok",topic="data-batches"}} {batches(events).total():.1f}' in metrics


def test_killed_ten_times_the_worker_says_the_same_and_counts_nothing_twice(installation: Installation) -> None:
    events = ticks_of("code-deploy")
    every = TICKS // KILLS
    for begin in range(0, TICKS, every):
        with installation.worker() as worker:
            sent = events[begin : begin + every]
            before = seen(installation).total()
            installation.send(*(event for tick in sent for event in tick))
            begun = time.monotonic()
            wait_until(lambda before=before: seen(installation).total() > before, 30, "processing after kill -9")  # type: ignore[misc]
            assert time.monotonic() - begun < 20
            worker.kill()
    with installation.worker():
        wait_until(lambda: seen(installation) == batches(events), what="every batch observed once")
        wait_until(lambda: diagnosed(installation), what="a diagnosed alert")
    (alert,) = only_one(installation.latest())
    assert (alert.cause.kind, alert.cause.component) == (CauseKind.CODE_CHANGE, "fraud_features")
    revisions = Counter((alert.alert_id, alert.revision) for alert in installation.alerts())
    assert set(revisions.values()) == {1}
    assert folded_events(installation) == sum(len(tick) for tick in events)


def test_two_workers_share_the_partitions_and_say_it_once(installation: Installation) -> None:
    events = ticks_of("null-burst")
    with installation.worker() as one, installation.worker() as other:
        wait_until(lambda: one.ready() and other.ready(), what="both ready")
        for tick in events:
            installation.send(*tick)
            time.sleep(0.1)
        wait_until(lambda: seen(installation) == batches(events), what="every batch observed once")
        wait_until(lambda: diagnosed(installation), what="a diagnosed alert")
        shares = [read_by(worker.metrics()) for worker in (one, other)]
    (alert,) = only_one(installation.latest())
    assert (alert.cause.kind, alert.cause.component) == (CauseKind.SOURCE_DATA, "raw_customers")
    assert all(shares), "one of the workers had nothing to do"
    assert sum(shares) == sum(len(tick) for tick in events)


def read_by(metrics: str) -> float:
    """Events a worker has read."""
    found = re.findall(r'^headwater_events_total\{result="(?:ok|late)".*\} (\S+)$', metrics, re.MULTILINE)
    return sum(map(float, found))


def folded_events(installation: Installation) -> int:
    """How many different events detect has folded: those of the snapshots, and of the journals since."""
    settings, kept = installation.settings, set[int]()
    for partition in range(settings.partitions):
        stored = read_partition(settings, settings.topic_prefix + Topic.STATE, partition)
        snapshots = assemble("detect", stored).states
        for snapshot in snapshots.values():
            kept |= set(from_bytes(Subject, snapshot.body).digests.tolist())
        records = read_partition(settings, settings.topic_prefix + Topic.JOURNAL, partition)
        journalled: list[int] = []
        for entry in journal.entries((record.offset() or 0, record.value() or b"") for record in records):
            for _, step in entry.steps:
                journalled += from_bytes(Step, step).digests.tolist()
        assert len(journalled) == len(set(journalled)), "an event was folded twice"
        kept |= set(journalled)
    return len(kept)
