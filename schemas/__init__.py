"""The contract: Avro schemas, frozen event types, codec and framing.

The room's public names; modules not named here are its own business.

| name | what it does |
|---|---|
| ``events`` | the frozen types of what producers send |
| ``Decoder(kind, …).decode(value)`` | the door: bytes of an input event to its type, checked, sensitive texts hashed |
| ``Codec(name, cls, …)`` | ``encode``, ``encode_json``, ``encode_confluent`` and ``decode`` of any of the six kinds |
| ``check(event)`` | refuses an event that makes no sense; ``Decoder`` calls it |
| ``hash_sensitive(event, salt)`` | hashes the texts of sensitive columns; ``Decoder`` calls it |
| ``MalformedEvent``, ``Reason`` | the one error of decoding, and why in one word |
| ``catalogue`` | the schemas themselves: ``current(name)``, ``released(name)``, ``fingerprint(schema)`` |
"""

from schemas.codec import Codec, SchemaById
from schemas.decoder import SCHEMA_OF, Decoder
from schemas.malformed import MalformedEvent, Reason
from schemas.meaning import check
from schemas.sensitive import hash_sensitive

__all__ = [
    "SCHEMA_OF",
    "Codec",
    "Decoder",
    "MalformedEvent",
    "Reason",
    "SchemaById",
    "check",
    "hash_sensitive",
]
