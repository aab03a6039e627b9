"""Reads our own Avro binary into dataclasses: compiled once per schema, bounds checked before anything is allocated.

A ``Read`` takes the bytes and a position and returns the value and the position after it. It may raise ``IndexError``
(the bytes end), ``UnicodeDecodeError`` and ``struct.error``, which ``read_event`` translates.
"""

import struct
from typing import Any

from schemas.binary_values import (
    READ_SCALAR,
    Read,
    read_count,
    read_doubles,
    read_integers,
    read_nullable_strings,
    read_string,
    read_strings,
)
from schemas.malformed import MalformedEvent, Reason
from schemas.shape import Enumeration, Integer, Record, Scalar, Sequence, Shape, Table, Union, Vector
from schemas.varint import read_int, read_long

MAX_RECORDS = 100_000  # in one array: a record is 20 times larger in memory than its shortest encoding
_STRING = Scalar("string")
_NULLABLE_STRING = Union((Scalar("null"), _STRING))


def read_event(read: Read, buffer: bytes, start: int) -> Any:
    """The event that fills ``buffer`` from ``start`` to its end; ``MalformedEvent`` for anything else."""
    try:
        event, end = read(buffer, start)
    except (IndexError, struct.error) as error:
        raise MalformedEvent(Reason.TRUNCATED, f"the event ends too early, after {len(buffer)} bytes") from error
    except UnicodeDecodeError:
        raise MalformedEvent(Reason.NOT_AVRO, "a text is not UTF-8") from None  # the cause would hold the text
    if end != len(buffer):
        raise MalformedEvent(Reason.TRAILING_BYTES, f"{len(buffer) - end} bytes are left over after the event")
    return event


def compile_reader(shape: Shape) -> Read:
    """The function that reads one value of this shape."""
    match shape:
        case Record():
            return _record(shape)
        case Union():
            return _union(shape)
        case Sequence(item=item) if item == _STRING:
            return read_strings
        case Sequence(item=item) if item == _NULLABLE_STRING:
            return read_nullable_strings
        case Sequence():
            return _sequence(shape)
        case Table():
            return _table(compile_reader(shape.value), minimum_bytes(shape.value) + 1)
        case Vector(kind="double"):
            return read_doubles
        case Vector():
            return read_integers
        case Enumeration():
            return _enumeration(shape)
        case Integer(bits=64):
            return read_long
        case Integer():
            return read_int
        case Scalar():
            return READ_SCALAR[shape.kind]


def minimum_bytes(shape: Shape) -> int:
    """The fewest bytes a value of this shape can take; what a count promises is checked against it."""
    match shape:
        case Record():
            return sum(minimum_bytes(member.shape) for member in shape.members)
        case Union():
            return 1 + min(minimum_bytes(branch) for branch in shape.branches)
        case Scalar(kind="double"):
            return 8
        case Scalar(kind="null"):
            return 0
        case _:
            return 1


def _record(shape: Record) -> Read:
    cls = shape.cls
    # Setting the slots is twice as fast as the constructor of a frozen dataclass, and every member is always read.
    members = tuple((getattr(cls, member.name).__set__, compile_reader(member.shape)) for member in shape.members)
    make = object.__new__

    def read(buffer: bytes, position: int) -> tuple[Any, int]:
        record: Any = make(cls)
        for set_member, read_member in members:
            value, position = read_member(buffer, position)
            set_member(record, value)
        return record, position

    return read


def _union(shape: Union) -> Read:
    reads = tuple(compile_reader(branch) for branch in shape.branches)
    nullable = shape.nullable
    last = 2 * (len(reads) - 1)

    def read(buffer: bytes, position: int) -> tuple[Any, int]:
        branch = buffer[position]  # zigzag: twice the index of the branch, always one byte in our schemas
        if not branch and nullable:
            return None, position + 1
        if branch & 1 or branch > last:
            raise MalformedEvent(Reason.NOT_AVRO, f"no such branch of a union at byte {position}")
        return reads[branch >> 1](buffer, position + 1)

    return read


def _enumeration(shape: Enumeration) -> Read:
    members = shape.members
    last = 2 * (len(members) - 1)

    def read(buffer: bytes, position: int) -> tuple[Any, int]:
        index = buffer[position]
        if index & 1 or index > last:
            raise MalformedEvent(Reason.NOT_AVRO, f"no such symbol of an enum at byte {position}")
        return members[index >> 1], position + 1

    return read


def _sequence(shape: Sequence) -> Read:
    read_item = compile_reader(shape.item)
    item_bytes = max(1, minimum_bytes(shape.item))
    most = MAX_RECORDS if isinstance(shape.item, Record) else None

    def read(buffer: bytes, position: int) -> tuple[Any, int]:
        items: list[Any] = []
        append = items.append
        while True:
            count, position = read_count(buffer, position, item_bytes)
            if not count:
                return tuple(items), position
            if most is not None and count + len(items) > most:
                raise MalformedEvent(Reason.TOO_LARGE, f"more than {most} records in one array at byte {position}")
            for _ in range(count):
                item, position = read_item(buffer, position)
                append(item)

    return read


def _table(read_value: Read, item_bytes: int) -> Read:
    def read(buffer: bytes, position: int) -> tuple[Any, int]:
        entries: dict[str, Any] = {}
        while True:
            count, position = read_count(buffer, position, item_bytes)
            if not count:
                return entries, position
            for _ in range(count):
                key, position = read_string(buffer, position)
                entries[key], position = read_value(buffer, position)

    return read
