"""Faust's aiokafka transport, fed by the chunk: one message per run of records, not four asyncio tasks per record.

The pinned Faust and aiokafka are reached into at three places: fetching and seeking share one lock, so that a fetch
never straddles a seek; every chunk says from which position and under which assignment it was fetched, so that a task
can refuse a gap and drop what is stale; and the consumer reads only what is committed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, ClassVar, Protocol, cast

from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.kafka.chunk import Chunk, cut

CHUNK_RECORDS = 500
CHUNK_BYTES = 2_000_000
FETCH_WAIT_S = 0.2
COMMIT_WITHIN_S = 3.0
ALL_FULL_WAIT_S = 0.02

logger = logging.getLogger(__name__)

Positions = Mapping[TP, int | None]


class Engine(Protocol):
    """What the transport asks of the tasks behind it."""

    def wants(self, tp: TP) -> bool:
        """Whether the task of this partition has room."""

    async def recover(self, assigned: set[TP]) -> Positions:
        """Where every partition is to be read from; None is the beginning."""

    def start(self, epoch: int, positions: Mapping[TP, int]) -> None:
        """The partitions stand at these positions."""

    async def pause(self) -> None:
        """Partitions are being taken away: forget what is pending, finish the running transaction."""


class _Thread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust ships no types
    """The consumer's own thread: the only place where positions move."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._positions_lock = asyncio.Lock()
        self._handed_over: dict[TP, int] = {}

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        return consumer

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> dict[TP, list[Chunk]]:
        async with self._positions_lock:
            epoch = self.consumer.epoch
            records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
            return {tp: self._hand_over(consumer, tp, found, epoch) for tp, found in records.items()}

    def _hand_over(self, consumer: Any, tp: TP, records: list[Any], epoch: int) -> list[Chunk]:
        after = consumer._subscription.subscription.assignment.state_value(tp).position
        begin = self._handed_over.get(tp, records[0].offset)
        chunks = []
        for run in cut(records, CHUNK_RECORDS, CHUNK_BYTES):
            end = after if run[-1] is records[-1] else run[-1].offset + 1
            held = sum(len(record.value or b"") + 64 for record in run)
            chunks.append(
                Chunk(
                    topic=tp.topic, partition=tp.partition, begin=begin, end=end, epoch=epoch, bytes=held, records=run
                )
            )
            begin = end
        self._handed_over[tp] = after
        return chunks

    async def seek_all(self, positions: Positions) -> Mapping[TP, int]:
        """Seek every partition and return where it really stands: a position whose records are gone moves forward."""
        return cast(Mapping[TP, int], await self.call_thread(self._seek_all, positions))

    async def _seek_all(self, positions: Positions) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        async with self._positions_lock:
            self._handed_over.clear()
            earliest = await consumer.beginning_offsets(list(positions)) if positions else {}
            standing = {tp: max(offset or 0, earliest[tp]) for tp, offset in positions.items()}
            for tp, offset in standing.items():
                consumer.seek(tp, offset)
                self._handed_over[tp] = offset
        return standing

    def unread(self, tp: TP, applied: int) -> int | None:
        consumer = self._ensure_consumer()
        subscription, place = consumer._subscription.subscription, driver.ensure_aiokafka_TP(tp)
        state: Any = subscription.assignment.state_value(place) if subscription and subscription.assignment else None
        if state is None or state.highwater is None or not state.has_valid_position:
            return None
        rest_is_empty = applied >= self._handed_over.get(tp, applied)
        return max(0, int(state.highwater) - int(state.position if rest_is_empty else applied))

    async def commit_for_watchers(self, positions: Mapping[TP, int]) -> bool:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        ours = {driver.ensure_aiokafka_TP(tp): offset for tp, offset in positions.items() if tp in assigned}
        try:
            if ours:
                await asyncio.wait_for(consumer.commit(ours), COMMIT_WITHIN_S)
        except TimeoutError:
            return False
        except KafkaError as refused:
            logger.debug("group offsets were not committed: %s", refused)
        return consumer._coordinator is not None and consumer._coordinator.coordinator_id is not None


class ChunkConsumer(driver.Consumer):  # type: ignore[misc]  # Faust ships no types
    """A Faust consumer whose messages carry a ``Chunk``.

    ``epoch`` counts assignments: a static member that joins again keeps its generation number, so that cannot tell an
    old fetch from a new one.
    """

    epoch = 0

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch once and yield a message per chunk."""
        del timeout
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        wanted = {tp for tp in self._get_active_partitions() if self._engine.wants(tp)}
        if not wanted or self.should_stop:
            await self.sleep(ALL_FULL_WAIT_S)
            return
        fetched = await self._getmany(active_partitions=wanted, timeout=FETCH_WAIT_S)
        for tp, chunks in fetched.items():
            for chunk in chunks:
                yield tp, self._carry(tp, chunk)

    def _carry(self, tp: TP, chunk: Chunk) -> ConsumerMessage:
        last = chunk.records[-1]
        return ConsumerMessage(
            tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, 0, (), None, chunk, None, -1, -1, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    @property
    def _engine(self) -> Engine:
        return cast("ChunkTransport", self.transport).engine

    async def _getmany(self, active_partitions: set[TP], timeout: float) -> dict[TP, list[Chunk]]:
        return cast(dict[TP, list[Chunk]], await self._thread.getmany(active_partitions, timeout))

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Recover the tasks and seek to where they stand; Faust calls this with the flow stopped."""
        positions = await self._engine.recover(self.assignment())
        standing: Mapping[TP, int] = await self._thread.seek_all(positions)
        self._engine.start(self.epoch, standing)
        return standing

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Make every chunk that is on its way stale before Faust lets go of the partitions."""
        self.epoch += 1
        self.stop_flow()
        await super().on_partitions_revoked(revoked)
        await self._engine.pause()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Keep the flow stopped until the partitions have been sought, even after an empty assignment."""
        self.stop_flow()
        await super().on_partitions_assigned(assigned, generation_id)

    def unread(self, tp: TP, applied: int) -> int | None:
        """Offsets of a partition beyond what is applied; None before the first look at its end.

        What was fetched behind the last chunk and held no record (ends of transactions, and all of aborted ones) is
        not unread: nobody will ever hand it over.
        """
        found: int | None = self._thread.unread(tp, applied)
        return found

    async def commit_for_watchers(self, positions: Mapping[TP, int]) -> bool:
        """Commit group offsets for people who watch lag; we never read them, so a refusal does not matter.

        Returns whether the broker of the group answers, which is what ``/readyz`` wants to know.
        """
        return bool(await self._thread.call_thread(self._thread.commit_for_watchers, positions))


class ChunkTransport(driver.Transport):  # type: ignore[misc]  # Faust ships no types
    """The transport of one app: ``engine`` is set before the app starts."""

    Consumer: ClassVar[Any] = ChunkConsumer
    engine: Engine


def transport_for(engine: Engine) -> Callable[[Any, Any], ChunkTransport]:
    """A transport bound to its engine: ``transport_for(engine)(app.conf.broker, app)``."""

    def build(broker: Any, app: Any) -> ChunkTransport:
        transport = ChunkTransport(broker, app)
        transport.engine = engine
        return transport

    return build
