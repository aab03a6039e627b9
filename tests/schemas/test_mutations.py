"""Whatever the bytes, decoding gives an event or ``MalformedEvent``, and never takes much memory."""

import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import catalogue
from schemas.codec import Codec
from schemas.events import DataBatch
from schemas.malformed import MalformedEvent, Reason
from schemas.varint import write_long
from tests.schemas.examples import CLASSES, FULL

NAMES = sorted(CLASSES)
HEADER = 10


def longer(schema: Any) -> Any:
    """Our schema as a producer with one more field writes it, which our fast reader does not know."""
    field = {"name": "extra", "type": {"type": "array", "items": "null"}, "default": []}
    return {**schema, "fields": [*schema["fields"], field]}


CODECS: dict[str, Codec[Any]] = {
    name: Codec(name, cls, schema_by_id={1: longer(catalogue.current(name))}.__getitem__)
    for name, cls in CLASSES.items()
}
OWN = {name: CODECS[name].encode(FULL[name]) for name in NAMES}
FOREIGN = {name: b"\x00\x00\x00\x00\x01" + OWN[name][HEADER:] + b"\x00" for name in NAMES}
JSON = {name: CODECS[name].encode_json(FULL[name]) for name in NAMES}


def reason_of(name: str, value: bytes) -> Reason | None:
    try:
        CODECS[name].decode(value)
    except MalformedEvent as error:
        return error.reason
    return None


@settings(max_examples=150)
@given(
    st.sampled_from(NAMES),
    st.sampled_from([OWN, FOREIGN, JSON]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=3),
)
def test_flipped_bytes_raise_nothing_but_malformed_event(
    name: str, framing: dict[str, bytes], flips: list[tuple[int, int]]
) -> None:
    value = bytearray(framing[name])
    for place, mask in flips:
        value[place % len(value)] ^= mask

    with suppress(MalformedEvent):
        CODECS[name].decode(bytes(value))


@settings(max_examples=100)
@given(st.sampled_from(NAMES), st.sampled_from([b"", b"\xc3\x01", b"\x00\x00\x00\x00\x01", b"{"]), st.binary())
@example("change", b"\xc3\x01", b"")
def test_arbitrary_bytes_raise_nothing_but_malformed_event(name: str, head: bytes, tail: bytes) -> None:
    if head == b"\xc3\x01":
        head += CODECS[name].fingerprint

    with suppress(MalformedEvent):
        CODECS[name].decode(head + tail)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("framing", [OWN, FOREIGN, JSON], ids=["own", "foreign", "json"])
def test_an_event_cut_anywhere_is_refused(name: str, framing: dict[str, bytes]) -> None:
    for size in range(len(framing[name])):
        assert reason_of(name, framing[name][:size]) is not None, size


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("framing", [OWN, FOREIGN], ids=["own", "foreign"])
def test_bytes_behind_the_event_are_refused(name: str, framing: dict[str, bytes]) -> None:
    assert reason_of(name, framing[name] + b"\x00") is Reason.TRAILING_BYTES


def peak_of(value: bytes) -> int:
    tracemalloc.start()
    try:
        assert reason_of("data_batch", value) is not None
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [10**6, 2**40, 2**62, -(10**6), -(2**62)])
def test_a_count_that_promises_more_than_there_is_allocates_nothing(count: int) -> None:
    own = OWN["data_batch"]
    place = own.index(write_long(3) + FULL["data_batch"].columns[0].values.values.tobytes())
    numbers = own[:place] + write_long(count) + own[place + 1 :]
    nulls = FOREIGN["data_batch"][:-1] + write_long(count) + b"\x00"
    peak_of(nulls)  # the first one compiles

    for value in (numbers, nulls):
        assert peak_of(value) < 200_000


def test_more_records_in_one_array_than_are_accepted_are_refused() -> None:
    codec = Codec("data_batch", DataBatch)
    event = DataBatch(pipeline="p", dataset="d", produced_at=0, rows=0)
    encoded = codec.encode(event)
    columns = write_long(100_001) + b"\x00\x00\x00\x00\x00" * 100_001 + b"\x00"

    with pytest.raises(MalformedEvent) as refused:
        codec.decode(encoded[:-1] + columns)
    assert refused.value.reason is Reason.TOO_LARGE


def test_a_schema_that_contains_itself_is_not_followed_for_ever() -> None:
    node = {
        "type": "record",
        "name": "Node",
        "fields": [{"name": "next", "type": ["null", "Node"]}],
    }
    schema = catalogue.current("change")
    writer = {**schema, "fields": [*schema["fields"], {"name": "extra", "type": node}]}
    codec = Codec("change", CLASSES["change"], schema_by_id={1: writer}.__getitem__)

    for depth, reason in ((10, None), (1_000, Reason.NOT_AVRO)):
        value = b"\x00\x00\x00\x00\x01" + OWN["change"][HEADER:] + b"\x02" * depth + b"\x00"
        try:
            codec.decode(value)
            said = None
        except MalformedEvent as error:
            said = error.reason
        assert said is reason


def test_errors_do_not_repeat_what_a_column_holds() -> None:
    secret = "hunter2"
    for value in (
        b'{"pipeline": "p", "dataset": "d", "produced_at": "hunter2", "rows": 1}',
        b'{"pipeline": "p", "dataset": "d", "produced_at": 1, "rows": "hunter2"}',
        b'{"pipeline": "p", "columns": [{"name": "x", "values": [1, "hunter2"]}], "dataset": "hunter2',
    ):
        with pytest.raises(MalformedEvent) as refused:
            CODECS["data_batch"].decode(value)
        assert secret not in str(refused.value)
        assert refused.value.__cause__ is None
