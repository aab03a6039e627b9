"""Which framing, which schema, whose fault."""

import copy
from typing import Any

import pytest

from schemas import catalogue
from schemas.codec import Codec
from schemas.decoder import Decoder
from schemas.events import Change, ChangeKind, DataBatch, Prediction
from schemas.malformed import MalformedEvent, Reason
from tests.schemas.examples import FULL, MINIMAL, NOW, same

CONFLUENT = b"\x00\x00\x00\x00\x2a"  # id 42
HEADER = 10


def body(name: str, cls: type, event: Any) -> bytes:
    return Codec(name, cls).encode(event)[HEADER:]


def test_our_own_framing_is_the_marker_and_the_fingerprint_in_little_endian() -> None:
    int_schema = {"type": "int"}

    assert catalogue.fingerprint(int_schema)[::-1].hex() == "7275d51a3f395c8f"  # from the specification's table
    assert (
        Codec("change", Change)
        .encode(FULL["change"])
        .startswith(b"\xc3\x01" + catalogue.fingerprint(catalogue.current("change")))
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.EMPTY),
        (b"", Reason.EMPTY),
        (b"hello", Reason.UNKNOWN_FRAMING),
        (b"[1, 2]", Reason.UNKNOWN_FRAMING),
        (b"\xc3\x02", Reason.UNKNOWN_FRAMING),
        (b"\xc3\x01\x00", Reason.TRUNCATED),
        (b"\xc3\x01" + b"\x11" * 8, Reason.UNKNOWN_SCHEMA),
        (b"\x00\x00", Reason.TRUNCATED),
        (CONFLUENT + b"\x02", Reason.UNKNOWN_SCHEMA),
        (b'{"pipeline": ', Reason.BAD_JSON),
        (b'{"pipeline": "\xff"}', Reason.BAD_JSON),
        (b'{"a":' * 100_000, Reason.BAD_JSON),
        (b'{"at": 1' + b"0" * 5_000 + b"}", Reason.BAD_JSON),
        (b"{}", Reason.MISSING_FIELD),
        (b'{"pipelin": "shop"}', Reason.UNKNOWN_FIELD),
        (b"\xc3\x01" + catalogue.fingerprint(catalogue.current("alert")), Reason.WRONG_TOPIC),
        (b"x" * 2_000_000, Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(value: bytes | None, reason: Reason) -> None:
    with pytest.raises(MalformedEvent) as refused:
        Decoder(Change, max_event_bytes=1_000_000).decode(value)

    assert refused.value.reason is reason


def test_a_schema_id_is_asked_for_once() -> None:
    asked = []

    def schema_by_id(schema_id: int) -> Any:
        asked.append(schema_id)
        return catalogue.current("change")

    decoder = Decoder(Change, schema_by_id=schema_by_id)
    value = CONFLUENT + body("change", Change, FULL["change"])

    assert same(decoder.decode(value), FULL["change"])
    assert same(decoder.decode(value), FULL["change"])
    assert asked == [42]


def test_an_id_that_the_registry_does_not_have_is_an_unknown_schema() -> None:
    decoder = Decoder(Change, schema_by_id={}.__getitem__)

    with pytest.raises(MalformedEvent) as refused:
        decoder.decode(CONFLUENT + b"\x02")
    assert refused.value.reason is Reason.UNKNOWN_SCHEMA


def test_a_registry_that_is_down_is_not_the_events_fault() -> None:
    def down(_: int) -> Any:
        raise ConnectionError("no route to the registry")

    with pytest.raises(ConnectionError):
        Decoder(Change, schema_by_id=down).decode(CONFLUENT + b"\x02")


def written_as(writer: Any) -> Decoder[Change]:
    return Decoder(Change, schema_by_id={42: writer}.__getitem__)


def change_schema(**replaced: Any) -> Any:
    """The schema of a change with some fields' types replaced."""
    schema = copy.deepcopy(catalogue.current("change"))
    for field in schema["fields"]:
        field["type"] = replaced.get(field["name"], field["type"])
    return schema


def test_a_producer_with_fewer_and_with_more_fields_is_understood() -> None:
    schema = catalogue.current("change")
    fields = [field for field in schema["fields"] if "default" not in field]
    writer = {**schema, "fields": [{"name": "colour", "type": "string"}, *fields]}
    required = body("change", Change, MINIMAL["change"])[:-6]  # six nulls

    assert same(written_as(writer).decode(CONFLUENT + b"\x06red" + required), MINIMAL["change"])


def test_a_symbol_that_we_do_not_know_is_unknown() -> None:
    kinds = {"type": "enum", "name": "ChangeKind", "symbols": ["WEATHER", "CODE"]}
    value = b"\x02p\x02c\x00\x02" + b"\x00" * 6

    assert written_as(change_schema(kind=kinds)).decode(CONFLUENT + value).kind is ChangeKind.UNKNOWN


def test_a_field_of_another_type_is_incompatible() -> None:
    value = b"\x0e" + body("change", Change, FULL["change"])[len("?shop") :]

    with pytest.raises(MalformedEvent) as refused:
        written_as(change_schema(pipeline="int")).decode(CONFLUENT + value)
    assert refused.value.reason is Reason.INCOMPATIBLE_SCHEMA


def test_milliseconds_are_not_taken_for_microseconds() -> None:
    writer = change_schema(at={"type": "long", "logicalType": "timestamp-millis"})

    with pytest.raises(MalformedEvent, match="timestamp-millis") as refused:
        written_as(writer).decode(CONFLUENT + body("change", Change, FULL["change"]))
    assert refused.value.reason is Reason.INCOMPATIBLE_SCHEMA


@pytest.mark.parametrize("writer", [{}, {"type": "record"}, "nonsense", 7, None, {"type": "record", "name": "Change"}])
def test_a_registry_that_answers_nonsense_makes_a_dead_letter(writer: Any) -> None:
    with pytest.raises(MalformedEvent) as refused:
        written_as(writer).decode(CONFLUENT + b"\x02")
    assert refused.value.reason is Reason.INCOMPATIBLE_SCHEMA


def test_an_event_of_another_kind_from_the_registry_is_on_the_wrong_topic() -> None:
    decoder = Decoder(Prediction, schema_by_id={42: catalogue.current("data_batch")}.__getitem__)

    with pytest.raises(MalformedEvent) as refused:
        decoder.decode(CONFLUENT + body("data_batch", DataBatch, FULL["data_batch"]))
    assert refused.value.reason is Reason.WRONG_TOPIC


def test_a_producer_that_only_knows_numbers_is_understood() -> None:
    schema = copy.deepcopy(catalogue.current("data_batch"))
    (columns,) = [field for field in schema["fields"] if field["name"] == "columns"]
    numbers = columns["type"]["items"]["fields"][1]["type"][0]
    columns["type"]["items"]["fields"] = [
        {"name": "name", "type": "string"},
        {"name": "values", "type": numbers},
    ]
    required = [field for field in schema["fields"] if "default" not in field]
    writer = {**schema, "fields": [*required, columns]}
    event = b"\x02p\x02d\x00\x04" + b"\x02\x02x\x04" + b"\x00" * 16 + b"\x00\x00"

    decoded = Decoder(DataBatch, schema_by_id={42: writer}.__getitem__).decode(CONFLUENT + event)

    assert decoded.columns[0].values.values.tolist() == [0.0, 0.0]
    assert decoded.produced_at == 0 < NOW
