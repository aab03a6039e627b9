"""Numbers, times and durations as people read them."""

from datetime import UTC, datetime
from typing import TypeAlias

Micros: TypeAlias = int

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def number(value: float) -> str:
    """A number with three significant digits, thousands grouped: ``0.0312``, ``54.2``, ``3,204``, ``1.2e+12``.

    >>> number(3204.4), number(0.03124), number(54.0)
    ('3,204', '0.0312', '54')
    """
    if value != value or abs(value) == float("inf"):
        return "not a number" if value != value else ("∞" if value > 0 else "-∞")
    if value == 0 or 1000 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def share(value: float) -> str:
    """A rate between 0 and 1 in percent.

    >>> share(0.032), share(0.0004), share(0.31)
    ('3.2 %', '0.04 %', '31 %')
    """
    percent = value * 100
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"


def time(at: Micros) -> str:
    """A time in UTC to the second.

    >>> time(1_700_000_000_000_000)
    '2023-11-14 22:13:20'
    """
    try:
        return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{at} µs"


def duration(micros: Micros) -> str:
    """How long, in its two largest units.

    >>> duration(380_000_000), duration(3_600_000_000 * 50), duration(45_000)
    ('6 min 20 s', '2 d 2 h', '0.045 s')
    """
    micros = abs(micros)
    if 0 < micros < 1_000_000:
        return f"{micros / 1e6:.2g} s"
    left, parts = micros // 1_000_000, []
    for seconds, unit in _UNITS:
        if left >= seconds:
            parts.append(f"{left // seconds} {unit}")
            left %= seconds
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def offset(at: Micros, origin: Micros) -> str:
    """How much later or earlier than ``origin``.

    >>> offset(60_000_000, 0), offset(0, 60_000_000), offset(5, 5)
    ('+1 min', '-1 min', '')
    """
    if at == origin:
        return ""
    return f"{'+' if at > origin else '-'}{duration(at - origin)}"
