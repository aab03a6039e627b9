"""Walks Avro binary of any schema without building anything: are the bytes a whole event, and how much would it be?

fastavro expands a 10-byte message with an ``array<null>`` to 490 MB; nothing reaches it that did not pass here. Every
count is checked against the bytes that are left, and recursion is bounded.
"""

from collections.abc import Callable
from typing import TypeAlias

from schemas.binary_reader import MAX_RECORDS
from schemas.binary_values import read_count
from schemas.malformed import MalformedEvent, Reason
from schemas.shape import AvroSchema
from schemas.varint import read_ints, read_long

Skim: TypeAlias = Callable[[bytes, int, int], int]  # bytes, position, depth -> position after the value

MAX_DEPTH = 64
_FIXED_SIZES = {"null": 0, "boolean": 1, "float": 4, "double": 8}


def compile_skim(schema: AvroSchema) -> Skim:
    """The function that walks one value of ``schema``; ``MalformedEvent`` or ``IndexError`` where it does not fit."""
    return _compile(schema, {})


def _compile(schema: AvroSchema, named: dict[str, Skim]) -> Skim:
    if isinstance(schema, list):
        return _union([_compile(branch, named) for branch in schema])
    kind = schema if isinstance(schema, str) else schema["type"]
    if not isinstance(kind, str):
        return _compile(kind, named)
    match kind:
        case "array" | "map":
            return _blocks(schema, kind, named)
        case "record" | "error":
            return _record(schema, named)
        case "fixed":
            named[_last(schema["name"])] = skim = _fixed(int(schema["size"]))
            return skim
        case "enum":
            named[_last(schema["name"])] = skim = _enumeration(len(schema["symbols"]))
            return skim
        case "int" | "long":
            return lambda buffer, position, _: read_long(buffer, position)[1]
        case "string" | "bytes":
            return _sized
    if kind in _FIXED_SIZES:
        return _fixed(_FIXED_SIZES[kind])
    return lambda buffer, position, depth: named[_last(kind)](buffer, position, depth)


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _record(schema: AvroSchema, named: dict[str, Skim]) -> Skim:
    steps: list[Skim] = []

    def skim(buffer: bytes, position: int, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise MalformedEvent(Reason.NOT_AVRO, f"records nested more than {MAX_DEPTH} deep")
        for step in steps:
            position = step(buffer, position, depth + 1)
        return position

    named[_last(schema["name"])] = skim  # before its fields: a record may contain itself
    steps.extend(_compile(field["type"], named) for field in schema["fields"])
    return skim


def _union(branches: list[Skim]) -> Skim:
    def skim(buffer: bytes, position: int, depth: int) -> int:
        branch, position = read_long(buffer, position)
        if not 0 <= branch < len(branches):
            raise MalformedEvent(Reason.NOT_AVRO, f"no such branch of a union before byte {position}")
        return branches[branch](buffer, position, depth)

    return skim


def _enumeration(symbols: int) -> Skim:
    def skim(buffer: bytes, position: int, _depth: int) -> int:
        index, position = read_long(buffer, position)
        if not 0 <= index < symbols:
            raise MalformedEvent(Reason.NOT_AVRO, f"no such symbol of an enum before byte {position}")
        return position

    return skim


def _blocks(schema: AvroSchema, kind: str, named: dict[str, Skim]) -> Skim:
    items = schema["items" if kind == "array" else "values"]
    skim_item = _compile(items, named)
    size = _FIXED_SIZES.get(items, 0) if isinstance(items, str) and kind == "array" else 0
    are_ints = items == "int" and kind == "array"

    def skim(buffer: bytes, position: int, depth: int) -> int:
        total = 0
        while True:
            count, position = read_count(buffer, position, max(1, size))
            if not count:
                return position
            total += count
            if size:
                position += count * size
            elif are_ints:
                position = read_ints(buffer, position, count)[1]
            elif isinstance(items, dict) and items.get("type") == "record" and total > MAX_RECORDS:
                raise MalformedEvent(Reason.TOO_LARGE, f"more than {MAX_RECORDS} records in one array")
            else:
                position = _each(buffer, position, depth, count)

    def _each(buffer: bytes, position: int, depth: int, count: int) -> int:
        for _ in range(count):
            if kind == "map":
                position = _sized(buffer, position, depth)
            position = skim_item(buffer, position, depth)
        return position

    return skim


def _sized(buffer: bytes, position: int, _depth: int) -> int:
    size, position = read_long(buffer, position)
    return _advance(buffer, position, size)


def _fixed(size: int) -> Skim:
    return lambda buffer, position, _: _advance(buffer, position, size)


def _advance(buffer: bytes, position: int, size: int) -> int:
    if not 0 <= size <= len(buffer) - position:
        raise MalformedEvent(Reason.TRUNCATED, f"{size} bytes promised at byte {position}")
    return position + size
