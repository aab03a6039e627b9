"""State and journal entries as bytes: MessagePack of plain dataclasses, with numpy arrays as dtype, shape and buffer.

State is data, never pickle: whatever is decoded is checked against the type it is decoded to.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
import numpy as np

T = TypeVar("T")

ARRAY = 1


class UnreadableState(ValueError):
    """Stored bytes that are not what they should be: another version, or damaged."""


def to_bytes(value: object) -> bytes:
    """A dataclass made of numbers, texts, sequences, maps, arrays and other such dataclasses, as bytes."""
    return _ENCODER.encode(value)


def from_bytes(kind: type[T], data: bytes) -> T:
    """What ``to_bytes`` wrote; arrays are read-only views into ``data``.

    Raises:
        UnreadableState: ``data`` is not a ``kind``.
    """
    try:
        value: T = _decoder(cast(Hashable, kind)).decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise UnreadableState(f"stored bytes are not a {kind.__name__} of this version: {error}") from error
    return value


@cache
def _decoder(kind: Hashable) -> Any:
    return msgspec.msgpack.Decoder(kind, ext_hook=_array, dec_hook=_check_array)


def _extension(value: object) -> msgspec.msgpack.Ext:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return msgspec.msgpack.Ext(ARRAY, msgspec.msgpack.encode((value.dtype.str, value.shape, value.tobytes())))
    if isinstance(value, np.generic):
        raise TypeError(f"a numpy scalar ({value.dtype}) in state: make it a Python number")
    raise TypeError(f"{type(value).__name__} is not plain data")


def _array(code: int, data: memoryview) -> Any:
    if code != ARRAY:
        raise ValueError(f"unknown extension {code}")
    dtype, shape, buffer = msgspec.msgpack.decode(data, type=tuple[str, tuple[int, ...], bytes])
    return np.frombuffer(buffer, dtype=np.dtype(dtype)).reshape(shape)


def _check_array(_kind: type, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value
    raise ValueError(f"expected an array, found {type(value).__name__}")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_extension)
