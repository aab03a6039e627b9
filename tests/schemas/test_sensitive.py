from dataclasses import replace

import pytest

from schemas import events as e
from schemas.codec import Codec
from schemas.decoder import Decoder
from schemas.sensitive import hash_sensitive
from tests.schemas.examples import FULL, doubles, same

SALT = b"pepper"
SECRET = e.Sensitivity.SENSITIVE


def hashed(values: e.Texts | e.Codes | e.Sketch | e.Numbers, salt: bytes = SALT) -> e.Column:
    column = e.Column(name="email", values=values, sensitivity=SECRET)
    return hash_sensitive(replace(FULL["data_batch"], columns=(column,)), salt).columns[0]


def test_texts_become_hashes_that_are_equal_where_the_texts_are() -> None:
    values = hashed(e.Texts(values=("a", None, "b", "a"))).values

    assert isinstance(values, e.Texts)
    first, missing, second, again = values.values
    assert missing is None
    assert first == again != second
    assert first is not None
    assert len(first) == 16


def test_another_salt_gives_other_hashes() -> None:
    texts = e.Texts(values=("a",))

    assert hashed(texts) != hashed(texts, b"salt")


def test_a_salt_of_any_length_is_used_to_its_end() -> None:
    texts = e.Texts(values=("a",))

    assert hashed(texts, b"x" * 100) == hashed(texts, b"x" * 100) != hashed(texts, b"x" * 99 + b"y")


def test_dictionaries_and_frequent_values_are_hashed_alike() -> None:
    texts, codes = hashed(e.Texts(values=("a",))).values, hashed(FULL["data_batch"].columns[2].values).values
    sketch = hashed(e.Sketch(count=1, top=(e.TopValue(value="a", count=1),))).values

    assert isinstance(texts, e.Texts)
    assert isinstance(codes, e.Codes)
    assert isinstance(sketch, e.Sketch)
    assert sketch.top[0].value == texts.values[0]
    assert "a@x" not in codes.dictionary


def test_numbers_and_columns_that_are_not_sensitive_stay_as_they_are() -> None:
    batch = FULL["data_batch"]
    hashed_batch = hash_sensitive(batch, SALT)

    assert same(hashed(e.Numbers(values=doubles(1.0))).values, e.Numbers(values=doubles(1.0)))
    assert same(hashed_batch.columns[:2], batch.columns[:2])
    assert not same(hashed_batch.columns[2], batch.columns[2])


@pytest.mark.parametrize("name", ["outcome", "change"])
def test_events_without_columns_stay_as_they_are(name: str) -> None:
    assert hash_sensitive(FULL[name], SALT) is FULL[name]


def test_the_door_hashes_features_when_it_has_a_salt() -> None:
    event = FULL["prediction"]
    value = Codec("prediction", e.Prediction).encode(event)

    assert same(Decoder(e.Prediction).decode(value), event)
    assert same(Decoder(e.Prediction, salt=SALT).decode(value), hash_sensitive(event, SALT))
