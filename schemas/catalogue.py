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
    canonical = to_parsing_canonical_form(parse_schema(schema, _write_hint=False))
    return bytes.fromhex(_fingerprint(canonical, "CRC-64-AVRO"))


@cache
def known() -> dict[bytes, tuple[str, AvroSchema]]:
    """Every schema this room knows, by fingerprint: its name and itself."""
    return {fingerprint(schema): (name, schema) for name in NAMES for schema in (*released(name), current(name))}
