"""One agent as a process of its own: it ends with its supervisor, on a signal, or at the first thing it cannot mend."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

import faust
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

from streams.agent import Agent
from streams.exposition import Server
from streams.metrics import Metrics
from streams.roles import role
from streams.settings import Settings
from streams.version import installed_version

STOP_WITHIN_S = 10.0
EXIT_RESTART = 75  # EX_TEMPFAIL: the supervisor starts us again

logger = logging.getLogger("headwater")


def build(settings: Settings, registry: CollectorRegistry, name: str, folder: Path) -> Agent:
    """The agent ``name``, ready to run; nothing of it is global."""
    metrics = Metrics(registry)
    metrics.gauge("headwater_build_info", installed_version(), value=1)
    metrics.gauge("headwater_false_alarms_budget_per_month", value=settings.false_alarms_per_month)
    return Agent(role(name, settings, metrics), settings, metrics, folder=folder, on_failure=_give_up)


def _give_up(failure: BaseException) -> None:
    """State is safe at any moment: ending at once and recovering is simpler and surer than mending in place."""
    logger.critical("this agent ends and will be restarted: %s", failure, exc_info=failure)
    logging.shutdown()
    os._exit(EXIT_RESTART)


def run(name: str, settings: Settings, port_file: Path) -> None:
    """Run an agent until a signal, or until standard input closes because the supervisor is gone."""
    logging.basicConfig(level=settings.log_level, format=f"%(asctime)s {name:8} %(levelname)s %(message)s")
    logging.getLogger("aiokafka").setLevel("ERROR")
    logging.getLogger("aiokafka.consumer.group_coordinator").setLevel("CRITICAL")  # it calls a young broker an error
    for noisy in ("faust", "mode", "httpx", "streams.kafka.transport"):
        logging.getLogger(noisy).setLevel("WARNING")
    _end_with_supervisor()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    agent = build(settings, registry, name, port_file.parent / name)
    server = Server("127.0.0.1", 0, registry, {"/healthz": lambda: (200, "ok"), "/readyz": lambda: _ready(agent)})
    port_file.write_text(str(server.port))
    worker = _Worker(agent.app, loglevel="WARNING", redirect_stdouts=False, override_logging=False, quiet=True)
    worker.spinner = None  # it writes escape sequences into the log
    worker.execute_from_commandline()


def _ready(agent: Agent) -> tuple[int, str]:
    health = agent.health
    if health.ready:
        return 200, "ready"
    if not health.connected:
        return 503, "waiting for the broker"
    if not health.assigned:
        return 503, "waiting for an assignment"
    return 503, "; ".join(health.stuck) or "catching up"


def _end_with_supervisor() -> None:
    """Standard input is a pipe whose other end only the supervisor holds."""

    def watch() -> None:
        while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


def _start_deadline() -> None:
    """Faust does not end while its broker is frozen; we do."""
    timer = threading.Timer(STOP_WITHIN_S, os._exit, (0,))
    timer.daemon = True
    timer.start()


class _Worker(faust.Worker):  # type: ignore[misc]  # Faust ships no types
    """Faust's worker, with a deadline of ours on every way down."""

    def _on_sigint(self) -> None:
        _start_deadline()
        super()._on_sigint()

    def _on_sigterm(self) -> None:
        _start_deadline()
        super()._on_sigterm()


if __name__ == "__main__":
    run(sys.argv[1], Settings(), Path(sys.argv[2]))
