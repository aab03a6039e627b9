"""The index agent's work: what is committed goes to Redis; while Redis is away it waits and all else goes on."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from schemas.malformed import MalformedEvent
from streams.index.index import Index
from streams.index.writing import Logged
from streams.kafka.chunk import Chunk, RawRecord
from streams.metrics import Metrics
from streams.task.work import Micros
from streams.topics import Topic

RETRY_S = 1.0

logger = logging.getLogger(__name__)


class IndexLost(RuntimeError):
    """Redis knows less than it was told: it was flushed or restored, and must be read into again."""


class IndexWork:
    """One partition of ``observations`` and ``alerts`` (see ``streams.task.work.Work``).

    Redis holds the positions, in the same transaction as the entries; nothing is kept here.
    """

    def __init__(
        self,
        partition: int,
        prefix: str,
        index: Index,
        observation: Callable[[bytes], Observation],
        alert: Callable[[bytes], Alert],
        metrics: Metrics,
    ) -> None:
        self.positions: dict[str, int] = {}
        self._partition = partition
        self._topics = {prefix + topic: topic for topic in (Topic.OBSERVATIONS, Topic.ALERTS)}
        self._index = index
        self._observation = observation
        self._alert = alert
        self._metrics = metrics

    def recover(self) -> Mapping[str, int | None]:
        """Ask Redis how far it was told."""
        self._patiently(self._index.open)
        self.positions = self._patiently(self._told)
        return dict(self.positions)

    def _told(self) -> dict[str, int]:
        return {topic: self._index.position(topic, self._partition) for topic in self._topics}

    def take(self, chunks: Sequence[Chunk], now: Micros) -> None:
        """Tell Redis of the chunks; waits while it is away.

        Raises:
            IndexLost: Redis has forgotten what it was told.
        """
        del now
        observations, alerts = [], []
        positions = dict(self.positions)
        for chunk in chunks:
            for record in chunk.records:
                if self._topics[chunk.topic] is Topic.OBSERVATIONS:
                    observations += self._read(self._observation, record, chunk)
                else:
                    alerts += self._read(self._alert, record, chunk)
            positions[chunk.topic] = chunk.end
        self._patiently(lambda: self._apply(observations, alerts, positions))
        self.positions = positions

    def _apply(
        self, observations: list[Logged[Observation]], alerts: list[Logged[Alert]], positions: Mapping[str, int]
    ) -> None:
        if self._told() != self.positions:
            raise IndexLost(f"Redis has forgotten what it was told of partition {self._partition}: it is read again")
        self._index.apply(
            observations, alerts, {(topic, self._partition): offset for topic, offset in positions.items()}
        )

    def _read(self, decode: Callable[[bytes], Any], record: RawRecord, chunk: Chunk) -> list[Logged[Any]]:
        try:
            value = decode(record.value or b"")
        except MalformedEvent as error:
            logger.warning("%s[%d] at %d is not indexed: %s", chunk.topic, chunk.partition, record.offset, error)
            return []
        stored_at = record.timestamp * 1000
        return [Logged(value=value, partition=chunk.partition, offset=record.offset, stored_at=stored_at)]

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        while True:
            try:
                answer = ask()
            except redis.RedisError as error:
                logger.warning("Redis is away, the index waits: %s", error)
                self._metrics.gauge("headwater_degraded", "redis", value=1)
                time.sleep(RETRY_S)
            else:
                self._metrics.gauge("headwater_degraded", "redis", value=0)
                return answer

    def tick(self, now: Micros) -> None:
        """Nothing is due by the clock."""

    @property
    def state_bytes(self) -> int:
        """Nothing is written to the state topic."""
        return 0

    def forget(self) -> None:
        """Nothing is kept here."""

    def close(self) -> None:
        """The client is shared by all tasks of the worker."""
