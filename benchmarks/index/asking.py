"""Asking as the commands do: in this process, and as a process of its own with everything that costs."""

import io
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
import redis
from rich.console import Console

from streams.commands.explain import find
from streams.index.reader import open_reader
from streams.reading.alert import render_alert
from streams.reading.trace import render_trace
from streams.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of one question about several ids, in milliseconds.

    busy: processor time of the slowest answer, the command's and Redis' together: what it takes where nobody else
    wants the processors.
    """

    p50: float
    p99: float
    worst: float
    busy: float


def timed(ask: Callable[[str], object], ids: Iterable[str], client: "redis.Redis") -> Times:
    """How long each answer took."""
    taken, busy = [], []
    for one in ids:
        began, worked = time.perf_counter(), _worked_s(client)
        ask(one)
        taken.append(1_000 * (time.perf_counter() - began))
        busy.append(1_000 * (_worked_s(client) - worked))
    p50, p99 = np.percentile(taken, [50, 99])
    return Times(p50=float(p50), p99=float(p99), worst=max(taken), busy=max(busy))


def _worked_s(client: "redis.Redis") -> float:
    """Processor time of this process, of its children and of the server so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    server = cast(dict[str, float], client.info("cpu"))
    used = server["used_cpu_user"] + server["used_cpu_sys"]
    return time.process_time() + children.ru_utime + children.ru_stime + used


def tracing(settings: Settings) -> Callable[[str], object]:
    """``headwater trace``, from the look into Redis to the lines of the terminal."""
    return lambda asked: _console().print(render_trace(open_reader(settings).trace(asked)))


def explaining(settings: Settings) -> Callable[[str], object]:
    """``headwater explain``, likewise."""
    return lambda asked: _console().print(render_alert(find(asked, settings)))


def commanding(command: str, redis_url: str, prefix: str) -> Callable[[str], object]:
    """A ``headwater`` command as people run it: a process, its imports and all."""

    def run(asked: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "streams", command, asked, "--redis-url", redis_url],
            env={"HEADWATER_TOPIC_PREFIX": prefix},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    return run


def starting(_: str) -> None:
    """A process that imports what a command cannot do without, and asks nothing."""
    subprocess.run([sys.executable, "-c", "import redis, rich.console, typer, pydantic_settings"], check=True)


def _console() -> Console:
    return Console(file=io.StringIO(), width=100, highlight=False)
