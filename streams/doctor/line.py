"""What a check says."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: ``FAIL`` keeps Headwater from working, ``WARN`` costs something, which the line says."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One finding of a check; ``mend`` says what to do about it and is empty where nothing is to be done."""

    check: str
    level: Level
    text: str
    mend: str = ""


def ok(check: str, text: str) -> Line:
    """All is well."""
    return Line(check=check, level=Level.OK, text=text)


def warn(check: str, text: str, mend: str) -> Line:
    """It works, at a cost."""
    return Line(check=check, level=Level.WARN, text=text, mend=mend)


def fail(check: str, text: str, mend: str) -> Line:
    """It does not work."""
    return Line(check=check, level=Level.FAIL, text=text, mend=mend)
