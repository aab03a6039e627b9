"""The worker: starts the agents, each a process of its own, and starts them again when they end."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from prometheus_client import CollectorRegistry, Counter

from streams.admin import BrokerUnreachable
from streams.exposition import Answer, Gathered, Server, fetch
from streams.scratch import scratch
from streams.settings import Settings, as_environment

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 15.0
HEALTHY_AFTER_S = 30.0
STOP_WITHIN_S = 12.0
BROKER_EVERY_S = 3.0

logger = logging.getLogger("headwater")


@dataclass(slots=True)
class Child:
    """An agent's process and when it may be started again."""

    name: str
    port_file: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    backoff_s: float = FIRST_BACKOFF_S
    restart_at: float = 0.0
    restarts: int = 0

    def port(self) -> int | None:
        """Where it serves its metrics, once it does."""
        try:
            return int(self.port_file.read_text())
        except (OSError, ValueError):
            return None


@dataclass(slots=True)
class Supervisor:
    """Runs ``names`` until it is told to stop; ``/metrics`` is theirs, added up.

    prepare: what must have succeeded before the agents start; it is tried again for as long as no broker answers.
    """

    settings: Settings
    names: Sequence[str]
    prepare: Callable[[], object]
    _waiting_for: str | None = None
    _children: list[Child] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Start everything and stay until SIGINT or SIGTERM.

        Raises:
            Mendable: whatever ``prepare`` raises, but for a broker that does not answer.
        """
        with scratch("worker") as folder:
            self._children = [Child(name, folder / f"{name}.port") for name in self.names]
            registry = CollectorRegistry()
            registry.register(Gathered(self._ports, own={"headwater_agent_restarts"}))
            restarts = Counter(
                "headwater_agent_restarts_total", "Times an agent was started again.", ["agent"], registry=registry
            )
            server = Server(
                self.settings.metrics_host,
                self.settings.metrics_port,
                registry,
                {"/healthz": lambda: (200, "ok"), "/readyz": self._ready},
            )
            print(f"metrics: http://{self.settings.metrics_host}:{server.port}/metrics", flush=True)  # noqa: T201
            with self._stop_on_signals():
                self._await_broker()
                self._watch(restarts)
            server.close()

    def _await_broker(self) -> None:
        while not self._stopping.is_set():
            try:
                self.prepare()
            except BrokerUnreachable as error:
                logger.warning("waiting for Kafka, trying again every %.0f s: %s", BROKER_EVERY_S, error)
                self._waiting_for = f"waiting for the broker: {error}"
                self._stopping.wait(BROKER_EVERY_S)
            else:
                self._waiting_for = None
                return

    def _watch(self, restarts: Counter) -> None:
        try:
            while not self._stopping.is_set():
                for child in self._children:
                    self._attend(child, time.monotonic(), restarts)
                self._stopping.wait(0.1)
        finally:
            self._stop()

    def _attend(self, child: Child, now: float, restarts: Counter) -> None:
        """Start a child that is due; note one that has ended."""
        if child.process is None:
            if now >= child.restart_at:
                self._start(child, now)
        elif (status := child.process.poll()) is not None:
            if now - child.started_at > HEALTHY_AFTER_S:
                child.backoff_s = FIRST_BACKOFF_S
            child.restart_at = now + child.backoff_s
            logger.warning("%s ended (status %d), again in %.1f s", child.name, status, child.backoff_s)
            child.backoff_s = min(child.backoff_s * 2, LONGEST_BACKOFF_S)
            child.process = None
            child.restarts += 1
            restarts.labels(child.name).inc()

    def _start(self, child: Child, now: float) -> None:
        child.port_file.unlink(missing_ok=True)
        child.started_at = now
        child.process = subprocess.Popen(
            [sys.executable, "-m", "streams.process", child.name, str(child.port_file)],
            stdin=subprocess.PIPE,
            env={**os.environ, **as_environment(self.settings)},
            start_new_session=True,
        )

    def _stop(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _ports(self) -> Iterator[int]:
        return (port for child in self._children if (port := child.port()) is not None)

    def _ready(self) -> Answer:
        if self._waiting_for is not None:
            return 503, self._waiting_for
        waiting = []
        for child in self._children:
            port = child.port()
            status, text = fetch(port, "/readyz") if port is not None else (0, "starting")
            if status != 200:
                waiting.append(f"{child.name}: {text.strip()}")
        return (503, "\n".join(waiting)) if waiting else (200, "ready")

    def _stop_on_signals(self) -> "_Signals":
        return _Signals(self._stopping)


class _Signals:
    """Turns SIGINT and SIGTERM into an event while it is entered."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._stop)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()
