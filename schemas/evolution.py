"""May one schema read what another wrote? The rules of Avro's schema resolution, decided without any data.

Source: Apache Avro specification, "Schema Resolution". ``BACKWARD_TRANSITIVE`` means that today's schema reads every
released one; ``FULL_TRANSITIVE`` that every released one also reads today's.
"""

from typing import Any

from schemas.shape import PRIMITIVES, AvroSchema

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def why_unreadable(writer: AvroSchema, reader: AvroSchema) -> str | None:
    """Why ``reader`` cannot read what ``writer`` wrote, naming the field; ``None`` where it can."""
    return _why(_Side(writer), _Side(reader), writer["name"])


class _Side:
    """A schema with the names that are defined around it."""

    def __init__(self, schema: AvroSchema, named: dict[str, AvroSchema] | None = None) -> None:
        self.named: dict[str, AvroSchema] = {} if named is None else named
        self.schema = schema
        if isinstance(schema, str) and schema not in PRIMITIVES:
            self.schema = self.named[_unqualified(schema)]
        elif isinstance(schema, dict) and "name" in schema:
            self.named[_unqualified(schema["name"])] = schema
        self.kind = self.schema["type"] if isinstance(self.schema, dict) else self.schema

    def of(self, schema: AvroSchema) -> "_Side":
        return _Side(schema, self.named)

    def __getitem__(self, key: str) -> Any:
        return self.schema[key]


def _unqualified(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _why(writer: _Side, reader: _Side, path: str) -> str | None:
    if isinstance(writer.kind, list):
        reasons = (_why(writer.of(branch), reader, path) for branch in writer.kind)
        return next((reason for reason in reasons if reason), None)
    if isinstance(reader.kind, list):
        if any(_why(writer, reader.of(branch), path) is None for branch in reader.kind):
            return None
        return f"{path}: the reader has no branch for {writer.kind}"
    if writer.kind != reader.kind:
        promoted = reader.kind in _PROMOTIONS.get(writer.kind, ())
        return None if promoted else f"{path}: {writer.kind} cannot be read as {reader.kind}"
    match writer.kind:
        case "array":
            return _why(writer.of(writer["items"]), reader.of(reader["items"]), f"{path}[]")
        case "map":
            return _why(writer.of(writer["values"]), reader.of(reader["values"]), f"{path}{{}}")
        case "enum" | "record" | "fixed":
            if _unqualified(writer["name"]) != _unqualified(reader["name"]):
                return f"{path}: {writer['name']} cannot be read as {reader['name']}"
            return _why_named(writer, reader, path)
    return None


def _why_named(writer: _Side, reader: _Side, path: str) -> str | None:
    if writer.kind == "fixed":
        return None if writer["size"] == reader["size"] else f"{path}: sizes differ"
    if writer.kind == "enum":
        unknown = set(writer["symbols"]) - set(reader["symbols"])
        return (
            f"{path}: no symbol {min(unknown)}, and no default" if unknown and "default" not in reader.schema else None
        )
    written = {field["name"]: writer.of(field["type"]) for field in writer["fields"]}
    for field in reader["fields"]:
        name, wanted = field["name"], reader.of(field["type"])
        if name in written:
            reason = _why(written[name], wanted, f"{path}.{name}")
            if reason:
                return reason
        elif "default" not in field:
            return f"{path}.{name}: not written, and no default"
    return None
