import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.task.journal import PIECE_BYTES, BrokenJournal, entries, pieces

steps = st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=64)), max_size=8)


@given(st.lists(steps, max_size=5))
def test_what_is_written_entry_by_entry_is_read_entry_by_entry(written: list[list[tuple[str, bytes]]]) -> None:
    records: list[bytes] = []
    for number, one in enumerate(written, start=1):
        records += pieces(number, {"t": number}, one)
    read = list(entries(enumerate(records)))
    assert [entry.steps for entry in read] == written
    assert [entry.offsets for entry in read] == [{"t": number} for number in range(1, len(written) + 1)]


@settings(max_examples=5)
@given(st.integers(2, 5))
def test_a_large_entry_is_cut_into_pieces_and_made_whole_again(times: int) -> None:
    large = [(f"s{number}", bytes(PIECE_BYTES // 2 + 1)) for number in range(times)]
    records = list(pieces(1, {"t": 9}, large))
    assert len(records) == times
    (entry,) = entries(enumerate(records, start=100))
    assert (entry.steps, entry.offset, entry.offsets) == (large, 100, {"t": 9})


def test_a_missing_entry_is_an_error() -> None:
    records = [record for number in (1, 3) for record in pieces(number, {}, [])]
    with pytest.raises(BrokenJournal, match="entry 2 is missing"):
        list(entries(enumerate(records)))
