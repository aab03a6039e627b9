from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.ingest.problem import BadInput
from streams.ingest.times import duration_of, micros_of, one_time, written

NOON = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00",
        "2026-01-31 12:00",
        "2026/01/31 12:00:00.000",
        "2026-01-31T12:00:00,000Z",
        "2026-01-31T14:00:00+02:00",
        "2026-01-31T14:00:00.000000+0200",
        "2026-01-31T14:00+02",
        "2026-01-31 12:00:00 UTC",
        " 2026-01-31T07:00:00-05:00 ",
        "1769860800",
        "1769860800.0",
        "1769860800000",
        "1769860800000000",
        "1769860800000000000",
    ],
)
def test_a_time_is_read_however_it_is_written(text: str) -> None:
    assert one_time(text) == NOON


def test_a_date_alone_is_its_midnight() -> None:
    assert one_time("2026-01-31") == NOON - 12 * 3_600_000_000


@pytest.mark.parametrize("text", ["31/01/2026", "yesterday", "", "2026-13-01", "12:00", "nan", "inf"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="no time"):
        one_time(text)


def test_typed_columns_keep_their_instant() -> None:
    naive = datetime(2026, 1, 31, 12)  # noqa: DTZ001  # a naive time is what is tested
    east = datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=2)))
    assert micros_of(pl.Series([naive])).to_list() == [NOON]
    assert micros_of(pl.Series([east])).to_list() == [NOON]
    assert micros_of(pl.Series([naive.date()])).to_list() == [NOON - 12 * 3_600_000_000]
    assert micros_of(pl.Series([NOON, None])).to_list() == [NOON, None]


@settings(max_examples=50)
@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001  # bounds are naive
def test_iso_text_gives_the_same_instant_as_datetime(at: datetime) -> None:
    exact = (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert one_time(at.isoformat()) == exact


@settings(max_examples=50)
@given(st.integers(10**14, 4 * 10**15))
def test_epochs_agree_in_every_unit(micros: int) -> None:
    assert one_time(str(micros)) == micros
    assert one_time(str(micros // 1_000)) == micros // 1_000 * 1_000
    assert one_time(str(micros // 1_000_000)) == micros // 1_000_000 * 1_000_000
    assert micros_of(pl.Series([micros * 1_000])).to_list() == [micros]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1.5h", 5400), ("7d", 604800), ("2w", 1209600)]
)
def test_a_span_has_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert duration_of(text) == seconds * 1_000_000


@pytest.mark.parametrize("text", ["7", "d", "-7d", "7 days", ""])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="no span"):
        duration_of(text)


def test_a_time_beyond_the_calendar_is_still_written() -> None:
    assert written(NOON) == "2026-01-31T12:00:00Z"
    assert written(10**18) == "1000000000000000000 µs"
