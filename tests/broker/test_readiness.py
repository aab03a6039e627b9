"""What ``/readyz`` says while the broker is away, at the start and later."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from streams.embedded import KafkaBroker
from streams.embedded.ports import LOOPBACK, free_ports
from streams.settings import Settings, as_environment
from tests.broker.installation import Installation, Worker, wait_until


@contextmanager
def waiting_worker(tmp_path: Path) -> Iterator[Worker]:
    """A worker whose broker does not exist yet."""
    (port,) = free_ports(1)
    settings = Settings(bootstrap=f"{LOOPBACK}:{port}", partitions=2, metrics_port=0)
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "streams", "worker"]
    environment = {**os.environ, **as_environment(settings)}
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True)
    worker = Worker(process, log)
    try:
        yield worker
    finally:
        worker.kill()


def why_not_ready(worker: Worker) -> str:
    try:
        with urlopen(worker.metrics_url.replace("/metrics", "/readyz")):
            return ""
    except HTTPError as error:
        return error.read().decode()


def test_a_worker_waits_for_a_broker_that_is_not_there_yet_and_says_so(tmp_path: Path) -> None:
    with waiting_worker(tmp_path) as worker:
        wait_until(lambda: "waiting for the broker" in why_not_ready(worker), what="a reason")
        assert re.search(r"waiting for Kafka, trying again every 3 s: .*Connection refused", worker.log.read_text())

        worker.process.send_signal(signal.SIGINT)

        assert worker.process.wait(20) == 0
        assert "Traceback" not in worker.log.read_text()


def test_a_worker_is_not_ready_without_its_broker_and_is_again_when_it_is_back(
    tmp_path: Path, own_kafka: Callable[..., KafkaBroker]
) -> None:
    kafka = own_kafka()
    with (
        Installation(tmp_path, bootstrap=kafka.bootstrap, partitions=2) as installation,
        installation.worker() as worker,
    ):
        wait_until(worker.ready, what="readiness")

        kafka.kill()
        wait_until(lambda: not worker.ready(), 30, "the loss to be noticed")

        kafka.restart()
        wait_until(worker.ready, 90, "readiness again")
