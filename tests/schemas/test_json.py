"""JSON as people write it by hand."""

import json
from typing import Any

import numpy as np
import pytest

from schemas.decoder import Decoder
from schemas.events import Codes, DataBatch, Histogram, Numbers, Outcome, Prediction, Scope, Sketch, Texts
from schemas.malformed import MalformedEvent, Reason
from schemas.times import to_text
from tests.schemas.examples import NOW

BATCHES = Decoder(DataBatch)
REQUIRED = {"pipeline": "shop", "dataset": "orders", "produced_at": NOW, "rows": 2}


def batch(**fields: Any) -> DataBatch:
    return BATCHES.decode(json.dumps(REQUIRED | fields).encode())


def values(given: Any) -> Any:
    return batch(columns=[{"name": "x", "values": given}]).columns[0].values


@pytest.mark.parametrize(
    "time",
    [
        NOW,
        NOW // 1_000,
        NOW // 1_000_000,
        float(NOW // 1_000_000),
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00+01:00",
        "2026-01-01T00:00:00.000Z",
        "20260101T000000Z",
    ],
)
def test_a_time_is_a_text_with_an_offset_or_a_number_whose_size_tells_its_unit(time: Any) -> None:
    assert batch(produced_at=time).produced_at == NOW


@pytest.mark.parametrize("time", ["2026-01-01T00:00:00", "yesterday", True, 1e18, float("nan"), [], {}])
def test_a_time_without_an_offset_or_without_sense_is_refused(time: Any) -> None:
    with pytest.raises(MalformedEvent, match="produced_at must be a time") as refused:
        batch(produced_at=time)
    assert refused.value.reason is Reason.BAD_VALUE


def test_a_time_is_written_in_utc() -> None:
    assert to_text(NOW + 1) == "2026-01-01T00:00:00.000001Z"


@pytest.mark.parametrize(
    "given",
    [
        [1, None],
        [True, None],
        {"values": [1.0, None]},
        {"Numbers": {"values": [1, None]}},
        {"headwater.v1.Numbers": {"values": [1, float("nan")]}},
        [1, "NaN"],
    ],
)
def test_numbers_come_plain_or_named_and_null_is_nan(given: Any) -> None:
    assert isinstance(values(given), Numbers)
    assert np.array_equal(values(given).values, [1.0, np.nan], equal_nan=True)


def test_infinities_in_an_array_have_names() -> None:
    assert values(["Infinity", "-Infinity", 0]).values.tolist() == [np.inf, -np.inf, 0.0]


@pytest.mark.parametrize(
    "given",
    [
        ["a", None],
        {"values": ["a", None]},
        {"Texts": {"values": ["a", None]}},
        {"headwater.v1.Texts": {"values": ["a", None]}},
    ],
)
def test_texts_come_plain_or_named(given: Any) -> None:
    assert values(given) == Texts(values=("a", None))


def test_codes_and_sketches_are_told_by_their_fields() -> None:
    codes = values({"dictionary": ["a"], "codes": [0, -1]})
    sketch = values({"count": 2, "shape": {"edges": [0, 1], "counts": [2]}, "top": [{"value": "a", "count": 2}]})

    assert isinstance(codes, Codes)
    assert codes.codes.tolist() == [0, -1]
    assert isinstance(sketch, Sketch)
    assert isinstance(sketch.shape, Histogram)
    assert sketch.top[0].count == 2


def test_a_column_of_nulls_is_one_of_numbers_unless_it_is_named() -> None:
    assert isinstance(values([None, None]), Numbers)
    assert isinstance(values({"Texts": {"values": [None, None]}}), Texts)


@pytest.mark.parametrize(
    "given", [[1, "a"], [[1]], "abc", 7, {}, {"values": [1], "codes": [0]}, {"count": "many"}, [10**400]]
)
def test_values_of_no_known_form_are_refused(given: Any) -> None:
    with pytest.raises(MalformedEvent) as refused:
        values(given)
    assert refused.value.reason in (Reason.BAD_VALUE, Reason.UNKNOWN_FIELD)


def test_absent_and_null_fields_take_their_defaults() -> None:
    decoded = batch(parents=None, scope=None, owner=None, segments=None)

    assert (decoded.parents, decoded.scope, decoded.owner, decoded.segments) == ((), Scope.UNKNOWN, None, {})


def test_enums_are_read_in_any_case_and_unknown_symbols_are_unknown() -> None:
    assert batch(scope="snapshot").scope is Scope.SNAPSHOT
    assert batch(scope="PARTIAL").scope is Scope.UNKNOWN


def test_an_unknown_field_is_named_and_its_neighbour_suggested() -> None:
    with pytest.raises(MalformedEvent, match="DataBatch has no field 'owners', did you mean 'owner'") as refused:
        batch(owners="me")
    assert refused.value.reason is Reason.UNKNOWN_FIELD


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rows": "2"}, "rows must be an integer"),
        ({"rows": True}, "rows must be an integer"),
        ({"rows": 2.5}, "rows must be an integer"),
        ({"rows": 2**63}, "rows must be an integer"),
        ({"pipeline": 7}, "pipeline must be a text"),
        ({"pipeline": "\ud800"}, "pipeline must be valid Unicode"),
        ({"parents": {}}, "parents must be an array"),
        ({"parents": ["orders"]}, r"parents\[\] must be an object"),
        ({"segments": {"a": 1}}, "segments{} must be a text"),
        ({"segments": []}, "segments must be an object"),
        ({"sampling": {"method": "m", "fraction": "half"}}, "fraction must be a number"),
        ({"scope": 1}, "scope must be the name of a symbol"),
        ({"columns": [{"name": "x", "values": {"count": 1, "shape": {"sketch": "?"}}}]}, "sketch must be bytes"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_the_name_of_its_field(fields: Any, message: str) -> None:
    with pytest.raises(MalformedEvent, match=message) as refused:
        batch(**fields)
    assert refused.value.reason is Reason.BAD_VALUE


def test_a_whole_number_with_a_decimal_point_is_an_integer() -> None:
    assert batch(rows=2.0).rows == 2


def test_spaces_before_the_object_do_no_harm() -> None:
    assert BATCHES.decode(b"\n " + json.dumps(REQUIRED).encode()).rows == 2


def test_only_the_required_fields_make_a_prediction_and_an_outcome() -> None:
    scored = b'{"pipeline": "p", "model": "m", "scored_at": "2026-01-01T00:00:00Z", "scores": [0.5]}'
    known = b'{"pipeline": "p", "model": "m", "observed_at": 1767225600, "prediction_ids": ["a"], "outcomes": [true]}'

    assert Decoder(Prediction).decode(scored).scores.tolist() == [0.5]
    assert Decoder(Outcome).decode(known).outcomes.tolist() == [1.0]
