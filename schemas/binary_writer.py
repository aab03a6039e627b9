"""Writes dataclasses as Avro binary: compiled once per schema, one block per array.

A ``Write`` takes the value and a function that appends bytes to the output.
"""

import struct
from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from schemas.shape import Enumeration, Integer, Record, Scalar, Sequence, Shape, Table, Union, Vector
from schemas.varint import INT_MAX, INT_MIN, write_ints, write_long

Append: TypeAlias = Callable[[bytes], None]
Write: TypeAlias = Callable[[Any, Append], None]

_END = b"\x00"
_DOUBLE = struct.Struct("<d")
_FLOAT64 = np.dtype("<f8")


def write_event(write: Write, event: Any, head: bytes) -> bytes:
    """The Avro body of ``event`` behind ``head``, its framing."""
    chunks = [head]
    write(event, chunks.append)
    return b"".join(chunks)


def compile_writer(shape: Shape) -> Write:
    """The function that writes one value of this shape; it raises what a wrong type raises."""
    match shape:
        case Record():
            return _record(shape)
        case Union():
            return _union(shape)
        case Sequence(item=Scalar("string")):
            return _write_strings
        case Sequence():
            return _sequence(compile_writer(shape.item))
        case Table():
            return _table(compile_writer(shape.value))
        case Vector(kind="double"):
            return _write_doubles
        case Vector():
            return _write_integers
        case Enumeration():
            return _enumeration(shape)
        case Integer(bits=64):
            return _write_long
        case Integer():
            return _write_int
        case Scalar():
            return _SCALARS[shape.kind]


def _record(shape: Record) -> Write:
    members = tuple((attrgetter(member.name), compile_writer(member.shape)) for member in shape.members)

    def write(value: Any, append: Append) -> None:
        for member_of, write_member in members:
            write_member(member_of(value), append)

    return write


def _union(shape: Union) -> Write:
    heads = [write_long(index) for index in range(len(shape.branches))]
    writes = [compile_writer(branch) for branch in shape.branches]
    if not shape.records or len(shape.branches) == 2:
        write_other = writes[-1]

        def write_nullable(value: Any, append: Append) -> None:
            if value is None:
                append(heads[0])
            else:
                append(heads[1])
                write_other(value, append)

        return write_nullable
    by_class = {
        branch.cls if isinstance(branch, Record) else type(None): (head, write)
        for branch, head, write in zip(shape.branches, heads, writes, strict=True)
    }

    def write_one(value: Any, append: Append) -> None:
        head, write_branch = by_class[type(value)]
        append(head)
        write_branch(value, append)

    return write_one


def _enumeration(shape: Enumeration) -> Write:
    encoded = {member: write_long(index) for index, member in enumerate(shape.members)}

    def write(value: Any, append: Append) -> None:
        append(encoded[value])

    return write


def _sequence(write_item: Write) -> Write:
    def write(value: Any, append: Append) -> None:
        if len(value):
            append(write_long(len(value)))
            for item in value:
                write_item(item, append)
        append(_END)

    return write


def _write_strings(value: Any, append: Append) -> None:
    if len(value):
        append(write_long(len(value)))
        for text in value:
            encoded = text.encode()
            append(write_long(len(encoded)))
            append(encoded)
    append(_END)


def _table(write_value: Write) -> Write:
    def write(value: Any, append: Append) -> None:
        if value:
            append(write_long(len(value)))
            for key, entry in value.items():
                _write_string(key, append)
                write_value(entry, append)
        append(_END)

    return write


def _write_doubles(value: Any, append: Append) -> None:
    numbers = np.asarray(value, _FLOAT64)
    if numbers.ndim != 1:
        raise ValueError(f"an array of shape {numbers.shape} where one dimension is expected")
    if numbers.size:
        append(write_long(numbers.size))
        append(numbers.tobytes())
    append(_END)


def _write_integers(value: Any, append: Append) -> None:
    numbers = np.asarray(value)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise ValueError(f"{numbers.dtype} of shape {numbers.shape} where a row of integers is expected")
    if numbers.size:
        if int(numbers.min()) < INT_MIN or int(numbers.max()) > INT_MAX:
            raise OverflowError("an integer has more than 32 bits")
        append(write_long(numbers.size))
        append(write_ints(numbers.astype(np.int32)))
    append(_END)


def _write_long(value: Any, append: Append) -> None:
    append(write_long(int(value)))


def _write_int(value: Any, append: Append) -> None:
    if not INT_MIN <= value <= INT_MAX:
        raise OverflowError(f"{value} has more than 32 bits")
    append(write_long(int(value)))


def _write_string(value: Any, append: Append) -> None:
    encoded = value.encode()
    append(write_long(len(encoded)))
    append(encoded)


def _write_bytes(value: Any, append: Append) -> None:
    append(write_long(len(value)))
    append(value)


def _write_boolean(value: Any, append: Append) -> None:
    append(b"\x01" if value else b"\x00")


def _write_double(value: Any, append: Append) -> None:
    append(_DOUBLE.pack(value))


def _write_null(value: Any, append: Append) -> None:
    """Nothing: a null takes no bytes."""


_SCALARS: dict[str, Write] = {
    "null": _write_null,
    "boolean": _write_boolean,
    "double": _write_double,
    "string": _write_string,
    "bytes": _write_bytes,
}
