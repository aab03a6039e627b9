"""Asking as the commands do: in this process, and as a process of its own with everything that costs."""

import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from rich.console import Console

from streams.commands.explain import find
from streams.index.reader import open_reader
from streams.reading.alert import render_alert
from streams.reading.trace import render_trace
from streams.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of one question about several ids, in milliseconds."""

    p50: float
    p99: float
    worst: float


def timed(ask: Callable[[str], object], ids: Iterable[str]) -> Times:
    """How long each answer took."""
    taken = []
    for one in ids:
        began = time.perf_counter()
        ask(one)
        taken.append(1_000 * (time.perf_counter() - began))
    return Times(p50=float(np.percentile(taken, 50)), p99=float(np.percentile(taken, 99)), worst=max(taken))


def tracing(settings: Settings) -> Callable[[str], object]:
    """``headwater trace``, from the look into Redis to the lines of the terminal."""
    return lambda asked: _console().print(render_trace(open_reader(settings).trace(asked)))


def explaining(settings: Settings) -> Callable[[str], object]:
    """``headwater explain``, likewise."""
    return lambda asked: _console().print(render_alert(find(asked, settings), None))


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


def _console() -> Console:
    return Console(file=io.StringIO(), width=100, highlight=False)
