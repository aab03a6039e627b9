"""What the demo runs on: a Kafka and a Valkey of its own (or a broker given to it), topics, and a worker."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from confluent_kafka import KafkaException
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from streams.admin import create_topics, name_of
from streams.clients import admin
from streams.exposition import fetch
from streams.settings import AlertsFormat, Settings, as_environment
from streams.topics import Topic

PARTITIONS = 4
READY_WITHIN_S = 45.0
STOP_WITHIN_S = 15.0
LOG_TAIL_LINES = 12
METRICS_LINE = "metrics: "


class WorkerFailed(RuntimeError):
    """The worker ended, or never became ready; the text ends with the last lines of its log."""


class Given(Settings):
    """Only what is passed counts: the demo is the same whatever the environment and ``.env`` say."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """No source but the constructor's arguments."""
        del settings_cls  # pydantic passes it by this name
        return (init_settings,)


def embedded_settings(bootstrap: str, redis_url: str) -> Settings:
    """Settings for servers that are the demo's own."""
    return Given(
        bootstrap=bootstrap,
        redis_url=SecretStr(redis_url),
        partitions=PARTITIONS,
        environment="demo",
        alerts_format=AlertsFormat.JSON,  # so that kcat shows them
        metrics_port=0,
        log_level="WARNING",
    )


def borrowed_settings(bootstrap: str) -> Settings:
    """Settings for somebody's broker: topics of our own on it, everything else (security) as configured."""
    return Settings(
        bootstrap=bootstrap,
        redis_url=None,
        alertmanager_url=None,
        topic_prefix=f"headwater-demo-{uuid4().hex[:8]}.",
        partitions=PARTITIONS,
        environment="demo",
        metrics_port=0,
        log_level="WARNING",
    )


def _delete_topics(settings: Settings) -> None:
    client = admin(settings)  # it must outlive its futures
    for future in client.delete_topics([name_of(topic, settings) for topic in Topic]).values():
        with suppress(KafkaException, TimeoutError):  # the broker has gone, or does not let us
            future.result(STOP_WITHIN_S)


@dataclass(slots=True)
class Worker:
    """A running worker; ``metrics_url`` is where its metrics are scraped."""

    process: "subprocess.Popen[bytes]"
    log: Path
    metrics_url: str = ""

    def check(self) -> None:
        """Raises ``WorkerFailed`` if it has ended."""
        if (status := self.process.poll()) is not None:
            raise WorkerFailed(f"the worker ended with status {status}{self._tail()}")

    def await_ready(self, meanwhile: Callable[[], None]) -> None:
        """Waits until every agent has its partitions.

        Raises:
            WorkerFailed: it ended, or was not ready in time.
        """
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            self.check()
            self.metrics_url = self.metrics_url or self._announced()
            port = urlsplit(self.metrics_url).port
            if port is not None and fetch(port, "/readyz")[0] == 200:
                return
            meanwhile()
            time.sleep(0.1)
        raise WorkerFailed(f"the worker was not ready after {READY_WITHIN_S:.0f} s{self._tail()}")

    def stop(self) -> None:
        """Ends it and its agents."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _announced(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return next((line.removeprefix(METRICS_LINE) for line in lines if line.startswith(METRICS_LINE)), "")

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "".join(f"\n  {line}" for line in lines)


@contextmanager
def working(settings: Settings, folder: Path, *, tidy: bool) -> Iterator[Worker]:
    """Topics, and a worker on them; it ends with the context, or with this process whatever becomes of it.

    tidy: delete the topics at the end.
    """
    create_topics(settings)
    log = folder / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.demo.workplace"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=_environment(os.environ, settings, folder),
            cwd=folder,
            start_new_session=True,  # Ctrl-C is for us: we stop it in order
        )
    worker = Worker(process, log)
    try:
        yield worker
    finally:
        worker.stop()
        if process.stdin is not None:
            process.stdin.close()
        if tidy:
            _delete_topics(settings)


def _environment(inherited: Mapping[str, str], settings: Settings, folder: Path) -> dict[str, str]:
    """Ours for a process: exactly ``settings``, the way to our own packages, and all it leaves behind in ``folder``."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("HEADWATER_")}
    here = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (here, kept.get("PYTHONPATH"))))
    ours = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "TMPDIR": str(folder)}
    return {**kept, **as_environment(settings), **ours}


def _end_with_parent() -> None:
    """Standard input is a pipe whose other end only the demo holds."""

    def watch() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="demo-watch", daemon=True).start()


def main() -> None:
    """The worker's process."""
    from streams.commands.worker import worker

    _end_with_parent()
    worker()


if __name__ == "__main__":
    main()
