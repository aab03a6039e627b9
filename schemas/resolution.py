"""Reads what was written with another schema than ours: an older release, or a producer's own from a registry.

The bytes are skimmed for their bounds, fastavro resolves them to our schema (Avro specification, "Schema Resolution"),
and its generic records become dataclasses.
"""

import io
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from fastavro import schemaless_reader
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException, UnknownType, parse_schema
from numpy.typing import NDArray

from schemas.binary_reader import read_event
from schemas.branch import branch_of, named_branch
from schemas.malformed import MalformedEvent, Reason
from schemas.shape import AvroSchema, Enumeration, Record, Sequence, Shape, Table, Union, Vector
from schemas.skim import compile_skim

Build: TypeAlias = Callable[[Any], Any]
_INVALID_SCHEMA = (SchemaParseException, UnknownType, KeyError, TypeError, ValueError, AttributeError, RecursionError)
_UNREADABLE = (EOFError, IndexError, KeyError, OverflowError, TypeError, ValueError, RecursionError)


def compile_resolution(writer: AvroSchema, reader: AvroSchema, shape: Record) -> Callable[[bytes, int], Any]:
    """The function that reads an event written with ``writer``, from a position to the end of the bytes.

    Raises ``MalformedEvent(INCOMPATIBLE_SCHEMA)`` at once where ``writer`` is no schema, or cannot be ours.
    """
    try:
        plain = _without_logical_types(writer)
        parsed = parse_schema(plain, _write_hint=False)
        skim = compile_skim(plain)
        _refuse_other_units(writer, reader)
    except _INVALID_SCHEMA as error:
        if isinstance(error, MalformedEvent):
            raise
        raise MalformedEvent(Reason.INCOMPATIBLE_SCHEMA, "the writer's schema is not a valid Avro schema") from error
    ours = parse_schema(_without_logical_types(reader), _write_hint=False)
    build = _compile_builder(shape)

    def walk(buffer: bytes, position: int) -> tuple[None, int]:
        return None, skim(buffer, position, 0)

    def read(buffer: bytes, start: int) -> Any:
        read_event(walk, buffer, start)
        try:
            generic = schemaless_reader(
                io.BytesIO(buffer[start:]), parsed, ours, return_record_name=True, return_record_name_override=True
            )
            return build(generic)
        except SchemaResolutionError:
            message = "the writer's schema cannot be resolved to ours: a type differs, or a required field is missing"
            raise MalformedEvent(Reason.INCOMPATIBLE_SCHEMA, message) from None
        except _UNREADABLE as error:
            message = f"the bytes do not follow the writer's schema ({type(error).__name__})"
            raise MalformedEvent(Reason.NOT_AVRO, message) from None  # the cause may hold values

    return read


def _without_logical_types(schema: AvroSchema) -> AvroSchema:
    """The schema with plain integers for times: fastavro would make ``datetime`` objects of them."""
    if isinstance(schema, list):
        return [_without_logical_types(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key in ("default", "symbols", "aliases", "doc") else _without_logical_types(value)
        for key, value in schema.items()
        if key != "logicalType"
    }


def _refuse_other_units(writer: AvroSchema, reader: AvroSchema) -> None:
    """Avro resolves milliseconds to microseconds as if they were the same number, so they are refused here."""
    wanted = _times(reader)
    for place, unit in _times(writer).items():
        if place in wanted and unit != wanted[place]:
            message = f"field {place[1]} of {place[0]} is written as {unit}, {wanted[place]} is expected"
            raise MalformedEvent(Reason.INCOMPATIBLE_SCHEMA, message)


def _times(schema: AvroSchema, place: tuple[str, str] = ("", "")) -> dict[tuple[str, str], str]:
    """The unit of every time field, by record and field name."""
    found: dict[tuple[str, str], str] = {}
    if isinstance(schema, list):
        for branch in schema:
            found |= _times(branch, place)
    elif isinstance(schema, dict):
        if schema.get("type") == "long" and "logicalType" in schema:
            found[place] = str(schema["logicalType"])
        for field in schema.get("fields", ()):
            found |= _times(field["type"], (str(schema["name"]).rsplit(".", 1)[-1], field["name"]))
        for part in ("items", "values"):
            found |= _times(schema.get(part), place)
    return found


def _compile_builder(shape: Shape) -> Build:
    match shape:
        case Record():
            return _record(shape)
        case Union():
            return _union(shape)
        case Sequence():
            build_item = _compile_builder(shape.item)
            return lambda value: tuple([build_item(item) for item in value])
        case Table():
            build_value = _compile_builder(shape.value)
            return lambda value: {key: build_value(entry) for key, entry in value.items()}
        case Vector():
            return _read_only(np.float64 if shape.kind == "double" else np.int32)
        case Enumeration():
            members = {str(member.value): member for member in shape.members}
            return lambda value: members.get(value, shape.default)
    return lambda value: value


def _read_only(dtype: type) -> Build:
    def build(value: Any) -> Any:
        array: NDArray[Any] = np.array(value, dtype)
        array.flags.writeable = False
        return array

    return build


def _record(shape: Record) -> Build:
    cls = shape.cls
    members = tuple((member.name, _compile_builder(member.shape)) for member in shape.members)

    def build(value: Any) -> Any:
        if type(value) is tuple:  # the writer had a union where we have one record
            value = value[1]
        return cls(**{name: build_member(value[name]) for name, build_member in members})

    return build


def _union(shape: Union) -> Build:
    if len(shape.records) < 2:
        build_other = _compile_builder(shape.branches[-1])
        return lambda value: None if value is None else build_other(value)
    builders = {branch.name: _compile_builder(branch) for branch in shape.records}

    def build(value: Any) -> Any:
        if value is None:
            return None
        if type(value) is tuple:
            return builders[named_branch(value[0])](value[1])
        return builders[branch_of(shape.records, value).name](value)

    return build
