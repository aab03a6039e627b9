"""A Headwater of the test's own on the shared broker: topics, workers as processes, and what they publish."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from schemas import Codec
from schemas.events import Event
from streams.admin import create_topics
from streams.clients import producer
from streams.demo.feeding import address
from streams.ingest.encoding import Encoding
from streams.kafka.log import read_partition
from streams.settings import Settings, as_environment
from streams.topics import Topic, key_of

OBSERVATION = Codec("observation", Observation)
ALERT = Codec("alert", Alert)
ENCODING = Encoding()


@dataclass
class Worker:
    """A running ``headwater worker``."""

    process: subprocess.Popen[str]
    log: Path

    @property
    def metrics_url(self) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if found := re.search(r"http://\S+/metrics", self.log.read_text()):
                return found.group()
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def metrics(self) -> str:
        with urlopen(self.metrics_url) as answer:
            return str(answer.read().decode())

    def ready(self) -> bool:
        try:
            with urlopen(self.metrics_url.replace("/metrics", "/readyz")):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Installation:
    """Topics of its own on a broker."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.settings = Settings(metrics_port=0, **settings)  # type: ignore[arg-type]  # passed on to the settings
        self.producer: Any = producer(self.settings)
        self._folder = folder
        self._workers = 0
        create_topics(self.settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.producer.flush(5)
        self.producer = None  # its threads would look for the broker after it has gone

    @contextmanager
    def worker(self, **settings: object) -> Iterator[Worker]:
        """A worker process; it is killed at the end if it still runs."""
        self._workers += 1
        log = self._folder / f"worker-{self._workers}.log"
        own = self.settings.model_copy(update=settings)
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "streams", "worker"],
                env={**os.environ, **as_environment(own)},
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        worker = Worker(process, log)
        try:
            yield worker
        finally:
            worker.kill()

    def send(self, *events: Event) -> None:
        """As a well-kept producer would."""
        for event in events:
            topic, name = address(event)
            self.produce(topic, ENCODING.encode(event), key_of(event.pipeline, name))
        self.producer.flush()

    def produce(self, topic: Topic, value: bytes | None, key: bytes | None = None, partition: int = -1) -> None:
        self.producer.produce(self.settings.topic_prefix + topic, value=value, key=key, partition=partition)
        self.producer.poll(0)

    def records(self, topic: Topic) -> list[tuple[bytes | None, bytes, dict[str, str]]]:
        """Key, value and headers of every committed record."""
        return [
            (record.key(), record.value() or b"", {name: value.decode() for name, value in record.headers() or []})
            for partition in range(self.settings.partitions)
            for record in read_partition(self.settings, self.settings.topic_prefix + topic, partition)
        ]

    def observations(self) -> list[Observation]:
        return [OBSERVATION.decode(value) for _, value, _ in self.records(Topic.OBSERVATIONS)]

    def alerts(self) -> list[Alert]:
        """Every revision, in the order of each alert."""
        return [ALERT.decode(value) for _, value, _ in self.records(Topic.ALERTS)]

    def latest(self) -> list[Alert]:
        """The last revision of each alert, by id."""
        return sorted({alert.alert_id: alert for alert in self.alerts()}.values(), key=lambda alert: alert.alert_id)


def wait_until(true: Callable[[], bool], seconds: float = 60.0, what: str = "it") -> None:
    """Ask ``true()`` until it holds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds:.0f} s"
        time.sleep(0.2)
