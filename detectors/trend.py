"""Columns that have only ever risen since they are known, as keys and times of events do."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats

ENOUGH = 12  # batches, of which nine in ten rise: of columns in no order one in a hundred thousand does
MOSTLY = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trend:
    """How ``c`` numeric columns went from batch to batch: 17 bytes each (others have one too, at rest).

    last: mean of the batch before, NaN while unknown. rises, batches: how often the mean rose, of how many. turned:
    whether it has been seen to do anything but rise.
    """

    last: Floats = field(default_factory=lambda: np.empty(0))
    rises: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    batches: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    turned: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))


def no_trend(columns: int) -> Trend:
    """Columns of which nothing was seen."""
    none = np.zeros(columns, np.int32)
    return Trend(last=np.full(columns, np.nan), rises=none, batches=none, turned=np.zeros(columns, np.bool_))


def follow(trend: Trend, mean: Floats) -> Trend:
    """With one more batch: the mean of each column, NaN where it has none."""
    known = np.isfinite(mean)
    compared = known & np.isfinite(trend.last)
    rises = trend.rises + (compared & (mean > trend.last)).astype(np.int32)
    batches = trend.batches + compared.astype(np.int32)
    turned = trend.turned | ((batches >= ENOUGH) & (rises < MOSTLY * batches))
    return Trend(last=np.where(known, mean, trend.last), rises=rises, batches=batches, turned=turned)


def rising(trend: Trend) -> NDArray[np.bool_]:
    """Which columns have only ever risen, but for one batch in ten."""
    only: NDArray[np.bool_] = (trend.batches >= ENOUGH) & ~trend.turned
    return only
