"""The skeleton under fault: nothing lost, nothing twice, and the journal is the state."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from streams.admin import create_topics
from streams.clients import producer
from streams.kafka.log import read_partition
from streams.metrics import Metrics
from streams.plain import from_bytes
from streams.settings import Settings
from streams.task import journal
from streams.topics import Topic
from tests.broker.counting import Ids, work

PARTITIONS = 4
EVENTS = 9_000
RATE = 600
KILLS = 4


@pytest.fixture
def settings(bootstrap: str, topic_prefix: str) -> Settings:
    made = Settings(bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS)
    create_topics(made)
    return made


@contextmanager
def counting(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "HEADWATER_BOOTSTRAP": settings.bootstrap or "",
        "HEADWATER_TOPIC_PREFIX": settings.topic_prefix,
        "HEADWATER_PARTITIONS": str(PARTITIONS),
    }
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "counting.py")], env={**os.environ, **environment}
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def disturbed(settings: Settings, stop: signal.Signals, seed: int) -> None:
    """Send while two workers are stopped one after the other, and wait until everything has come out."""
    chance = random.Random(seed)
    writer = producer(settings)
    with ExitStack() as stack:
        workers = [stack.enter_context(counting(settings)) for _ in range(2)]
        begun = time.monotonic()
        kills = [begun + 5 + EVENTS / RATE * number / KILLS for number in range(KILLS)]
        for number in range(EVENTS):
            topic = chance.choice((Topic.DATA_BATCHES, Topic.PREDICTIONS))
            writer.produce(settings.topic_prefix + topic, key=f"k{chance.randrange(40)}", value=str(number))
            writer.poll(0)
            time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            if kills and time.monotonic() > kills[0]:
                kills.pop(0)
                place = chance.randrange(2)
                workers[place].send_signal(stop)
                workers[place].wait()
                workers[place] = stack.enter_context(counting(settings))
        writer.flush()
        deadline = time.monotonic() + 60
        while len(set(came_out(settings))) < EVENTS and time.monotonic() < deadline:
            time.sleep(0.5)


def came_out(settings: Settings) -> list[int]:
    topic = settings.topic_prefix + Topic.OBSERVATIONS
    return [
        int(record.value() or b"")
        for partition in range(PARTITIONS)
        for record in read_partition(settings, topic, partition)
    ]


def folded(settings: Settings) -> list[int]:
    topic = settings.topic_prefix + Topic.JOURNAL
    return [
        one
        for partition in range(PARTITIONS)
        for entry in journal.entries(
            (record.offset() or 0, record.value() or b"") for record in read_partition(settings, topic, partition)
        )
        for _, step in entry.steps
        for one in from_bytes(Ids, step).ids
    ]


def recovered(settings: Settings) -> list[int]:
    found = []
    for partition in range(PARTITIONS):
        one, logic = work(partition, settings, Metrics(CollectorRegistry()))
        one.recover()
        found += [number for ids in logic.states.values() for number in ids]
        one.close()
    return found


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_lost_or_counted_twice_and_the_journal_is_the_state(
    settings: Settings, stop: signal.Signals
) -> None:
    disturbed(settings, stop, seed=stop)
    once = Counter(range(EVENTS))
    assert Counter(came_out(settings)) == once
    assert Counter(folded(settings)) == once
    assert Counter(recovered(settings)) == once


def test_a_zombie_is_fenced_and_changes_nothing(settings: Settings) -> None:
    writer = producer(settings)
    with counting(settings) as first:
        for number in range(100):
            writer.produce(settings.topic_prefix + Topic.PREDICTIONS, key=f"k{number % 7}", value=str(number))
        writer.flush()
        wait_for(settings, 100)
        first.send_signal(signal.SIGSTOP)
        with counting(settings):
            for number in range(100, 200):
                writer.produce(settings.topic_prefix + Topic.PREDICTIONS, key=f"k{number % 7}", value=str(number))
            writer.flush()
            wait_for(settings, 200)
            first.send_signal(signal.SIGCONT)
            for number in range(200, 300):
                writer.produce(settings.topic_prefix + Topic.PREDICTIONS, key=f"k{number % 7}", value=str(number))
            writer.flush()
            wait_for(settings, 300)
    assert Counter(came_out(settings)) == Counter(range(300))
    assert Counter(folded(settings)) == Counter(range(300))


def wait_for(settings: Settings, events: int) -> None:
    deadline = time.monotonic() + 60
    while len(set(came_out(settings))) < events:
        assert time.monotonic() < deadline, "the events did not come out"
        time.sleep(0.3)
