"""An Avro schema and the Python type that mirrors it, joined into one typed tree.

Readers and writers of every framing are compiled from this tree, once per schema. Records meet dataclasses by field
name, so a type of another room is encoded without this room knowing it.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import numpy as np

AvroSchema: TypeAlias = Any  # the JSON form of a schema: a name, a list (union) or an object
PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}


@dataclass(frozen=True, slots=True)
class Integer:
    """``int`` (32 bits) or ``long`` (64 bits); ``is_time`` for microseconds since the epoch."""

    bits: int
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class Scalar:
    """``null``, ``boolean``, ``double``, ``string`` or ``bytes``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Enumeration:
    """An enum: ``members`` in the order of the schema, the default one first looked up by ``default``."""

    members: tuple[Enum, ...]
    default: Enum


@dataclass(frozen=True, slots=True)
class Vector:
    """An array of numbers kept as numpy: ``double`` as float64, ``int`` as int32."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """An array kept as a tuple."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class Table:
    """A map with text keys."""

    value: "Shape"


@dataclass(frozen=True, slots=True)
class Union:
    """One of several; ``null`` comes first where it is allowed."""

    branches: tuple["Shape", ...]

    @property
    def nullable(self) -> bool:
        """Whether ``null`` is one of the branches."""
        return self.branches[0] == Scalar("null")

    @property
    def records(self) -> tuple["Record", ...]:
        """The branches that are records."""
        return tuple(branch for branch in self.branches if isinstance(branch, Record))


@dataclass(frozen=True, slots=True)
class Member:
    """One field of a record."""

    name: str
    shape: "Shape"
    required: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A record and its dataclass."""

    name: str
    cls: type
    members: tuple[Member, ...]


Shape: TypeAlias = Integer | Scalar | Enumeration | Vector | Sequence | Table | Union | Record


def join(schema: AvroSchema, cls: type) -> Record:
    """The tree of a record schema and the dataclass that mirrors it; ``TypeError`` where the two differ."""
    shape = _join(schema, cls, {}, schema["name"])
    if not isinstance(shape, Record):
        raise TypeError(f"{schema['name']} is not a record")
    return shape


def _join(schema: AvroSchema, hint: Any, named: dict[str, AvroSchema], path: str) -> Shape:
    if isinstance(schema, list):
        return _join_union(schema, hint, named, path)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind not in PRIMITIVES and isinstance(schema, str):
        return _join(named[schema.rsplit(".", 1)[-1]], hint, named, path)
    match kind:
        case "int" | "long":
            is_time = isinstance(schema, dict) and schema.get("logicalType") == "timestamp-micros"
            return Integer(32 if kind == "int" else 64, is_time)
        case "array":
            return _join_array(schema, hint, named, path)
        case "map":
            _expect(typing.get_origin(hint) is Mapping or hint is Mapping, path, "a Mapping")
            return Table(_join(schema["values"], typing.get_args(hint)[1], named, f"{path}{{}}"))
        case "enum":
            named[schema["name"]] = schema
            _expect(isinstance(hint, type) and issubclass(hint, Enum), path, "an enum")
            return Enumeration(tuple(hint(symbol) for symbol in schema["symbols"]), hint(schema["default"]))
        case "record":
            named[schema["name"]] = schema
            return _join_record(schema, hint, named, path)
        case "null" | "boolean" | "double" | "string" | "bytes":
            return Scalar(kind)
    raise TypeError(f"{path}: {kind} is not used in this room")


def _join_array(schema: AvroSchema, hint: Any, named: dict[str, AvroSchema], path: str) -> Shape:
    if typing.get_origin(hint) is np.ndarray:
        _expect(schema["items"] in ("double", "int"), path, "an array of double or int")
        return Vector(schema["items"])
    _expect(typing.get_origin(hint) is tuple, path, "a tuple")
    return Sequence(_join(schema["items"], typing.get_args(hint)[0], named, f"{path}[]"))


def _join_union(schema: AvroSchema, hint: Any, named: dict[str, AvroSchema], path: str) -> Shape:
    hints = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    by_name = {getattr(one, "__name__", ""): one for one in hints}
    others = [one for one in hints if one is not types.NoneType]
    _expect(("null" in schema) == (types.NoneType in hints), path, "nullable on both sides")
    branches: list[Shape] = []
    for branch in schema:
        if branch == "null":
            branches.append(Scalar("null"))
        elif len(others) == 1:
            branches.append(_join(branch, others[0], named, path))
        else:
            name = branch if isinstance(branch, str) else branch["name"]
            branches.append(_join(branch, by_name[name.rsplit(".", 1)[-1]], named, path))
    return Union(tuple(branches))


def _join_record(schema: AvroSchema, hint: Any, named: dict[str, AvroSchema], path: str) -> Record:
    _expect(
        dataclasses.is_dataclass(hint) and getattr(hint, "__name__", "") == schema["name"],
        path,
        f"dataclass {schema['name']}",
    )
    hints = typing.get_type_hints(hint)
    fields = {field.name: field for field in dataclasses.fields(hint)}
    names = [field["name"] for field in schema["fields"]]
    _expect(set(names) == set(fields), path, f"the same fields; differing: {sorted(set(names) ^ set(fields))}")
    members = []
    for field in schema["fields"]:
        name = field["name"]
        required = fields[name].default is dataclasses.MISSING and fields[name].default_factory is dataclasses.MISSING
        _expect(required == ("default" not in field), f"{path}.{name}", "a default on both sides, or on neither")
        members.append(Member(name, _join(field["type"], hints[name], named, f"{path}.{name}"), required))
    return Record(schema["name"], hint, tuple(members))


def _expect(holds: bool, path: str, what: str) -> None:
    if not holds:
        raise TypeError(f"{path}: schema and type must agree on {what}")
