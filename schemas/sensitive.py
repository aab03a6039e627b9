"""Hashes the texts of sensitive columns, so that they can be counted and compared but not read."""

from dataclasses import replace
from hashlib import blake2b
from typing import TypeVar

from schemas.events import Change, Codes, Column, DataBatch, Outcome, Prediction, Sensitivity, Sketch, Texts

E = TypeVar("E", DataBatch, Prediction, Outcome, Change)
MAX_KEY_BYTES = 64  # of BLAKE2b; a longer salt is hashed down to it
DIGEST_BYTES = 8  # 16 hexadecimal digits; two of a million categories collide with probability 3e-8


def hash_sensitive(event: E, salt: bytes) -> E:
    """``event`` with every text of its ``SENSITIVE`` columns replaced by a keyed BLAKE2b hash.

    Equal texts have equal hashes under one ``salt``. Numbers stay: only aggregates of them are kept.
    """
    if len(salt) > MAX_KEY_BYTES:
        salt = blake2b(salt).digest()
    if isinstance(event, DataBatch):
        return replace(event, columns=_hash_columns(event.columns, salt)) if _any(event.columns) else event
    if isinstance(event, Prediction):
        return replace(event, features=_hash_columns(event.features, salt)) if _any(event.features) else event
    return event


def _any(columns: tuple[Column, ...]) -> bool:
    return any(column.sensitivity is Sensitivity.SENSITIVE for column in columns)


def _hash_columns(columns: tuple[Column, ...], salt: bytes) -> tuple[Column, ...]:
    return tuple(
        _hash_column(column, salt) if column.sensitivity is Sensitivity.SENSITIVE else column for column in columns
    )


def _hash_column(column: Column, salt: bytes) -> Column:
    values = column.values
    if isinstance(values, Texts):
        hashes = {text: _hash(text, salt) for text in set(values.values) if text is not None}
        texts = tuple(None if text is None else hashes[text] for text in values.values)
        return replace(column, values=Texts(values=texts))
    if isinstance(values, Codes):
        return replace(column, values=replace(values, dictionary=tuple(_hash(one, salt) for one in values.dictionary)))
    if isinstance(values, Sketch):
        top = tuple(replace(one, value=_hash(one.value, salt)) for one in values.top)
        return replace(column, values=replace(values, top=top))
    return column


def _hash(text: str, salt: bytes) -> str:
    return blake2b(text.encode(), digest_size=DIGEST_BYTES, key=salt).hexdigest()
