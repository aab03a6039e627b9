"""Events to bytes and back, in the three framings that share a topic.

| first bytes | framing | which schema wrote it |
|---|---|---|
| ``C3 01`` | Avro single-object encoding | 8-byte CRC-64-AVRO fingerprint, little-endian |
| ``00`` | Confluent wire format | 4-byte schema id, big-endian; a registry knows it |
| ``{`` | JSON with the same field names | ours |
"""

from collections.abc import Callable
from typing import Any, Generic, TypeAlias, TypeVar

from schemas import catalogue
from schemas.binary_reader import compile_reader, read_event
from schemas.binary_writer import compile_writer, write_event
from schemas.json_reader import compile_json_reader, read_json
from schemas.json_writer import compile_json_writer, write_json
from schemas.malformed import MalformedEvent, Reason
from schemas.resolution import compile_resolution
from schemas.shape import AvroSchema, join

T = TypeVar("T")
SchemaById: TypeAlias = Callable[[int], AvroSchema]
ReadEvent: TypeAlias = Callable[[bytes, int], Any]

SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT = b"\x00"
MAX_EVENT_BYTES = 16_000_000
MAX_WRITER_SCHEMAS = 1_000  # compiled readers kept per codec, about 100 kB each
_SPACE = b" \t\r\n"
_SINGLE_OBJECT_HEADER = 10
_CONFLUENT_HEADER = 5


class Codec(Generic[T]):
    """Encodes and decodes one kind of event; ``cls`` is the frozen dataclass that mirrors schema ``name``.

    ``schema_by_id`` gives the writer's schema (as JSON) of a registry id and raises ``LookupError`` for an id that does
    not exist; whatever else it raises (a registry that is down) passes through. Raises ``TypeError`` when ``cls`` and
    the schema differ. What decoding allocates is at most some 35 times the size of the event, whatever the bytes say;
    150 times where the writer's schema is not ours, for fastavro makes a dictionary of every record.
    """

    def __init__(
        self,
        name: str,
        cls: type[T],
        *,
        schema_by_id: SchemaById | None = None,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self.name = name
        self.schema: AvroSchema = catalogue.current(name)
        self.fingerprint: bytes = catalogue.fingerprint(self.schema)
        self._shape = join(self.schema, cls)
        self._schema_by_id = schema_by_id
        self._max_event_bytes = max_event_bytes
        self._write = compile_writer(self._shape)
        self._render = compile_json_writer(self._shape)
        self._read_json = compile_json_reader(self._shape, self._shape.name)
        read_own = compile_reader(self._shape)
        self._by_fingerprint: dict[bytes, ReadEvent] = dict.fromkeys(
            (self.fingerprint, catalogue.fingerprint_by_avro_package(self.schema)),
            lambda buffer, start: read_event(read_own, buffer, start),
        )
        self._by_id: dict[int, ReadEvent] = {}
        self._head = SINGLE_OBJECT + self.fingerprint

    def encode(self, event: T) -> bytes:
        """The event in single-object encoding."""
        return write_event(self._write, event, self._head)

    def encode_confluent(self, event: T, schema_id: int) -> bytes:
        """The event in the Confluent wire format, under the id a registry gave our current schema."""
        return write_event(self._write, event, CONFLUENT + schema_id.to_bytes(4, "big"))

    def encode_json(self, event: T) -> bytes:
        """The event as one line of JSON."""
        return write_json(self._render, event)

    def decode(self, value: bytes | None) -> T:
        """The event in ``value``, whatever its framing; ``MalformedEvent`` where there is none."""
        if not value:
            raise MalformedEvent(Reason.EMPTY, "the record has no value")
        if len(value) > self._max_event_bytes:
            message = f"{len(value)} bytes, more than the {self._max_event_bytes} accepted"
            raise MalformedEvent(Reason.TOO_LARGE, message)
        event: T
        if value.startswith(SINGLE_OBJECT):
            event = self._reader_of(value[2:_SINGLE_OBJECT_HEADER])(value, _SINGLE_OBJECT_HEADER)
        elif value.startswith(CONFLUENT):
            event = self._reader_by_id(value)(value, _CONFLUENT_HEADER)
        elif value.lstrip(_SPACE).startswith(b"{"):
            event = read_json(self._read_json, value)
        else:
            message = "neither single-object Avro (C3 01), nor Confluent (00), nor a JSON object ({)"
            raise MalformedEvent(Reason.UNKNOWN_FRAMING, message)
        return event

    def _reader_of(self, fingerprint: bytes) -> ReadEvent:
        read = self._by_fingerprint.get(fingerprint)
        if read is not None:
            return read
        if len(fingerprint) < len(self.fingerprint):
            raise MalformedEvent(Reason.TRUNCATED, "the event ends within its fingerprint")
        if fingerprint not in catalogue.known():
            raise MalformedEvent(Reason.UNKNOWN_SCHEMA, f"no schema has the fingerprint {fingerprint.hex()}")
        name, writer = catalogue.known()[fingerprint]
        if name != self.name:
            raise MalformedEvent(Reason.WRONG_TOPIC, f"a {name} where a {self.name} is expected")
        read = self._by_fingerprint[fingerprint] = compile_resolution(writer, self.schema, self._shape)
        return read

    def _reader_by_id(self, value: bytes) -> ReadEvent:
        if len(value) < _CONFLUENT_HEADER:
            raise MalformedEvent(Reason.TRUNCATED, "the event ends within its schema id")
        schema_id = int.from_bytes(value[1:_CONFLUENT_HEADER], "big")
        read = self._by_id.get(schema_id)
        if read is None:
            if len(self._by_id) >= MAX_WRITER_SCHEMAS:
                self._by_id.clear()
            read = self._by_id[schema_id] = self._resolve(schema_id)
        return read

    def _resolve(self, schema_id: int) -> ReadEvent:
        if self._schema_by_id is None:
            message = f"schema id {schema_id}, but no schema registry is configured"
            raise MalformedEvent(Reason.UNKNOWN_SCHEMA, message)
        try:
            writer = self._schema_by_id(schema_id)
        except LookupError:
            raise MalformedEvent(Reason.UNKNOWN_SCHEMA, f"the registry has no schema {schema_id}") from None
        read = compile_resolution(writer, self.schema, self._shape)
        fingerprint = catalogue.fingerprint(writer)
        return self._reader_of(fingerprint) if fingerprint in catalogue.known() else read
