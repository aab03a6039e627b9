"""One number over all workers: what each watches is told to the others, and every fold says what it used."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from schemas.events import Column, DataBatch, Numbers
from streams.detect.subject import Step
from streams.kafka.log import read_partition
from streams.plain import from_bytes
from streams.task import journal
from streams.topics import Topic, key_of, partition_of
from tests.broker.installation import Installation, Worker, wait_until

PARTITIONS = 4
DATASETS = tuple(f"orders_{n}" for n in range(12))
STATISTICS = 2 + 7 * 3  # of one dataset: rows, gap, and seven a column
MINUTE = 60_000_000
BEGIN = 1_790_000_000_000_000


@pytest.fixture
def installation(tmp_path: Path, bootstrap: str, topic_prefix: str) -> Iterator[Installation]:
    with Installation(tmp_path, bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS) as made:
        yield made


def send(installation: Installation, number: int, datasets: tuple[str, ...] = DATASETS) -> None:
    """The batch ``number`` of each dataset."""
    rng = np.random.default_rng(number)
    installation.send(
        *(
            DataBatch(
                pipeline="shop",
                dataset=dataset,
                batch_id=f"{dataset}-{number}",
                produced_at=BEGIN + number * MINUTE,
                rows=600,
                columns=tuple(Column(name=name, values=Numbers(values=rng.normal(size=600))) for name in "abc"),
            )
            for dataset in datasets
        )
    )


def used(installation: Installation) -> dict[str, int]:
    """By batch, among how many statistics the budget was split when it was folded."""
    topic = installation.settings.topic_prefix + Topic.JOURNAL
    found = {}
    for partition in range(PARTITIONS):
        records = read_partition(installation.settings, topic, partition)
        for entry in journal.entries((record.offset() or 0, record.value() or b"") for record in records):
            for _, body in entry.steps:
                step = from_bytes(Step, body)
                if step.batch is not None:
                    found[step.batch.batch_id] = step.monitored
    return found


def splits_of(installation: Installation, number: int) -> set[int]:
    """The splits used for the batch ``number`` of all datasets, once all are folded."""
    expected = {f"{dataset}-{number}" for dataset in DATASETS}
    wait_until(lambda: expected <= set(used(installation)), what=f"batch {number} of every dataset")
    return {split for batch, split in used(installation).items() if batch in expected}


def watched(worker: Worker) -> float:
    return float(worker.metrics().partition("\nheadwater_monitored_statistics ")[2].partition("\n")[0] or -1)


def test_two_workers_split_the_budget_over_what_both_watch_and_kill_9_changes_nothing(
    installation: Installation,
) -> None:
    assert len({partition_of(key_of("shop", dataset), PARTITIONS) for dataset in DATASETS}) == PARTITIONS
    total = len(DATASETS) * STATISTICS
    with installation.worker() as one:
        with installation.worker() as other:
            wait_until(lambda: one.ready() and other.ready(), what="both ready")
            send(installation, 0)
            wait_until(lambda: watched(one) == watched(other) == total, what="both workers know the total")
            send(installation, 1)
            assert splits_of(installation, 1) == {512}
            other.kill()
        send(installation, 2)
        assert splits_of(installation, 2) == {512}
    with installation.worker() as third:
        wait_until(third.ready, what="readiness")
        send(installation, 3)
        assert splits_of(installation, 3) == {512}
        assert watched(third) == total


def test_what_comes_later_is_split_anew(installation: Installation) -> None:
    half = DATASETS[: len(DATASETS) // 2]
    with installation.worker() as worker:
        wait_until(worker.ready, what="readiness")
        send(installation, 0, half)
        wait_until(lambda: watched(worker) == len(half) * STATISTICS, what="half the total")
        send(installation, 1)
        send(installation, 2)
        assert splits_of(installation, 2) <= {256, 512}
        assert watched(worker) == len(DATASETS) * STATISTICS
