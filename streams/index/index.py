"""The index as a whole: applying records of the log in one transaction, remembering how far, starting afresh."""

from collections.abc import Mapping, Sequence
from typing import cast

import redis

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from streams.index.connection import connect
from streams.index.keys import DAY_MICROS, VERSION, Keys, Micros, Shelf, day_of, span_of
from streams.index.writing import Command, Logged, Writer
from streams.settings import Settings


class Index:
    """Writes what is read from ``observations`` and ``alerts``; one transaction holds entries and positions.

    So an index that lost everything, or went back to an older snapshot, says itself from where it must be read again,
    and whatever is applied twice changes nothing. Every method raises ``redis.RedisError`` when Redis is away.
    """

    def __init__(self, client: redis.Redis, keys: Keys, retention_days: float) -> None:
        self._redis = client
        self._keys = keys
        self._retention_days = retention_days
        self._writer = Writer(keys, retention_days)

    def open(self) -> bool:
        """Make sure that the index has our layout; one of another layout is dropped (True), to be rebuilt."""
        found = self._redis.get(self._keys.version)
        if found is not None and found != VERSION.encode():
            self.reset()
            return True
        self._redis.set(self._keys.version, VERSION)
        return False

    def position(self, topic: str, partition: int) -> int:
        """The next offset to read of a partition: 0 for an index that knows nothing of it."""
        stored = self._redis.get(self._keys.position(topic, partition))
        return int(stored) if stored is not None else 0

    def apply(
        self,
        observations: Sequence[Logged[Observation]],
        alerts: Sequence[Logged[Alert]],
        positions: Mapping[tuple[str, int], int],
    ) -> None:
        """Add records, and remember the next offset of each (topic, partition), all or nothing."""
        stored = self._stored()
        newest = max((logged.stored_at for logged in observations), default=0)
        commands: list[Command] = self._forget(stored, newest)
        for observed in observations:
            shelf = self._writer.shelf(observed, stored)
            added = self._writer.of_observation(observed, shelf)
            stored[shelf] = stored.get(shelf, 0) + sum(int(command[3]) for command in added if command[0] == "HINCRBY")
            commands += added
        for alert in alerts:
            commands += self._writer.of_alert(alert)
        commands += [self._writer.position(*where, offset) for where, offset in positions.items()]
        self._run(commands)

    def reset(self) -> None:
        """Drop every entry of this installation, and the positions with them: the index is then rebuilt."""
        batch: list[bytes] = []
        for key in self._redis.scan_iter(match=f"{self._keys.space}*", count=1000):
            batch.append(key)
            if len(batch) == 1000:
                self._redis.unlink(*batch)
                batch.clear()
        if batch:
            self._redis.unlink(*batch)
        self._redis.set(self._keys.version, VERSION)

    def _stored(self) -> dict[Shelf, int]:
        listed = cast(Mapping[bytes, bytes], self._redis.hgetall(self._keys.shelves))
        return {Shelf.named(name.decode()): int(entries) for name, entries in listed.items()}

    def _forget(self, stored: Mapping[Shelf, int], newest: Micros) -> list[Command]:
        kept_from = day_of(int(newest - self._retention_days * DAY_MICROS)) - span_of(self._retention_days)
        return [("HDEL", self._keys.shelves, shelf.name) for shelf in stored if shelf.first_day < kept_from]

    def _run(self, commands: Sequence[Command]) -> None:
        pipeline = self._redis.pipeline(transaction=True)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        pipeline.execute()


def open_index(settings: Settings) -> Index:
    """The configured index, for writing.

    Raises:
        IndexMissing: no Redis is configured.
    """
    return Index(connect(settings), Keys(settings.topic_prefix), settings.index_retention_days)
