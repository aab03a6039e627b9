"""All tasks of one agent in one worker: made, recovered, fed and let go as partitions come and go."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from streams.kafka.chunk import Chunk
from streams.task.task import Task
from streams.task.work import Work

TopicPartition: TypeAlias = Any  # Faust's TP, which is untyped


class SplitTask(RuntimeError):
    """The group gave us a partition of one input without the same partition of another."""


class Tasks:
    """The engine behind the transport (see ``streams.kafka.transport.Engine``)."""

    def __init__(
        self,
        name: str,
        inputs: tuple[str, ...],
        work_for: Callable[[int], Work],
        *,
        gather_s: float,
        buffer_bytes: int,
        on_failure: Callable[[BaseException], None],
        on_taken: Callable[[float], None],
    ) -> None:
        self._name = name
        self._inputs = inputs
        self._work_for = work_for
        self._gather_s = gather_s
        self._buffer_bytes = buffer_bytes
        self._on_failure = on_failure
        self._on_taken = on_taken
        self._tasks: dict[int, Task] = {}
        self.assigned = False

    def __iter__(self) -> "Any":
        return iter(self._tasks.items())

    def wants(self, tp: TopicPartition) -> bool:
        """Whether the partition's task has room for more."""
        task = self._tasks.get(tp.partition)
        return task is not None and task.wants

    def offer(self, chunk: Chunk) -> None:
        """Hand a chunk to its task; one whose task is gone is stale."""
        if task := self._tasks.get(chunk.partition):
            task.offer(chunk)

    async def recover(self, assigned: set[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        """Make the tasks of ``assigned``, bring them up to date, and say where each input is to be read from.

        Raises:
            SplitTask: a partition came without its counterparts.
        """
        partitions = whole_partitions(assigned, self._inputs)
        gone = [self._tasks.pop(partition) for partition in set(self._tasks) - partitions]
        await asyncio.gather(*(task.close() for task in gone))
        for partition in partitions - set(self._tasks):
            self._tasks[partition] = self._new_task(partition, len(partitions))
        order = sorted(self._tasks)
        found = dict(zip(order, await asyncio.gather(*(self._tasks[one].recover() for one in order)), strict=True))
        return {tp: found[tp.partition].get(tp.topic) for tp in assigned}

    def _new_task(self, partition: int, partitions: int) -> Task:
        return Task(
            f"{self._name}-{partition}",
            self._work_for(partition),
            gather_s=self._gather_s,
            room_bytes=max(1_000_000, self._buffer_bytes // partitions),
            on_failure=self._on_failure,
            on_taken=self._on_taken,
        )

    def start(self, epoch: int, positions: Mapping[TopicPartition, int]) -> None:
        """Let every task run from where its inputs stand."""
        for partition, task in self._tasks.items():
            task.start(epoch, {tp.topic: offset for tp, offset in positions.items() if tp.partition == partition})
        self.assigned = True

    async def pause(self) -> None:
        """Stop all tasks after their running transaction."""
        self.assigned = False
        await asyncio.gather(*(task.pause() for task in self._tasks.values()))

    async def close(self) -> None:
        """End every task."""
        await asyncio.gather(*(task.close() for task in self._tasks.values()))
        self._tasks.clear()


def whole_partitions(assigned: set[TopicPartition], inputs: tuple[str, ...]) -> set[int]:
    """The partitions of an assignment, each of which must come with all inputs.

    Raises:
        SplitTask: one does not.
    """
    topics_at: dict[int, set[str]] = {}
    for tp in assigned:
        topics_at.setdefault(tp.partition, set()).add(tp.topic)
    for partition, topics in topics_at.items():
        if missing := set(inputs) - topics:
            raise SplitTask(f"partition {partition} came without {', '.join(sorted(missing))}")
    return set(topics_at)
