"""Which record of a union an untagged value is, told by its fields."""

from collections.abc import Mapping
from typing import Any

from schemas.shape import Record, Vector


def named_branch(name: str) -> str:
    """The name of a record without its namespace."""
    return name.rsplit(".", 1)[-1]


def branch_of(records: tuple[Record, ...], value: Mapping[str, Any]) -> Record:
    """The first record that ``value`` has all required fields of, and no others; ``LookupError`` if there is none.

    Records that differ only in what their arrays hold are told apart by it: any text makes it an array of texts.
    """
    fitting = [record for record in records if _fits(record, value)]
    for record in fitting:
        if all(_holds(member.shape, value.get(member.name)) for member in record.members):
            return record
    raise LookupError(f"none of {', '.join(record.name for record in records)}")


def holds_texts(values: Any) -> bool:
    """Whether a list is one of texts: it has some, and nothing else but nulls."""
    kinds = set(map(type, values)) - {type(None)}
    return kinds == {str}


def _fits(record: Record, value: Mapping[str, Any]) -> bool:
    names = {member.name for member in record.members}
    return value.keys() <= names and {member.name for member in record.members if member.required} <= value.keys()


def _holds(shape: Any, value: Any) -> bool:
    return not (isinstance(shape, Vector) and isinstance(value, list) and holds_texts(value))
