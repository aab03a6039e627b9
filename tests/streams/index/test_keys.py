"""Where things lie in Redis."""

from hypothesis import given
from hypothesis import strategies as st

from streams.index.keys import Keys, Ref, generation_of, generations, lex_range, member, ref_of

refs = st.builds(Ref, st.integers(0, 999), st.integers(0, 2**47))


@given(refs, st.text())
def test_a_member_leads_back_to_its_record(ref: Ref, text: str) -> None:
    assert ref_of(member(text, ref)) == ref


@given(refs, st.text(), st.text())
def test_the_range_of_a_text_holds_its_members_and_no_others(ref: Ref, text: str, other: str) -> None:
    low, high = (bound[1:] for bound in lex_range(text))
    assert low <= member(text, ref) <= high
    assert other == text or not low <= member(other, ref) <= high


@given(refs, refs)
def test_packed_places_are_in_the_order_of_the_places(one: Ref, other: Ref) -> None:
    assert (one < other) == (one.packed() < other.packed())


@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_what_was_written_is_looked_for_in_the_generation_it_went_to(before: int, more: int) -> None:
    assert generation_of(before) in generations(before + 1 + more)


def test_ten_million_entries_of_a_day_need_few_generations() -> None:
    assert generation_of(0) == 0
    assert generation_of(10**7) <= 8


@given(st.text(), st.integers(0, 10**5))
def test_every_key_is_in_the_space_of_its_installation(text: str, day: int) -> None:
    keys, other = Keys("headwater."), Keys("headwater.dev.")
    for key in (keys.bucket(day, 3, text), keys.dataset(text, day), keys.alert(text), keys.nodes(Ref(1, day))[0]):
        assert key.startswith("headwater.index:")
        assert not key.startswith(other.space)
