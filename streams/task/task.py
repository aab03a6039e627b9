"""A task: one thread that applies the chunks of one partition, one transaction at a time."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeAlias

from streams.kafka.chunk import Chunk, size_of
from streams.kafka.transaction import Fenced
from streams.task.work import Work, clock

Step: TypeAlias = Callable[[], None]

TICK_S = 1.0
FENCED_PATIENCE_S = 10.0
MOST_PENDING_BYTES = 4_000_000


class Gap(RuntimeError):
    """A chunk does not start where the last one ended: something was fetched and lost on the way."""


class Task:
    """Owns a ``Work`` and its thread; everything public is called from the event loop.

    ``room_bytes`` bounds what is fetched and not yet applied: beyond it the partition is not fetched from.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        *,
        gather_s: float,
        room_bytes: int,
        on_failure: Callable[[BaseException], None],
        on_taken: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self._work = work
        self._gather_s = gather_s
        self._room_bytes = room_bytes
        self._on_failure = on_failure
        self._on_taken = on_taken
        self._signal = threading.Condition()
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._pending: deque[Chunk] = deque()
        self._pending_bytes = 0
        self._pending_since = 0.0
        self._epoch = -1
        self._running = False
        self._closed = False
        self._fenced_at: float | None = None
        self._next_tick = 0.0
        self.last_progress = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def wants(self) -> bool:
        """Whether there is room for more."""
        return self._pending_bytes < self._room_bytes

    @property
    def idle(self) -> bool:
        """Whether everything that was fetched is applied."""
        return not self._pending

    @property
    def positions(self) -> Mapping[str, int]:
        """Per input topic, the offset up to which everything is applied and visible."""
        return self._work.positions

    @property
    def state_bytes(self) -> int:
        """Bytes of state at the last snapshots."""
        return self._work.state_bytes

    def offer(self, chunk: Chunk) -> None:
        """Queue a chunk; one of an earlier assignment is dropped, its partition will be sought again."""
        with self._signal:
            if not self._running or chunk.epoch != self._epoch:
                return
            if not self._pending:
                self._pending_since = time.monotonic()
            self._pending.append(chunk)
            self._pending_bytes += chunk.bytes
            self._signal.notify()

    async def recover(self) -> Mapping[str, int | None]:
        """Bring the task's memory up to date; see ``Work.recover``."""
        positions: Mapping[str, int | None] = await self._call(self._recover)
        return positions

    def start(self, epoch: int, positions: Mapping[str, int]) -> None:
        """Begin to apply: the inputs stand at ``positions``, never before what is applied already."""
        with self._signal:
            for topic, offset in positions.items():
                self._work.positions[topic] = max(self._work.positions.get(topic, 0), offset)
            self._epoch = epoch
            self._running = True
            self._signal.notify()

    async def pause(self) -> None:
        """Forget what is pending and wait for the running transaction."""
        with self._signal:
            self._running = False
            self._pending.clear()
            self._pending_bytes = 0
        await self._call(lambda: None)

    async def close(self) -> None:
        """End the thread and let go of everything."""
        await self.pause()
        await self._call(self._work.close)
        with self._signal:
            self._closed = True
            self._signal.notify()

    async def _call(self, action: Callable[[], Any]) -> Any:
        promise: Future[Any] = Future()
        with self._signal:
            self._calls.append((action, promise))
            self._signal.notify()
        return await asyncio.wrap_future(promise)

    def _recover(self) -> Mapping[str, int | None]:
        if self._fenced_at is not None:
            self._work.forget()
            self._fenced_at = None
        return self._work.recover()

    def _run(self) -> None:
        while (step := self._next_step()) is not None:
            try:
                step()
                self.last_progress = time.monotonic()
            except Fenced:
                self._fenced_at = time.monotonic()
            except BaseException as failure:  # noqa: BLE001  # whatever it is, the worker must learn of it and end
                self._on_failure(failure)
                return

    def _next_step(self) -> Step | None:
        with self._signal:
            while True:
                if self._calls:
                    return self._answer(*self._calls.popleft())
                if self._closed:
                    return None
                now = time.monotonic()
                wake = self._wake_at(now)
                if wake <= now:
                    return self._due(now)
                self._signal.wait(wake - now)

    def _wake_at(self, now: float) -> float:
        """When there is something to do of our own accord."""
        if self._fenced_at is not None:
            return self._fenced_at + FENCED_PATIENCE_S
        if not self._running:
            return now + 3600.0
        if not self._pending:
            return self._next_tick
        full = self._pending_bytes >= min(MOST_PENDING_BYTES, self._room_bytes)
        return now if full else min(self._pending_since + self._gather_s, self._next_tick)

    def _due(self, now: float) -> Step:
        if self._fenced_at is not None:
            raise_later = Fenced(f"{self._thread.name}: another worker owns this task and no new assignment came")
            return lambda: self._on_failure(raise_later)
        if now >= self._next_tick:
            self._next_tick = now + TICK_S
            return lambda: self._work.tick(clock())
        return self._take

    def _take(self) -> None:
        with self._signal:
            chunks = list(self._pending)
            self._pending.clear()
            self._pending_bytes = 0
        fresh = [chunk for chunk in map(self._chained(), chunks) if chunk is not None]
        if fresh:
            begun = time.perf_counter()
            self._work.take(fresh, clock())
            self._on_taken(time.perf_counter() - begun)

    def _chained(self) -> Callable[[Chunk], Chunk | None]:
        """Check that each chunk starts where what is applied ends; drop what lies below."""
        positions = dict(self._work.positions)

        def check(chunk: Chunk) -> Chunk | None:
            applied = positions.get(chunk.topic, 0)
            if chunk.begin > applied:
                raise Gap(f"{chunk.topic}[{chunk.partition}]: applied up to {applied}, next chunk from {chunk.begin}")
            if chunk.end <= applied:
                return None
            positions[chunk.topic] = chunk.end
            if chunk.begin == applied:
                return chunk
            rest = tuple(record for record in chunk.records if record.offset >= applied)
            return replace(chunk, begin=applied, records=rest, bytes=sum(map(size_of, rest)))

        return check

    def _answer(self, action: Callable[[], Any], promise: "Future[Any]") -> Step:
        def step() -> None:
            try:
                promise.set_result(action())
            except BaseException as failure:  # noqa: BLE001  # handed to whoever waits for the answer
                promise.set_exception(failure)

        return step
