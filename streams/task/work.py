"""What a task does, seen from its thread."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from streams.kafka.chunk import Chunk

Micros: TypeAlias = int


def clock() -> Micros:
    """Now, in microseconds since the epoch."""
    return time.time_ns() // 1000


class Work(Protocol):
    """The work of one agent on one partition; every method runs in the task's own thread.

    ``positions`` holds, per input topic (full name), the offset up to which everything has been applied.
    """

    positions: dict[str, int]

    @property
    def state_bytes(self) -> int:
        """Bytes of state at the last snapshots; 0 where there is none."""

    def recover(self) -> Mapping[str, int | None]:
        """Bring memory to where the last transaction left it and say where to read on; None is the beginning.

        A task that still has its memory returns at once: had anybody else taken over, its next commit is fenced.
        """

    def take(self, chunks: Sequence[Chunk], now: Micros) -> None:
        """Apply ``chunks`` and make their effects visible; afterwards ``positions`` covers them.

        Raises:
            Fenced: somebody else owns the task now.
        """

    def tick(self, now: Micros) -> None:
        """About once a second while the task runs: what is due by the clock."""

    def forget(self) -> None:
        """Throw memory away; the next ``recover`` rebuilds it."""

    def close(self) -> None:
        """Let go of every connection."""
