"""The .avsc files against the house rules, against the frozen types, and against other Avro libraries."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import avro.schema
import fastavro
import pytest

from schemas import catalogue
from schemas.binary_writer import compile_writer
from schemas.codec import Codec
from schemas.shape import Record, Sequence, Table, Union, join
from tests.schemas.examples import CLASSES, MINIMAL, same

NAMES = sorted(CLASSES)


def types_in(schema: Any) -> Iterator[dict[str, Any]]:
    """Every type that is written out in a schema, itself first."""
    if isinstance(schema, list):
        for branch in schema:
            yield from types_in(branch)
    elif isinstance(schema, dict):
        yield schema
        for part in ("items", "values"):
            yield from types_in(schema.get(part))
        for field in schema.get("fields", ()):
            yield from types_in(field["type"])


def records_in(shape: Any) -> Iterator[Record]:
    """Every record below a shape, itself first."""
    match shape:
        case Record():
            yield shape
            for member in shape.members:
                yield from records_in(member.shape)
        case Union():
            for branch in shape.branches:
                yield from records_in(branch)
        case Sequence():
            yield from records_in(shape.item)
        case Table():
            yield from records_in(shape.value)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_and_every_type_has_a_doc(name: str) -> None:
    for one in types_in(catalogue.current(name)):
        if "name" in one:
            assert one["doc"].endswith("."), one["name"]
        for field in one.get("fields", ()):
            assert field["doc"].endswith("."), f"{one['name']}.{field['name']}"


@pytest.mark.parametrize("name", NAMES)
def test_every_enum_defaults_to_unknown(name: str) -> None:
    for one in types_in(catalogue.current(name)):
        if one["type"] == "enum":
            assert one["default"] == one["symbols"][0] == "UNKNOWN"


@pytest.mark.parametrize("name", NAMES)
def test_every_nullable_field_defaults_to_null(name: str) -> None:
    for one in types_in(catalogue.current(name)):
        for field in one.get("fields", ()):
            if isinstance(field["type"], list) and "null" in field["type"]:
                assert field["type"][0] == "null"
                assert field["default"] is None


@pytest.mark.parametrize("name", NAMES)
def test_the_namespace_is_headwater_v1_and_the_name_that_of_the_class(name: str) -> None:
    schema = catalogue.current(name)

    assert (schema["namespace"], schema["name"]) == ("headwater.v1", CLASSES[name].__name__)


def test_a_type_that_several_files_need_is_the_same_in_all_of_them() -> None:
    seen: dict[str, Any] = {}
    for name in NAMES:
        for one in types_in(catalogue.current(name)):
            if "name" in one and one["name"] != CLASSES[name].__name__:
                assert seen.setdefault(one["name"], one) == one
    assert {"BatchRef", "Window", "Column", "Finding"} <= seen.keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_class_has_the_fields_of_its_record_in_the_same_order(name: str) -> None:
    by_name = {one["name"]: one for one in types_in(catalogue.current(name)) if one["type"] == "record"}
    for record in records_in(join(catalogue.current(name), CLASSES[name])):
        fields = [field.name for field in dataclasses.fields(record.cls)]
        assert fields == [field["name"] for field in by_name[record.name]["fields"]]


@pytest.mark.parametrize("name", NAMES)
def test_absent_fields_get_the_same_default_in_python_and_in_avro(name: str) -> None:
    codec = Codec(name, CLASSES[name])
    required = {member.name for member in join(codec.schema, CLASSES[name]).members if member.required}
    document = {key: value for key, value in json.loads(codec.encode_json(MINIMAL[name])).items() if key in required}
    written = {**codec.schema, "fields": [field for field in codec.schema["fields"] if "default" not in field]}
    confluent = Codec(name, CLASSES[name], schema_by_id={1: written}.__getitem__)
    narrow = bytes.fromhex("0000000001") + _body_of_required(name, required)

    assert same(codec.decode(json.dumps(document).encode()), MINIMAL[name])
    assert same(confluent.decode(narrow), MINIMAL[name])


def _body_of_required(name: str, required: set[str]) -> bytes:
    chunks: list[bytes] = []
    for member in join(catalogue.current(name), CLASSES[name]).members:
        if member.name in required:
            compile_writer(member.shape)(getattr(MINIMAL[name], member.name), chunks.append)
    return b"".join(chunks)


@pytest.mark.parametrize("name", NAMES)
def test_each_file_alone_is_enough_for_other_avro_libraries(name: str) -> None:
    text = json.dumps(catalogue.current(name))

    fastavro.parse_schema(json.loads(text))
    parsed = avro.schema.parse(text)
    assert parsed.fullname == f"headwater.v1.{CLASSES[name].__name__}"
    assert catalogue.known()[parsed.fingerprint("CRC-64-AVRO")] == (name, catalogue.current(name))


def test_a_class_that_differs_from_its_schema_is_refused_when_the_codec_is_made() -> None:
    with pytest.raises(TypeError, match="Outcome"):
        Codec("outcome", CLASSES["change"])
