"""A pipeline that feeds another one, on two partitions and two workers: one fault, one page, kill -9 or not."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from diagnosis.alert import Alert, CauseKind, Severity, StageOfDiagnosis, Status
from diagnosis.provenance import ObservationKind
from schemas.events import BatchRef, DataBatch, Event, Prediction
from streams.topics import partition_of
from tests.broker.installation import Installation, wait_until
from tests.broker.test_pipeline import ONSET, batches, seen, ticks_of

LAKE = frozenset({"raw_orders", "raw_customers", "orders", "customers"})
PARTITIONS = 4


@pytest.fixture
def installation(tmp_path: Path, bootstrap: str, topic_prefix: str) -> Iterator[Installation]:
    with Installation(tmp_path, bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS) as made:
        yield made


def across(event: Event) -> Event:
    """The same life, with what comes before the join in a pipeline of its own."""
    if not isinstance(event, DataBatch):
        return event
    pipeline = "lake" if event.dataset in LAKE else event.pipeline
    return replace(event, pipeline=pipeline, parents=tuple(map(named, event.parents)))


def named(parent: BatchRef) -> BatchRef:
    return replace(parent, pipeline="lake") if parent.dataset in LAKE else parent


def pages(alerts: list[Alert]) -> list[Alert]:
    """The alerts somebody is called for, as they are now."""
    return [
        alert
        for alert in alerts
        if alert.status is Status.FIRING and alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED
    ]


def test_a_fault_in_a_pipeline_that_feeds_another_pages_once_though_workers_die(installation: Installation) -> None:
    assert partition_of(b"lake", PARTITIONS) != partition_of(b"checkout", PARTITIONS)
    events = [[across(event) for event in tick] for tick in ticks_of("unit-change")]
    with installation.worker() as one:
        for begin in range(0, len(events), 30):
            with installation.worker() as other:
                wait_until(lambda other=other: one.ready() and other.ready(), what="both ready")  # type: ignore[misc]
                for tick in events[begin : begin + 30]:
                    installation.send(*tick)
                    time.sleep(0.1)
                other.kill()
        wait_until(lambda: seen(installation) == batches(events), 90, "every batch observed once")
        wait_until(lambda: newest_of_the_lake(events) <= set(imported(installation)), 90, "the lake's batches imported")
        wait_until(lambda: bool(pages(installation.latest())), what="a diagnosed alert")
        wait_until(lambda: all(alert.pipeline == "lake" for alert in firing(installation)), what="one alert")
        wait_until(lambda: all(alert.impact.elsewhere for alert in firing(installation)), 90, "what it did elsewhere")
    (alert,) = firing(installation)
    bad = [event for tick in events[ONSET:] for event in tick if isinstance(event, Prediction)]
    ids = {name for event in bad for name in event.prediction_ids}
    assert (alert.severity, alert.impact.models) == (Severity.CRITICAL, ("checkout/fraud",))
    assert 0 < alert.impact.predictions_affected <= len(ids)
    assert alert.impact.first_prediction_id in ids
    assert (alert.cause.kind, alert.cause.component, alert.cause.column) == (
        CauseKind.SOURCE_DATA,
        "raw_orders",
        "amount",
    )
    for other_alert in installation.latest():
        if other_alert.pipeline == "checkout":
            assert (other_alert.status, other_alert.superseded_by) == (Status.SUPERSEDED, alert.alert_id)
    assert set(imported(installation).values()) == {1}
    revisions = Counter((alert.alert_id, alert.revision) for alert in installation.alerts())
    assert set(revisions.values()) == {1}


def firing(installation: Installation) -> list[Alert]:
    return [alert for alert in installation.latest() if alert.status is Status.FIRING]


def imported(installation: Installation) -> Counter[str]:
    """How often each batch of the lake came to the shop."""
    return Counter(one.batch_id for one in installation.observations() if one.kind is ObservationKind.IMPORTED)


def newest_of_the_lake(events: list[list[Event]]) -> set[str]:
    every = [event for tick in events for event in tick if isinstance(event, DataBatch) and event.pipeline == "lake"]
    return {str(batch.batch_id) for batch in {batch.dataset: batch for batch in every}.values()}
