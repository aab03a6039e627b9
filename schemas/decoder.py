"""The door: bytes in, an event that makes sense out, or ``MalformedEvent``."""

from typing import Generic, TypeVar

from schemas.codec import MAX_EVENT_BYTES, Codec, SchemaById
from schemas.events import Change, DataBatch, Outcome, Prediction
from schemas.meaning import check
from schemas.sensitive import hash_sensitive

E = TypeVar("E", DataBatch, Prediction, Outcome, Change)

SCHEMA_OF: dict[type, str] = {
    DataBatch: "data_batch",
    Prediction: "prediction",
    Outcome: "outcome",
    Change: "change",
}


class Decoder(Generic[E]):
    """Reads one kind of input event, refuses nonsense, and hashes sensitive texts.

    ``salt`` keys the hashes of sensitive columns; without it they are left as they are.
    ``schema_by_id`` and ``max_event_bytes`` are those of ``Codec``.
    """

    def __init__(
        self,
        kind: type[E],
        *,
        schema_by_id: SchemaById | None = None,
        max_event_bytes: int = MAX_EVENT_BYTES,
        salt: bytes | None = None,
    ) -> None:
        self.codec: Codec[E] = Codec(SCHEMA_OF[kind], kind, schema_by_id=schema_by_id, max_event_bytes=max_event_bytes)
        self._salt = salt

    def decode(self, value: bytes | None) -> E:
        """The event in ``value``; raises ``MalformedEvent`` and nothing else but what ``schema_by_id`` raises."""
        event = self.codec.decode(value)
        check(event)
        return event if self._salt is None else hash_sensitive(event, self._salt)
