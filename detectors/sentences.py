"""Findings in plain units: aggregates only, never the value of a row."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from detectors.checks import percent

_ORDINALS = {0: "most", 1: "2nd most", 2: "3rd most"}
SIGMA = "σ"  # noqa: RUF001  # the sign of a standard deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What changed, in the statistic's public unit, and the column in its own units where it is numeric.

    effect: in standard deviations of a row. mean, deviation: of the batch; usual_*: of healthy batches.
    """

    column: str
    rank: int
    observed: float
    expected: float
    effect: float
    mean: float
    deviation: float
    usual_mean: float
    usual_deviation: float


def sentence(statistic: str, shift: Shift) -> str:
    """The claim in words.

    >>> shift = Shift(column="age", rank=0, observed=0.032, expected=0.01, effect=2.2, mean=0, deviation=1,
    ...               usual_mean=0, usual_deviation=1)
    >>> sentence("missing_rate", shift)
    'missing rate of `age` rose from 1.0 % to 3.2 %'
    """
    return _WORDS[statistic](shift)


def _rate(what: str) -> Callable[[Shift], str]:
    def words(shift: Shift) -> str:
        verb = "rose" if shift.observed >= shift.expected else "fell"
        before, after = percent(shift.expected), percent(shift.observed)
        return f"{what.format(shift.column)} {verb} from {before} to {after}"

    return words


def _location(shift: Shift) -> str:
    apart = shift.mean - shift.usual_mean
    side = "above" if shift.effect > 0 else "below"
    if isfinite(apart) and apart * shift.effect > 0 and shift.usual_deviation > 0:
        size = abs(apart) / shift.usual_deviation
        mean, usual = _numbers(shift.mean, shift.usual_mean)
        return f"mean of `{shift.column}` is {mean}, {plain(size, 2)} {SIGMA} {side} its baseline {usual}"
    return f"values of `{shift.column}` lie {plain(abs(shift.effect), 2)} {SIGMA} {side} their baseline"


def _mean(shift: Shift) -> str:
    if shift.usual_deviation > 0:
        return _location(shift)
    mean, usual = _numbers(shift.observed, shift.expected)
    return f"mean of `{shift.column}` is {mean}, {'above' if shift.effect > 0 else 'below'} its baseline {usual}"


def _scale(shift: Shift) -> str:
    verb = "wider" if shift.effect > 0 else "narrower"
    grew = shift.deviation > shift.usual_deviation
    if isfinite(shift.deviation) and grew == (shift.effect > 0):
        now, usual = _numbers(shift.deviation, shift.usual_deviation)
        return f"spread of `{shift.column}` is {verb}: standard deviation {now}, baseline {usual}"
    return f"values of `{shift.column}` are spread {verb} than their baseline"


def _skew(shift: Shift) -> str:
    side = "high" if shift.effect > 0 else "low"
    return f"distribution of `{shift.column}` leans towards {side} values, its centre and spread explained"


def _tail(shift: Shift) -> str:
    what = "heavier" if shift.effect > 0 else "lighter"
    return f"tails of `{shift.column}` are {what} than their baseline"


def _category(shift: Shift) -> str:
    place = _ORDINALS.get(shift.rank, f"{shift.rank + 1}th most")
    which = "rarer categories" if shift.rank >= 16 else f"{place} frequent category"
    return _rate(f"share of the {which} of `{{}}`")(shift)


def _distinct(shift: Shift) -> str:
    verb = "more" if shift.effect > 0 else "fewer"
    return f"`{shift.column}` has {verb} different values: {plain(shift.observed)} times its baseline"


def _rows(shift: Shift) -> str:
    return f"the batch has {shift.observed:,.0f} rows where about {shift.expected:,.0f} were expected"


def _gap(shift: Shift) -> str:
    return f"the batch came {plain(shift.observed)} s after the one before, where {plain(shift.expected)} s is usual"


_WORDS: dict[str, Callable[[Shift], str]] = {
    "missing_rate": _rate("missing rate of `{}`"),
    "out_of_range": _rate("share of `{}` outside its usual range"),
    "new_category": _rate("share of never-seen categories of `{}`"),
    "category_rate": _category,
    "category_mix": _category,
    "location": _location,
    "mean": _mean,
    "scale": _scale,
    "skew": _skew,
    "tail": _tail,
    "distinct": _distinct,
    "rows": _rows,
    "gap": _gap,
}


def _numbers(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart, at least three."""
    for digits in range(3, 10):
        left, right = plain(a, digits), plain(b, digits)
        if left != right:
            return left, right
    return f"{a:.9g}", f"{b:.9g}"


def plain(value: float, digits: int = 3) -> str:
    """A number as people write it: rounded to so many digits, with an exponent only where zeros would hide it.

    >>> plain(5672.3), plain(112.0, 2), plain(0.0521), plain(1.5e-9), plain(2.5e12)
    ('5,670', '110', '0.0521', '1.5e-09', '2.5e+12')
    """
    rounded = float(f"{value:.{digits}g}")
    if rounded and not 1e-4 <= abs(rounded) < 1e9:
        return f"{rounded:.{digits}g}"
    return f"{rounded:,.0f}" if abs(rounded) >= 10 ** (digits - 1) else f"{rounded:.{digits}g}"
