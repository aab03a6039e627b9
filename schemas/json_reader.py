"""Reads events from JSON: for kcat, curl bridges and a first try.

Field names are those of the schema. Absent fields take their defaults, and so does ``null`` where a field has one;
unknown fields are refused by name. Times are ISO 8601 texts with an offset, or numbers since the epoch (``times``).
Enums are symbols, in any case; an unknown symbol is ``UNKNOWN``. Bytes are base64. In arrays of numbers ``null`` is
NaN and booleans are 0 and 1; ``"NaN"``, ``"Infinity"`` and ``"-Infinity"`` stand for what JSON cannot say. Where the
schema has several records (a column's ``values``, a sketch's ``shape``), either name the one, ``{"Numbers": {…}}``, or
let its fields tell; a plain list is a column of texts if it holds only texts and nulls, of numbers otherwise.
"""

import binascii
import json
from base64 import b64decode
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NoReturn, TypeAlias

import numpy as np

from schemas.branch import branch_of, holds_texts, named_branch
from schemas.malformed import MalformedEvent, Reason
from schemas.shape import Enumeration, Integer, Record, Scalar, Sequence, Shape, Table, Union, Vector
from schemas.times import from_number, from_text
from schemas.varint import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN

Read: TypeAlias = Callable[[Any], Any]

NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_NUMBERS = {int, float, bool, type(None)}
_SHOWN = 64  # characters of a stranger's field name that an error repeats


def read_json(read: Read, value: bytes) -> Any:
    """The event in the bytes of one JSON object."""
    try:
        document = json.loads(value.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedEvent(Reason.BAD_JSON, "the JSON is not UTF-8") from None
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise MalformedEvent(Reason.BAD_JSON, message) from None  # the cause holds the whole text
    except (RecursionError, ValueError):
        raise MalformedEvent(Reason.BAD_JSON, "JSON nested too deep, or with a number too long") from None
    return read(document)


def compile_json_reader(shape: Shape, path: str) -> Read:
    """The function that makes a value of this shape from parsed JSON; ``path`` names it in errors."""
    match shape:
        case Record():
            return _record(shape, path)
        case Union():
            return _union(shape, path)
        case Sequence():
            return _sequence(compile_json_reader(shape.item, f"{path}[]"), path)
        case Table():
            return _table(compile_json_reader(shape.value, f"{path}{{}}"), path)
        case Vector():
            return _doubles(path) if shape.kind == "double" else _integers(path)
        case Enumeration():
            return _enumeration(shape, path)
        case Integer():
            return _time(path) if shape.is_time else _integer(shape.bits, path)
        case Scalar():
            return {"boolean": _boolean, "double": _double, "string": _string, "bytes": _bytes}[shape.kind](path)


def _refuse(path: str, expected: str) -> NoReturn:
    raise MalformedEvent(Reason.BAD_VALUE, f"{path} must be {expected}")


def _record(shape: Record, path: str) -> Read:
    reads = {member.name: compile_json_reader(member.shape, f"{path}.{member.name}") for member in shape.members}
    required = tuple(member.name for member in shape.members if member.required)
    defaulted = {member.name for member in shape.members if not member.required}

    def read(value: Any) -> Any:
        if type(value) is not dict:
            _refuse(path, "an object")
        if not value.keys() <= reads.keys():
            _refuse_unknown(path, value, reads)
        for name in required:
            if value.get(name) is None:
                raise MalformedEvent(Reason.MISSING_FIELD, f"{path}.{name} is required")
        given = {name: one for name, one in value.items() if one is not None or name not in defaulted}
        return shape.cls(**{name: reads[name](one) for name, one in given.items()})

    return read


def _refuse_unknown(path: str, value: dict[str, Any], known: dict[str, Read]) -> NoReturn:
    name = sorted(value.keys() - known.keys())[0]
    close = get_close_matches(name[:_SHOWN], known, 1)
    hint = f", did you mean {close[0]!r}?" if close else ""
    raise MalformedEvent(Reason.UNKNOWN_FIELD, f"{path} has no field {name[:_SHOWN]!r}{hint}")


def _union(shape: Union, path: str) -> Read:
    records = shape.records
    if len(records) < 2:
        read_other = compile_json_reader(shape.branches[-1], path)
        return lambda value: None if value is None else read_other(value)
    reads = {record.name: compile_json_reader(record, path) for record in records}
    names = ", ".join(reads)

    def read(value: Any) -> Any:
        if value is None and shape.nullable:
            return None
        if type(value) is list and {"Numbers", "Texts"} <= reads.keys():
            return reads["Texts" if holds_texts(value) else "Numbers"]({"values": value})
        if type(value) is not dict:
            _refuse(path, f"one of {names}")
        if len(value) == 1:
            (name, content), *_ = value.items()
            if named_branch(name) in reads:
                return reads[named_branch(name)](content)
        try:
            record = branch_of(records, value)
        except LookupError:
            _refuse(path, f"one of {names}")
        return reads[record.name](value)

    return read


def _sequence(read_item: Read, path: str) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not list:
            _refuse(path, "an array")
        return tuple([read_item(item) for item in value])

    return read


def _table(read_value: Read, path: str) -> Read:
    read_key = _string(path)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            _refuse(path, "an object")
        return {read_key(key): read_value(entry) for key, entry in value.items()}

    return read


def _doubles(path: str) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not list:
            _refuse(path, "an array of numbers")
        if not set(map(type, value)) <= _NUMBERS:
            value = [NON_FINITE.get(one, one) if type(one) is str else one for one in value]
            if not set(map(type, value)) <= _NUMBERS:
                _refuse(path, "an array of numbers")
        try:
            array = np.array(value, np.float64)  # None becomes NaN
        except OverflowError:
            _refuse(path, "an array of numbers of 64 bits")
        array.flags.writeable = False
        return array

    return read


def _integers(path: str) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not list or not set(map(type, value)) <= {int}:
            _refuse(path, "an array of integers")
        if value and not (min(value) >= INT_MIN and max(value) <= INT_MAX):
            _refuse(path, "an array of integers of 32 bits")
        array = np.array(value, np.int32)
        array.flags.writeable = False
        return array

    return read


def _enumeration(shape: Enumeration, path: str) -> Read:
    members = {str(member.value): member for member in shape.members}

    def read(value: Any) -> Any:
        if type(value) is not str:
            _refuse(path, "the name of a symbol")
        return members.get(value.upper(), shape.default)

    return read


def _time(path: str) -> Read:
    def read(value: Any) -> Any:
        try:
            if type(value) is str:
                return from_text(value)
            if type(value) in (int, float):
                return from_number(value)
        except (ValueError, OverflowError):
            pass
        _refuse(path, "a time: ISO 8601 with an offset or Z, or a number of seconds, milliseconds or microseconds")

    return read


def _integer(bits: int, path: str) -> Read:
    least, most = (INT_MIN, INT_MAX) if bits == 32 else (LONG_MIN, LONG_MAX)

    def read(value: Any) -> Any:
        whole = int(value) if type(value) is float and value.is_integer() else value
        if type(whole) is not int or not least <= whole <= most:
            _refuse(path, f"an integer of {bits} bits")
        return whole

    return read


def _double(path: str) -> Read:
    def read(value: Any) -> Any:
        number = NON_FINITE.get(value, value) if type(value) is str else value
        if type(number) not in (int, float):
            _refuse(path, "a number")
        try:
            return float(number)
        except OverflowError:
            _refuse(path, "a number of 64 bits")

    return read


def _string(path: str) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not str:
            _refuse(path, "a text")
        try:
            value.isascii() or value.encode()
        except UnicodeEncodeError:
            raise MalformedEvent(Reason.BAD_VALUE, f"{path} must be valid Unicode") from None
        return value

    return read


def _boolean(path: str) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not bool:
            _refuse(path, "true or false")
        return value

    return read


def _bytes(path: str) -> Read:
    def read(value: Any) -> Any:
        try:
            return b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            _refuse(path, "bytes in base64")

    return read
