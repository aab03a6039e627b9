"""What is wrong with the input, said so that its owner can mend it."""

from dataclasses import dataclass

SHOWN = 40
FLATTEN = "flatten it, or leave it out with --ignore {}"


class BadInput(ValueError):
    """The input or the options cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One row that cannot be sent: ``line`` counts from 1, as editors do (rows of a Parquet file likewise)."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


def shown(value: object) -> str:
    """A value as it appears in a message: quoted, and cut where it is long."""
    text = str(value)
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")
