"""Where things lie in Redis."""

from hypothesis import given
from hypothesis import strategies as st

from streams.index.keys import Keys, Ref, Shelf, member, place_of, ref_of, shelf_for, span_of

refs = st.builds(Ref, st.integers(0, 999), st.integers(0, 2**47))


@given(refs, st.text())
def test_a_member_leads_back_to_its_record(ref: Ref, text: str) -> None:
    assert ref_of(member(text, ref)) == ref


@given(refs, st.text(), st.text())
def test_the_members_of_a_text_begin_alike_and_no_others_do(ref: Ref, text: str, other: str) -> None:
    assert member(text, ref).startswith(place_of(text)[0])
    assert other == text or not member(other, ref).startswith(place_of(text)[0])


@given(refs, refs)
def test_packed_places_are_in_the_order_of_the_places(one: Ref, other: Ref) -> None:
    assert (one < other) == (one.packed() < other.packed())


@given(st.builds(Shelf, st.integers(0, 10**5), st.integers(0, 12)))
def test_a_shelf_is_found_by_its_name(shelf: Shelf) -> None:
    assert Shelf.named(shelf.name) == shelf


def stored(days: range, a_day: int, span_days: int = 3) -> dict[Shelf, int]:
    """What so many entries a day leave on the shelves, taken as they come."""
    entries: dict[Shelf, int] = {}
    for day in days:
        for _ in range(0, a_day, 1_000):
            shelf = shelf_for(day, entries, span_days)
            entries[shelf] = entries.get(shelf, 0) + 1_000
    return entries


def test_a_steady_month_of_ten_million_entries_lies_on_a_dozen_shelves_that_stay_packed() -> None:
    entries = stored(range(20_000, 20_030), 333_000)

    assert len([shelf for shelf in entries if shelf.first_day > 20_003]) <= 12
    assert all(entries[shelf] <= shelf.capacity + 1_000 for shelf in entries)


def test_what_is_stored_while_a_span_lasts_shares_its_shelf() -> None:
    assert {shelf_for(day, {}, 3).first_day for day in (20_001, 20_002, 20_003)} == {20_001}
    assert shelf_for(20_004, {}, 3).first_day == 20_004


def test_after_a_busy_span_a_quiet_one_makes_the_next_small() -> None:
    before = {Shelf(20_001, 5): 1_000_000, Shelf(20_004, 5): 900}

    assert shelf_for(20_007, before, 3) == Shelf(20_007, 0)


@given(st.floats(0.01, 1000))
def test_shelves_outlive_the_retention_by_little(retention_days: float) -> None:
    assert span_of(retention_days) <= max(1, retention_days / 10)


@given(st.text(), st.integers(0, 10**5))
def test_every_key_is_in_the_space_of_its_installation(text: str, day: int) -> None:
    keys, other = Keys("headwater."), Keys("headwater.dev.")
    for key in (
        keys.bucket(Shelf(day, 3), text),
        keys.spans(text, day),
        keys.dataset(text, day),
        keys.alert(text),
        keys.nodes(Ref(1, day))[0],
    ):
        assert key.startswith("headwater.index:")
        assert not key.startswith(other.space)
