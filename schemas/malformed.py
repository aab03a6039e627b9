"""The one family of errors of this room: an event that cannot be read, and why."""

from enum import StrEnum


class Reason(StrEnum):
    """Why an event was refused; a small closed set, because it labels metrics and dead letters."""

    EMPTY = "EMPTY"  # no bytes at all
    TOO_LARGE = "TOO_LARGE"  # more bytes, or more records in one array, than are accepted
    UNKNOWN_FRAMING = "UNKNOWN_FRAMING"  # neither single-object Avro, nor Confluent, nor JSON
    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"  # a fingerprint or schema id nobody knows
    WRONG_TOPIC = "WRONG_TOPIC"  # one of our events, but not the one expected here
    INCOMPATIBLE_SCHEMA = "INCOMPATIBLE_SCHEMA"  # the writer's schema cannot be resolved to ours
    TRUNCATED = "TRUNCATED"  # the bytes end too early, or a count promises more than there is
    TRAILING_BYTES = "TRAILING_BYTES"  # bytes are left over after the event
    NOT_AVRO = "NOT_AVRO"  # the bytes are no encoding of the schema
    BAD_JSON = "BAD_JSON"  # not a JSON object
    UNKNOWN_FIELD = "UNKNOWN_FIELD"  # JSON with a field the schema does not have
    MISSING_FIELD = "MISSING_FIELD"  # JSON without a field that is required
    BAD_VALUE = "BAD_VALUE"  # readable, but not meaningful
    TOO_MANY_SUBJECTS = "TOO_MANY_SUBJECTS"  # one more dataset or model than a partition may hold
    OUR_FAULT = "OUR_FAULT"  # readable and meaningful, and we failed on it


class MalformedEvent(ValueError):
    """The producer sent something that cannot be read; ``reason`` says why in one word.

    The message names fields, counts and positions, never the value of a row.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
