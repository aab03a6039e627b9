import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.malformed import MalformedEvent, Reason
from schemas.varint import read_int, read_ints, read_long, write_ints, write_long

INTS = st.integers(-(2**31), 2**31 - 1)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (-1, "01"), (1, "02"), (-2, "03"), (-64, "7f"), (64, "8001"), (2**63 - 1, "feffffffffffffffff01")],
)
def test_integers_are_coded_as_the_specification_shows(value: int, encoded: str) -> None:
    assert write_long(value).hex() == encoded
    assert read_long(bytes.fromhex(encoded), 0) == (value, len(encoded) // 2)


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_long_is_read_back(value: int) -> None:
    encoded = write_long(value)

    assert read_long(b"??" + encoded, 2) == (value, 2 + len(encoded))


@given(st.lists(INTS | st.integers(-70, 70), max_size=40), st.binary(max_size=3))
def test_an_array_of_ints_is_coded_as_its_items_one_by_one(values: list[int], behind: bytes) -> None:
    array = np.array(values, np.int32)
    encoded = write_ints(array)

    assert encoded == b"".join(map(write_long, values))
    if values:
        decoded, end = read_ints(encoded + behind, 0, len(values))
        assert np.array_equal(decoded, array)
        assert end == len(encoded)


def test_a_long_beyond_64_bits_is_neither_written_nor_read() -> None:
    with pytest.raises(OverflowError):
        write_long(2**63)
    for tail in (b"\x02", b"\x80\x01"):
        with pytest.raises(MalformedEvent) as refused:
            read_long(b"\xff" * 9 + tail, 0)
        assert refused.value.reason is Reason.NOT_AVRO


def test_an_int_beyond_32_bits_is_refused_alone_and_in_an_array() -> None:
    encoded = write_long(2**31)
    for read in (lambda: read_int(encoded, 0), lambda: read_ints(encoded, 0, 1)):
        with pytest.raises(MalformedEvent) as refused:
            read()
        assert refused.value.reason is Reason.NOT_AVRO


def test_an_array_longer_than_its_bytes_is_refused() -> None:
    for encoded, count in ((b"\x02\x02", 3), (b"\x80\x80\x80", 2), (b"\x02", 2**60)):
        with pytest.raises(MalformedEvent) as refused:
            read_ints(encoded, 0, count)
        assert refused.value.reason is Reason.TRUNCATED
