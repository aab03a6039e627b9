import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from streams.kafka.chunk import Chunk
from streams.kafka.transaction import Fenced
from streams.task.task import Gap, Task
from streams.task.tasks import SplitTask, whole_partitions


@dataclass
class Record:
    offset: int
    value: bytes = b"v"
    key: bytes | None = None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


def chunk(begin: int, end: int, epoch: int = 1) -> Chunk:
    records = tuple(Record(offset) for offset in range(begin, end))
    return Chunk(topic="t", partition=0, begin=begin, end=end, epoch=epoch, bytes=len(records), records=records)


class Recorder:
    """A work that notes which offsets it was given."""

    def __init__(self, refuse: BaseException | None = None) -> None:
        self.positions: dict[str, int] = {}
        self.taken: list[int] = []
        self.recoveries = 0
        self.refuse = refuse
        self.state_bytes = 0

    def recover(self) -> Mapping[str, int | None]:
        self.recoveries += 1
        return dict(self.positions)

    def take(self, chunks: Sequence[Chunk], now: int) -> None:
        del now
        if self.refuse is not None:
            refuse, self.refuse = self.refuse, None
            raise refuse
        for one in chunks:
            self.taken += [record.offset for record in one.records]
            self.positions[one.topic] = one.end

    def tick(self, now: int) -> None: ...

    def forget(self) -> None:
        self.positions.clear()

    def close(self) -> None: ...


def run(work: Recorder, chunks: Sequence[Chunk]) -> list[BaseException]:
    """Feed a task of epoch 1 that starts at offset 0."""
    failures: list[BaseException] = []

    async def story() -> None:
        task = Task("t-0", work, gather_s=0.0, room_bytes=1000, on_failure=failures.append)
        await task.recover()
        task.start(1, {"t": 0})
        for one in chunks:
            task.offer(one)
        while not task.idle and not failures:
            await asyncio.sleep(0)
        if not failures:
            await task.close()

    asyncio.run(asyncio.wait_for(story(), 5))
    return failures


def test_chunks_are_applied_in_order() -> None:
    work = Recorder()
    assert run(work, [chunk(0, 3), chunk(3, 5)]) == []
    assert work.taken == [0, 1, 2, 3, 4]


def test_what_is_applied_already_is_dropped_and_what_overlaps_is_cut() -> None:
    work = Recorder()
    assert run(work, [chunk(0, 3), chunk(1, 3), chunk(2, 5)]) == []
    assert work.taken == [0, 1, 2, 3, 4]


def test_a_chunk_of_an_earlier_assignment_is_dropped() -> None:
    work = Recorder()
    assert run(work, [chunk(0, 3, epoch=0), chunk(0, 2)]) == []
    assert work.taken == [0, 1]


def test_a_gap_ends_the_worker_instead_of_losing_events() -> None:
    (failure,) = run(Recorder(), [chunk(0, 2), chunk(3, 5)])
    assert isinstance(failure, Gap)


def test_a_fenced_task_folds_nothing_more_and_recovers_when_it_is_assigned_again() -> None:
    work = Recorder(refuse=Fenced("somebody else"))

    async def story() -> None:
        failures: list[BaseException] = []
        task = Task("t-0", work, gather_s=0.0, room_bytes=1000, on_failure=failures.append)
        await task.recover()
        task.start(1, {"t": 0})
        task.offer(chunk(0, 2))
        while work.refuse is not None:
            await asyncio.sleep(0)
        await task.pause()
        await task.recover()
        task.start(2, {"t": 0})
        task.offer(chunk(0, 2, epoch=2))
        while work.taken != [0, 1]:
            await asyncio.sleep(0)
        await task.close()
        assert failures == []

    asyncio.run(asyncio.wait_for(story(), 5))


@dataclass(frozen=True)
class TP:
    topic: str
    partition: int


def test_an_assignment_without_all_inputs_of_a_partition_is_refused() -> None:
    whole = {TP("a", 0), TP("b", 0), TP("a", 1), TP("b", 1)}
    assert whole_partitions(whole, ("a", "b")) == {0, 1}
    with pytest.raises(SplitTask, match="partition 1 came without b"):
        whole_partitions(whole - {TP("b", 1)}, ("a", "b"))
