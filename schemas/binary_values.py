"""Reads the leaves of an event from Avro binary: scalars, texts, and arrays of numbers and of texts.

Each function takes the bytes and a position and returns the value and the position after it. Nothing is allocated
before what a count or a size promises was checked against the bytes that are left.
"""

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schemas.malformed import MalformedEvent, Reason
from schemas.varint import read_ints, read_long

Read: TypeAlias = Callable[[bytes, int], tuple[Any, int]]

_DOUBLE = struct.Struct("<d")
_FLOAT64 = np.dtype("<f8")
_TEXT = 2  # the second branch of a nullable text, zigzag


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


def read_doubles(buffer: bytes, position: int) -> tuple[NDArray[np.float64], int]:
    """``array<double>``: float64 of shape ``(n,)``, aligned, read-only, not holding on to the event.

    A block is contiguous little-endian, so it is one copy; so is joining several.
    """
    blocks = [_NO_DOUBLES]
    while True:
        count, position = read_count(buffer, position, 8)
        if not count:
            break
        end = position + 8 * count
        blocks.append(np.frombuffer(buffer[position:end], _FLOAT64))  # bytes are immutable: read-only already
        position = end
    return blocks[-1] if len(blocks) <= 2 else _read_only(np.concatenate(blocks)), position


def read_integers(buffer: bytes, position: int) -> tuple[NDArray[np.int32], int]:
    """``array<int>``: int32 of shape ``(n,)``, read-only."""
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


def read_strings(buffer: bytes, position: int) -> tuple[tuple[str, ...], int]:
    """``array<string>``."""
    items: list[str] = []
    while True:
        count, position = read_count(buffer, position, 1)
        if not count:
            return tuple(items), position
        for _ in range(count):
            item, position = read_string(buffer, position)
            items.append(item)


def read_nullable_strings(buffer: bytes, position: int) -> tuple[tuple[str | None, ...], int]:
    """``array<null|string>``."""
    items: list[str | None] = []
    while True:
        count, position = read_count(buffer, position, 1)
        if not count:
            return tuple(items), position
        for _ in range(count):
            branch = buffer[position]
            position += 1
            item = None
            if branch == _TEXT:
                item, position = read_string(buffer, position)
            elif branch:
                raise MalformedEvent(Reason.NOT_AVRO, f"no such branch of a union before byte {position}")
            items.append(item)


def read_string(buffer: bytes, position: int) -> tuple[str, int]:
    """``string``; ``UnicodeDecodeError`` where it is not UTF-8."""
    size = buffer[position]
    if size & 0x81:  # it goes on in the next byte, or is negative
        size, position = read_long(buffer, position)
    else:
        size >>= 1
        position += 1
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


READ_SCALAR: dict[str, Read] = {
    "null": _read_null,
    "boolean": _read_boolean,
    "double": _read_double,
    "string": read_string,
    "bytes": _read_bytes,
}
