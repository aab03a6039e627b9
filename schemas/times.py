"""Times in JSON: texts of ISO 8601 with an offset, or numbers since the epoch whose unit their size tells."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Until the year 2286 seconds have at most 10 digits; the same instant has 13 in milliseconds and 16 in microseconds.
# Bounds between them leave three digits on both sides; milliseconds and microseconds of 1970-1973 are out of reach.
SECONDS_BELOW = 1e11
MILLISECONDS_BELOW = 1e14
MICROSECONDS_BELOW = 1e17


def from_text(text: str) -> int:
    """Microseconds since the epoch of an ISO 8601 text with an offset or ``Z``; ``ValueError`` for anything else."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a time needs an offset or Z")
    return (instant - _EPOCH) // _MICROSECOND


def from_number(number: float) -> int:
    """Microseconds since the epoch of seconds, milliseconds or microseconds, told apart by magnitude.

    >>> from_number(1_700_000_000.5) == from_number(1_700_000_000_500) == from_number(1_700_000_000_500_000)
    True
    """
    size = abs(number)
    if size < SECONDS_BELOW:
        return round(number * 1_000_000)
    if size < MILLISECONDS_BELOW:
        return round(number * 1_000)
    if size < MICROSECONDS_BELOW:
        return round(number)
    raise ValueError("a time is neither seconds, nor milliseconds, nor microseconds")


def to_text(micros: int) -> str:
    """ISO 8601 in UTC with microseconds; ``OverflowError`` outside the years 1 to 9999.

    >>> to_text(1_700_000_000_500_000)
    '2023-11-14T22:13:20.500000Z'
    """
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds").replace("+00:00", "Z")
