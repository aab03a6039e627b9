"""What was released once is read for ever: golden bytes, and the rules of evolution over every version."""

import copy
from pathlib import Path
from typing import Any

import pytest

from schemas import catalogue
from schemas.codec import Codec
from schemas.evolution import why_unreadable
from tests.schemas.examples import CLASSES, FULL, same

GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(CLASSES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["bin", "json"])
def test_the_golden_bytes_of_version_1_are_read_as_the_event_they_were(name: str, ending: str) -> None:
    golden = (GOLDEN / "v1" / f"{name}.{ending}").read_bytes()

    assert same(Codec(name, CLASSES[name]).decode(golden), FULL[name])


@pytest.mark.parametrize("name", NAMES)
def test_version_1_is_still_written_byte_by_byte(name: str) -> None:
    codec = Codec(name, CLASSES[name])

    assert codec.encode(FULL[name]) == (GOLDEN / "v1" / f"{name}.bin").read_bytes()
    assert codec.encode_json(FULL[name]) == (GOLDEN / "v1" / f"{name}.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "fingerprint"),
    [
        ("alert", "b04d054129b038e2"),
        ("change", "9fb8c4d8919b3891"),
        ("data_batch", "b2b1a8e33eaf4763"),
        ("observation", "f06cf55c02e9edc3"),
        ("outcome", "f3b032e340e04aa2"),
        ("prediction", "e20ab81c2b6bad4c"),
    ],
)
def test_the_fingerprints_of_version_1_are_frozen(name: str, fingerprint: str) -> None:
    assert catalogue.fingerprint(catalogue.released(name)[0]).hex() == fingerprint


@pytest.mark.parametrize("name", NAMES)
def test_the_newest_release_is_what_is_written(name: str) -> None:
    assert catalogue.fingerprint(catalogue.released(name)[-1]) == catalogue.fingerprint(catalogue.current(name))


@pytest.mark.parametrize("name", NAMES)
def test_todays_schema_reads_every_release(name: str) -> None:
    for old in catalogue.released(name):
        assert why_unreadable(old, catalogue.current(name)) is None


@pytest.mark.parametrize("name", catalogue.PUBLISHED)
def test_every_release_reads_todays_schema_of_what_is_published(name: str) -> None:
    for old in catalogue.released(name):
        assert why_unreadable(catalogue.current(name), old) is None


def changed(**replaced: Any) -> Any:
    schema = copy.deepcopy(catalogue.current("change"))
    for field in schema["fields"]:
        field["type"] = replaced.get(field["name"], field["type"])
    return schema


def with_field(**field: Any) -> Any:
    schema = catalogue.current("change")
    return {**schema, "fields": [*schema["fields"], {"name": "colour", "type": "string"} | field]}


KINDS = {"type": "enum", "name": "ChangeKind", "symbols": ["UNKNOWN", "CODE"]}


@pytest.mark.parametrize(
    ("writer", "reader", "reason"),
    [
        (changed(), with_field(default="red"), None),
        (changed(), with_field(), "Change.colour: not written, and no default"),
        (with_field(), changed(), None),
        (changed(), changed(pipeline="bytes"), None),
        (changed(pipeline="int"), changed(), "Change.pipeline: int cannot be read as string"),
        (changed(), changed(pipeline=["null", "string"]), None),
        (changed(pipeline=["null", "string"]), changed(), "Change.pipeline: null cannot be read as string"),
        (changed(pipeline="int"), changed(pipeline=["null", "string"]), "Change.pipeline: the reader has no branch"),
        (changed(), changed(kind={**KINDS, "default": "UNKNOWN"}), None),
        (changed(), changed(kind=KINDS), "Change.kind: no symbol BASELINE, and no default"),
        (changed(), changed(kind={**KINDS, "name": "Kind"}), "ChangeKind cannot be read as Kind"),
    ],
)
def test_schemas_are_compatible_exactly_when_resolution_says_so(writer: Any, reader: Any, reason: str | None) -> None:
    said = why_unreadable(writer, reader)

    assert said is None if reason is None else reason in str(said)
