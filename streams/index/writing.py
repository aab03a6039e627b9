"""What a record of the log adds to the index, as Redis commands: pure, and harmless to repeat."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind
from streams.index.header import header_of
from streams.index.keys import DAY_MICROS, Keys, Micros, Ref, Shelf, day_of, member, shelf_for, span_of
from streams.index.stored import alert_to_bytes, events_to_bytes, node_to_bytes
from streams.index.texts import batch_text, child_text, id_text, is_loose, partition_text, prediction_text, window_start

T = TypeVar("T")
Command: TypeAlias = tuple[str | bytes | int, ...]

ALERTS_KEPT_DAYS = 90
LINKS_PER_CALL = 1000
ADD_LINKS = """
for i, bucket in ipairs(KEYS) do
  redis.call('ZADD', bucket, 0, ARGV[i + 1])
  redis.call('PEXPIREAT', bucket, ARGV[1])
end
"""  # one call for a thousand links: as commands of their own they cost the client seven times as much
INDEXED = (ObservationKind.BATCH, ObservationKind.WINDOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged(Generic[T]):
    """A record as it was read: its place in its topic and when Kafka stored it."""

    partition: int
    offset: int
    stored_at: Micros
    value: T

    @property
    def ref(self) -> Ref:
        """What the index calls the record."""
        return Ref(self.partition, self.offset)


@dataclass(frozen=True, slots=True)
class Writer:
    """Turns records into commands; everything about a batch expires ``retention_days`` after it was stored."""

    keys: Keys
    retention_days: float

    def shelf(self, logged: Logged[Observation], stored: Mapping[Shelf, int]) -> Shelf:
        """The shelf that takes what leads to a record; ``stored``: the entries on each so far."""
        return shelf_for(day_of(logged.stored_at), stored, span_of(self.retention_days))

    def of_observation(self, logged: Logged[Observation], shelf: Shelf) -> list[Command]:
        """The commands for a batch or window; none for other kinds."""
        seen = logged.value
        if seen.kind not in INDEXED:
            return []
        key, field = self.keys.nodes(logged.ref)
        expires = self._expires(logged.stored_at)
        commands: list[Command] = [
            ("HSET", key, field, node_to_bytes(header_of(seen))),
            ("PEXPIREAT", key, expires),
            *self._links(logged, shelf),
            *self._loosely(logged, expires),
        ]
        if seen.kind is ObservationKind.WINDOW:
            page = events_to_bytes(seen.predictions)
            return [*commands, ("SET", self.keys.predictions(logged.ref), page, "PXAT", expires)]
        listed = self.keys.dataset(seen.subject, day_of(seen.at))
        return [*commands, ("ZADD", listed, seen.at, logged.ref.packed()), ("PEXPIREAT", listed, expires)]

    def of_alert(self, logged: Logged[Alert]) -> list[Command]:
        """The commands for a revision of an alert: the latest is kept, for 90 days as on its topic."""
        alert = logged.value
        expires = logged.stored_at // 1000 + ALERTS_KEPT_DAYS * DAY_MICROS // 1000
        oldest = logged.stored_at - ALERTS_KEPT_DAYS * DAY_MICROS
        commands: list[Command] = [
            ("SET", self.keys.alert(alert.alert_id), alert_to_bytes(alert), "PXAT", expires),
        ]
        for listed in (self.keys.alerts(None), self.keys.alerts(alert.pipeline)):
            commands.append(("ZADD", listed, logged.stored_at, alert.alert_id))
            commands.append(("ZREMRANGEBYSCORE", listed, "-inf", oldest))
        return commands

    def position(self, topic: str, partition: int, offset: int) -> Command:
        """The command that remembers how far a partition has been read: ``offset`` is the next to read."""
        return ("SET", self.keys.position(topic, partition), offset)

    def _links(self, logged: Logged[Observation], shelf: Shelf) -> Iterator[Command]:
        texts = list(dict.fromkeys(texts_of(logged.value)))
        expires = self._expires((shelf.first_day + span_of(self.retention_days)) * DAY_MICROS)
        for start in range(0, len(texts), LINKS_PER_CALL):
            some = texts[start : start + LINKS_PER_CALL]
            buckets = [self.keys.bucket(shelf, text) for text in some]
            yield ("EVAL", ADD_LINKS, len(some), *buckets, expires, *(member(text, logged.ref) for text in some))
        yield ("HINCRBY", self.keys.shelves, shelf.name, len(texts))

    def _loosely(self, logged: Logged[Observation], expires: int) -> Iterator[Command]:
        seen = logged.value
        for parent in filter(is_loose, seen.parents):
            subject = f"{parent.pipeline or seen.pipeline}/{parent.dataset}"
            start = window_start(parent, seen.at)
            if start is None:
                listed, score, longest = self.keys.readers(subject, day_of(seen.at)), seen.at, 0
            else:
                listed, score = self.keys.spans(subject, day_of(start)), start
                longest = (parent.window_end or seen.at) - start
            yield ("ZADD", listed, score, logged.ref.packed())
            yield ("PEXPIREAT", listed, expires)
            yield ("ZADD", self.keys.loose, "GT", longest, subject)
            yield ("PEXPIREAT", self.keys.loose, expires)

    def _expires(self, stored_at: Micros) -> int:
        return int(stored_at / 1000 + self.retention_days * DAY_MICROS / 1000)


def texts_of(seen: Observation) -> Iterator[str]:
    """Every text that leads to a record: its id, its partition, the parents it names, the predictions of a window."""
    yield id_text(seen.batch_id)
    yield batch_text(seen.pipeline, seen.name, seen.batch_id)
    if seen.partition is not None:
        yield partition_text(seen.pipeline, seen.name, seen.partition)
    for parent in seen.parents:
        if not is_loose(parent):
            yield child_text(parent, seen.pipeline)
    for event in seen.predictions:
        for prediction_id in event.ids:
            yield prediction_text(prediction_id)
