"""Avro's zigzag variable-length integers, one at a time and by the array.

Source: Apache Avro 1.12 specification, "Binary encoding": int and long are zigzag coded, 7 bits a byte, lowest first,
the high bit set on all but the last byte.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.malformed import MalformedEvent, Reason

MAX_INT_BYTES = 5  # 32 bits at 7 bits a byte
MAX_LONG_BYTES = 10  # 64 bits at 7 bits a byte
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
_SHORT = tuple(bytes((value << 1,)) for value in range(64))  # most are lengths and indices that fit into a byte


def read_long(buffer: bytes, position: int) -> tuple[int, int]:
    """The integer at ``position`` and the position after it; ``IndexError`` where the bytes end."""
    byte = buffer[position]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), position + 1
    raw = byte & 0x7F
    for count in range(1, MAX_LONG_BYTES):
        byte = buffer[position + count]
        raw |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if raw >> 64:
                break
            return (raw >> 1) ^ -(raw & 1), position + count + 1
    raise MalformedEvent(Reason.NOT_AVRO, f"an integer at byte {position} has more than 64 bits")


def read_int(buffer: bytes, position: int) -> tuple[int, int]:
    """Like ``read_long`` for a value of 32 bits."""
    value, end = read_long(buffer, position)
    if not INT_MIN <= value <= INT_MAX:
        raise MalformedEvent(Reason.NOT_AVRO, f"an int at byte {position} has more than 32 bits")
    return value, end


def write_long(value: int) -> bytes:
    """The bytes of an integer; ``OverflowError`` beyond 64 bits."""
    if 0 <= value < len(_SHORT):
        return _SHORT[value]
    if not LONG_MIN <= value <= LONG_MAX:
        raise OverflowError(f"{value} has more than 64 bits")
    raw = (value << 1) ^ (value >> 63)
    encoded = bytearray()
    while raw >= 0x80:
        encoded.append(raw & 0x7F | 0x80)
        raw >>= 7
    encoded.append(raw)
    return bytes(encoded)


def read_ints(buffer: bytes, position: int, count: int) -> tuple[NDArray[np.int32], int]:
    """``count`` ints at once: int32 of shape ``(count,)`` and the position after them.

    Refuses before it allocates when fewer than ``count`` bytes are left.
    """
    if count > len(buffer) - position:
        raise MalformedEvent(Reason.TRUNCATED, f"{count} integers promised at byte {position}, fewer bytes left")
    head = np.frombuffer(buffer, np.uint8, count, position)
    if not (head & 0x80).any():
        raw = head.astype(np.int32)
        return (raw >> 1) ^ -(raw & 1), position + count
    window = np.frombuffer(buffer, np.uint8, min(len(buffer) - position, count * MAX_INT_BYTES), position)
    ends = np.flatnonzero(window < 0x80)[:count]
    if ends.size < count:
        raise MalformedEvent(Reason.TRUNCATED, f"{count} integers promised at byte {position}, fewer found")
    starts = np.concatenate((np.zeros(1, np.intp), ends[:-1] + 1))
    sizes = ends - starts + 1
    longest = int(sizes.max())
    if longest > MAX_INT_BYTES:
        raise MalformedEvent(Reason.NOT_AVRO, f"an int after byte {position} has more than 32 bits")
    wide = np.zeros(count, np.int64)
    for place in range(longest):
        reached = sizes > place
        wide[reached] |= (window[starts[reached] + place].astype(np.int64) & 0x7F) << (7 * place)
    if int(wide.max()) >> 32:
        raise MalformedEvent(Reason.NOT_AVRO, f"an int after byte {position} has more than 32 bits")
    return ((wide >> 1) ^ -(wide & 1)).astype(np.int32), position + int(ends[-1]) + 1


def write_ints(values: NDArray[np.int32]) -> bytes:
    """The bytes of int32 values of shape ``(n,)``, one after the other."""
    wide = values.astype(np.int64)
    raw = (wide << 1) ^ (wide >> 63)
    if raw.size == 0 or int(raw.max()) < 0x80:
        return raw.astype(np.uint8).tobytes()
    places = np.arange(MAX_INT_BYTES)
    sizes = 1 + (raw[:, None] >> (7 * places[1:]) > 0).sum(axis=1)
    digits = (raw[:, None] >> (7 * places)) & 0x7F
    digits |= np.where(places < sizes[:, None] - 1, 0x80, 0)
    encoded: NDArray[np.uint8] = digits[places < sizes[:, None]].astype(np.uint8)
    return encoded.tobytes()
