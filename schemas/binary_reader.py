"""Reads our own Avro binary into dataclasses: compiled once per schema, bounds checked before anything is allocated.

A ``Read`` takes the bytes and a position and returns the value and the position after it. It may raise ``IndexError``
(the bytes end), ``UnicodeDecodeError`` and ``struct.error``, which ``read_event`` translates. An ``array<double>``
block is contiguous little-endian, so it becomes numpy by one copy: aligned, read-only, not holding on to the event.
"""

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schemas.malformed import MalformedEvent, Reason
from schemas.shape import Enumeration, Integer, Record, Scalar, Sequence, Shape, Table, Union, Vector
from schemas.varint import read_int, read_ints, read_long

Read: TypeAlias = Callable[[bytes, int], tuple[Any, int]]

MAX_RECORDS = 100_000  # in one array: a record is 20 times larger in memory than its shortest encoding
_DOUBLE = struct.Struct("<d")
_FLOAT64 = np.dtype("<f8")


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
        case Sequence():
            return _sequence(shape)
        case Table():
            return _table(compile_reader(shape.value), minimum_bytes(shape.value) + 1)
        case Vector(kind="double"):
            return _read_doubles
        case Vector():
            return _read_integers
        case Enumeration():
            return _enumeration(shape)
        case Integer(bits=64):
            return read_long
        case Integer():
            return read_int
        case Scalar():
            return _SCALARS[shape.kind]


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


def read_count(buffer: bytes, position: int, item_bytes: int) -> tuple[int, int]:
    """The item count of the array or map block at ``position``, 0 at its end; a negative one has a byte size behind."""
    count, position = read_long(buffer, position)
    if count < 0:
        count = -count
        size, position = read_long(buffer, position)
        if not 0 <= size <= len(buffer) - position:
            raise MalformedEvent(Reason.TRUNCATED, f"a block of {size} bytes promised at byte {position}")
    if count * item_bytes > len(buffer) - position:
        raise MalformedEvent(Reason.TRUNCATED, f"{count} items promised at byte {position}, fewer bytes left")
    return count, position


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
                key, position = _read_string(buffer, position)
                entries[key], position = read_value(buffer, position)

    return read


def _read_doubles(buffer: bytes, position: int) -> tuple[NDArray[np.float64], int]:
    blocks = [_NO_DOUBLES]
    while True:
        count, position = read_count(buffer, position, 8)
        if not count:
            break
        end = position + 8 * count
        blocks.append(np.frombuffer(buffer[position:end], _FLOAT64))  # bytes are immutable: read-only already
        position = end
    return blocks[-1] if len(blocks) <= 2 else _read_only(np.concatenate(blocks)), position


def _read_integers(buffer: bytes, position: int) -> tuple[NDArray[np.int32], int]:
    blocks = [_NO_INTEGERS]
    while True:
        count, position = read_count(buffer, position, 1)
        if not count:
            return _read_only(np.concatenate(blocks)), position
        block, position = read_ints(buffer, position, count)
        blocks.append(block)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


_NO_DOUBLES: NDArray[np.float64] = _read_only(np.empty(0))
_NO_INTEGERS: NDArray[np.int32] = _read_only(np.empty(0, np.int32))


def _read_string(buffer: bytes, position: int) -> tuple[str, int]:
    size = buffer[position]
    if size < 0x80 and not size & 1:
        size >>= 1
        position += 1
    else:
        size, position = read_long(buffer, position)
    end = position + size
    if size < 0 or end > len(buffer):
        raise MalformedEvent(Reason.TRUNCATED, f"a text of {size} bytes promised at byte {position}")
    return buffer[position:end].decode(), end


def _read_bytes(buffer: bytes, position: int) -> tuple[bytes, int]:
    size, position = read_long(buffer, position)
    end = position + size
    if size < 0 or end > len(buffer):
        raise MalformedEvent(Reason.TRUNCATED, f"{size} bytes promised at byte {position}")
    return buffer[position:end], end


def _read_boolean(buffer: bytes, position: int) -> tuple[bool, int]:
    byte = buffer[position]
    if byte > 1:
        raise MalformedEvent(Reason.NOT_AVRO, f"no boolean at byte {position}")
    return byte == 1, position + 1


def _read_double(buffer: bytes, position: int) -> tuple[float, int]:
    return _DOUBLE.unpack_from(buffer, position)[0], position + 8


def _read_null(buffer: bytes, position: int) -> tuple[None, int]:  # noqa: ARG001  # a null takes no bytes
    return None, position


_SCALARS: dict[str, Read] = {
    "null": _read_null,
    "boolean": _read_boolean,
    "double": _read_double,
    "string": _read_string,
    "bytes": _read_bytes,
}
