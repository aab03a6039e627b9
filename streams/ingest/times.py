"""Times as people write them, as microseconds since the epoch.

Without a zone a time is UTC. Numbers are seconds, milliseconds, microseconds or nanoseconds since the epoch by their
magnitude: from 1e11 on (the year 5138 in seconds, 1973 in milliseconds) they are taken for the next finer unit.
"""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.events import Micros
from streams.ingest.problem import BadInput, shown

SECOND = 1_000_000
_UNITS = {"us": 1, "ms": 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
_UNITS["w"] = 7 * _UNITS["d"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(series: pl.Series) -> pl.Series:
    """Int64 microseconds, null where the value is missing or is no time."""
    dtype = series.dtype
    if dtype.is_temporal() and dtype not in (pl.Duration, pl.Time):
        return series.cast(pl.Datetime("us")).to_physical() if dtype == pl.Date else _datetime(series)
    if dtype.is_numeric():
        return _epoch(series.cast(pl.Float64)) if dtype.is_float() else _epoch_exact(series.cast(pl.Int64))
    if dtype == pl.String:
        text = series.str.strip_chars()
        return _iso(text).fill_null(_epoch(text.cast(pl.Float64, strict=False)))
    return pl.Series(series.name, [None] * len(series), dtype=pl.Int64)


def one_time(text: str) -> Micros:
    """A single time.

    Raises:
        BadInput: ``text`` is no time.
    """
    value = micros_of(pl.Series([text]))[0]
    if value is None:
        raise BadInput(f"{shown(text)} is no time: write 2026-01-31T12:00:00Z, or seconds since the epoch")
    return int(value)


def duration_of(text: str) -> Micros:
    """A span such as ``90s``, ``15m``, ``12h``, ``7d`` or ``1.5h``, in microseconds.

    Raises:
        BadInput: ``text`` is no span.

    >>> duration_of("7d") // duration_of("1h")
    168
    """
    matched = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*(us|ms|s|m|h|d|w)\s*", text)
    if matched is None:
        raise BadInput(f"{shown(text)} is no span of time: write a number and a unit, such as 90s, 15m, 12h, 7d or 2w")
    return round(float(matched[1]) * _UNITS[matched[2]])


def written(at: Micros) -> str:
    """A time for people: ISO 8601, UTC, to the second.

    >>> written(1_540_922_400_000_000)
    '2018-10-30T18:00:00Z'
    """
    try:
        return (_EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        return f"{at} µs"


def latest(at: NDArray[np.int64]) -> Micros:
    """The last of some times, as a plain number."""
    return int(at.max())


def _datetime(series: pl.Series) -> pl.Series:
    zone = series.dtype.time_zone  # type: ignore[attr-defined]  # only Datetime comes here
    naive = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else series
    return naive.cast(pl.Datetime("us")).to_physical()


def _epoch_exact(numbers: pl.Series) -> pl.Series:
    size = numbers.abs()
    scale = [(10**11, SECOND), (10**14, 1_000), (10**17, 1)]
    frame = pl.DataFrame({"x": numbers, "size": size})
    expression = pl.when(pl.col("size") < scale[0][0]).then(pl.col("x") * scale[0][1])
    for below, factor in scale[1:]:
        expression = expression.when(pl.col("size") < below).then(pl.col("x") * factor)  # type: ignore[assignment]  # polars chains types
    return frame.select(expression.otherwise(pl.col("x") // 1_000))["x"].rename(numbers.name)


def _epoch(numbers: pl.Series) -> pl.Series:
    finite = numbers.is_finite() & (numbers.abs() < 9e18)
    size = numbers.abs()
    factor = (
        pl.DataFrame({"size": size})
        .select(
            pl.when(pl.col("size") < 1e11)
            .then(1e6)
            .when(pl.col("size") < 1e14)
            .then(1e3)
            .when(pl.col("size") < 1e17)
            .then(1.0)
            .otherwise(1e-3)
        )
        .to_series()
    )
    scaled = (numbers * factor).round(0)
    return scaled.set(~finite, None).cast(pl.Int64, strict=False)


def _iso(text: pl.Series) -> pl.Series:
    """ISO 8601 and its everyday relatives: a blank for the ``T``, slashes, no seconds, a date alone."""
    name = "text"
    value = (
        pl.col(name)
        .str.replace(r"^(\d{4})[/-](\d{1,2})[/-](\d{1,2})", "${1}-${2}-${3}")
        .str.replace(r"^([0-9-]{8,10})[ t]+", "${1}T")
        .str.replace(r"^([0-9-]{8,10})$", "${1}T00:00:00")
        .str.replace(r"T(\d{2}:\d{2})($|Z|z|[+-])", "T${1}:00${2}")
        .str.replace(r",(\d+)", ".${1}")
        .str.replace(r"\s*(Z|z|UTC)$", "+00:00")
        .str.replace(r"([+-]\d{2}):?(\d{2})$", "${1}:${2}")
        .str.replace(r"([T:.][0-9:.]*[0-9])([+-]\d{2})$", "${1}${2}:00")
        .str.replace(r"(T[0-9:.]+)$", "${1}+00:00")
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False)
    )
    return pl.DataFrame({name: text}).select(value).to_series().rename(text.name).to_physical()
