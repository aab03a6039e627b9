"""Which schemas there are: the current ones, and every version ever released, by fingerprint.

``*.avsc`` beside this module is what is written today; ``released/vN/*.avsc`` are frozen copies of what release N
wrote.
"""

import json
from functools import cache
from importlib.resources import files

from fastavro.schema import fingerprint as _fingerprint
from fastavro.schema import parse_schema, to_parsing_canonical_form

from schemas.shape import AvroSchema

READ = ("data_batch", "prediction", "outcome", "change")
PUBLISHED = ("observation", "alert")
NAMES = READ + PUBLISHED


@cache
def current(name: str) -> AvroSchema:
    """The schema written today, by file name without its ending, as JSON."""
    return json.loads((files("schemas") / f"{name}.avsc").read_text("utf-8"))


@cache
def released(name: str) -> tuple[AvroSchema, ...]:
    """Every released version of a schema, oldest first."""
    folders = [folder for folder in (files("schemas") / "released").iterdir() if folder.name[1:].isdigit()]
    paths = [folder / f"{name}.avsc" for folder in sorted(folders, key=lambda folder: int(folder.name[1:]))]
    return tuple(json.loads(path.read_text("utf-8")) for path in paths if path.is_file())


def fingerprint(schema: AvroSchema) -> bytes:
    """The CRC-64-AVRO fingerprint of the canonical form: 8 bytes, little-endian, as single-object encoding has it.

    Source: Apache Avro specification, "Schema fingerprints". Docs and defaults do not enter it.
    """
    return bytes.fromhex(_fingerprint(_canonical(schema), "CRC-64-AVRO"))


def fingerprint_by_avro_package(schema: AvroSchema) -> bytes:
    """What the ``avro`` package of Python takes for the fingerprint: it leaves ``{"type":"long"}`` as it is.

    The specification wants such a type shortened to ``"long"``, but whoever uses that package has no other number.
    """
    text = _canonical(_marked(schema)).replace(_canonical(_MARK), '{"type":"long"}')
    return bytes.fromhex(_fingerprint(text, "CRC-64-AVRO"))


@cache
def known() -> dict[bytes, tuple[str, AvroSchema]]:
    """Every schema this room knows, by fingerprint: its name and itself."""
    schemas = [(name, schema) for name in NAMES for schema in (*released(name), current(name))]
    return {
        take(schema): (name, schema) for take in (fingerprint_by_avro_package, fingerprint) for name, schema in schemas
    }


_MARK: AvroSchema = {"type": "map", "values": {"type": "map", "values": "null"}}  # occurs in no schema


def _canonical(schema: AvroSchema) -> str:
    return str(to_parsing_canonical_form(parse_schema(schema, _write_hint=False)))


def _marked(schema: AvroSchema) -> AvroSchema:
    if isinstance(schema, list):
        return [_marked(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "logicalType" in schema:
        return _MARK
    parts = {key: _marked(schema[key]) for key in ("items", "values", "type") if key in schema}
    if "fields" in schema:
        parts["fields"] = [{**field, "type": _marked(field["type"])} for field in schema["fields"]]
    return {**schema, **parts}
