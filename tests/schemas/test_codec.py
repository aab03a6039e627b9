"""What is written is read back, in every framing, by our reader, by fastavro and by the ``avro`` package."""

import io
import json
from dataclasses import replace
from typing import Any

import avro.io
import avro.schema
import fastavro
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import catalogue
from schemas.codec import Codec
from schemas.events import Change, ChangeKind, Column, DataBatch, Numbers, Texts
from schemas.resolution import compile_resolution
from schemas.shape import join
from schemas.varint import write_long
from tests.schemas.examples import CLASSES, FULL, MINIMAL, NOW, same
from tests.schemas.strategies import events

NAMES = sorted(CLASSES)
CODECS: dict[str, Codec[Any]] = {
    name: Codec(name, cls, schema_by_id={7: catalogue.current(name)}.__getitem__) for name, cls in CLASSES.items()
}
RESOLVED = {
    name: compile_resolution(catalogue.current(name), catalogue.current(name), join(catalogue.current(name), cls))
    for name, cls in CLASSES.items()
}
HEADER = 10


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("examples", [FULL, MINIMAL], ids=["full", "minimal"])
def test_an_event_is_read_back_in_every_framing(name: str, examples: dict[str, Any]) -> None:
    codec, event = CODECS[name], examples[name]

    assert same(codec.decode(codec.encode(event)), event)
    assert same(codec.decode(codec.encode_confluent(event, 7)), event)
    assert same(codec.decode(codec.encode_json(event)), event)


@settings(max_examples=40)
@given(st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), events(name))))
def test_any_event_is_read_back_and_both_readers_agree(case: tuple[str, Any]) -> None:
    name, event = case
    encoded = CODECS[name].encode(event)

    assert same(CODECS[name].decode(encoded), event)
    assert same(RESOLVED[name](encoded, HEADER), event)


@settings(max_examples=40)
@given(st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), events(name))))
def test_any_event_is_read_back_from_json(case: tuple[str, Any]) -> None:
    name, event = case

    assert same(CODECS[name].decode(CODECS[name].encode_json(event)), event)


@pytest.mark.parametrize("name", NAMES)
def test_other_libraries_read_what_we_write(name: str) -> None:
    body = CODECS[name].encode(FULL[name])[HEADER:]
    schema = catalogue.current(name)

    assert fastavro.schemaless_reader(io.BytesIO(body), schema)["pipeline"] == "shop"
    parsed = avro.schema.parse(json.dumps(schema))
    assert avro.io.DatumReader(parsed).read(avro.io.BinaryDecoder(io.BytesIO(body)))["pipeline"] == "shop"


@pytest.mark.parametrize("name", NAMES)
def test_we_read_what_fastavro_writes(name: str) -> None:
    schema, codec = catalogue.current(name), CODECS[name]
    body = io.BytesIO(codec.encode(FULL[name])[HEADER:])

    generic = fastavro.schemaless_reader(body, schema, return_record_name=True)
    out = io.BytesIO(codec.encode(FULL[name])[:HEADER])
    out.seek(HEADER)
    fastavro.schemaless_writer(out, schema, generic)
    assert same(codec.decode(out.getvalue()), FULL[name])


@pytest.mark.parametrize("name", NAMES)
def test_we_read_what_the_avro_package_writes(name: str) -> None:
    schema, codec = avro.schema.parse(json.dumps(catalogue.current(name))), CODECS[name]
    event = FULL[name]
    if name == "data_batch":
        event = replace(event, columns=event.columns[:1])  # it cannot choose between records of one field name
    if name == "prediction":
        event = replace(event, features=event.features[:1])
    body = io.BytesIO(codec.encode(event)[HEADER:])

    generic = avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(body))
    out = io.BytesIO()
    avro.io.DatumWriter(schema).write(generic, avro.io.BinaryEncoder(out))
    assert same(codec.decode(b"\xc3\x01" + schema.fingerprint("CRC-64-AVRO") + out.getvalue()), event)


def test_an_array_in_several_blocks_with_negative_counts_is_one_array() -> None:
    codec, values = CODECS["data_batch"], np.arange(5.0)
    event = DataBatch(pipeline="p", dataset="d", produced_at=NOW, rows=5, columns=(column("x", values),))
    encoded = codec.encode(event)
    one_block = write_long(5) + values.tobytes() + b"\x00"
    blocks = write_long(2) + values[:2].tobytes()
    blocks += write_long(-3) + write_long(24) + values[2:].tobytes() + b"\x00"

    decoded = codec.decode(encoded.replace(one_block, blocks))

    assert encoded.count(one_block) == 1
    assert same(decoded, event)


def column(name: str, values: np.ndarray) -> Column:
    return Column(name=name, values=Numbers(values=values))


def test_arrays_are_aligned_read_only_and_do_not_hold_on_to_the_event() -> None:
    codec = CODECS["data_batch"]
    decoded = codec.decode(codec.encode(FULL["data_batch"]))
    numbers, codes = decoded.columns[0].values.values, decoded.columns[2].values.codes

    assert not numbers.flags.writeable
    assert not codes.flags.writeable
    assert numbers.flags.aligned
    assert len(numbers.base) == numbers.nbytes


def test_texts_and_numbers_of_one_length_are_told_apart() -> None:
    codec = CODECS["data_batch"]
    columns = (column("x", np.array([np.nan])), Column(name="y", values=Texts(values=(None,))))
    event = DataBatch(pipeline="p", dataset="d", produced_at=NOW, rows=1, columns=columns)

    assert same(codec.decode(codec.encode_json(event)), event)
    assert same(RESOLVED["data_batch"](codec.encode(event), HEADER), event)


@pytest.mark.parametrize(
    "wrong",
    [
        Change(pipeline="p", component="c", kind=ChangeKind.CODE, at=2**63),
        Change(pipeline=7, component="c", kind=ChangeKind.CODE, at=NOW),  # type: ignore[arg-type]  # on purpose
    ],
)
def test_an_event_that_its_schema_cannot_hold_is_not_written(wrong: Change) -> None:
    with pytest.raises((OverflowError, AttributeError)):
        CODECS["change"].encode(wrong)
