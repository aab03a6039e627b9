"""The segment in which all of a shift lies: batches of one region deviate, and those of the others do not."""

import numpy as np

from diagnosis.lineage import Lineage
from diagnosis.retest import series
from diagnosis.state import Batch

_OFF = 3.0  # standard deviations from which on a batch deviates,
_CALM = 2.0  # and up to which it does not: what lies between says nothing
_LEAST = 3  # batches on either side: fewer could be chance


def segment_of(lineage: Lineage, key: str, first: Batch, column: str, statistic: str) -> str | None:
    """Return ``name = value`` of the segment that holds all of a shift since ``first``; None if there is none.

    Every batch that deviates is of that value, nearly every batch of that value deviates, and those of other values are
    calm. Producers say which segment a batch is of (``segments``).
    """
    batches = lineage.ring(key)[lineage.place(first) :]
    size = np.abs(series(lineage, key, batches, column, statistic))
    off, calm = size >= _OFF, size <= _CALM
    if off.sum() < _LEAST or calm.sum() < _LEAST:
        return None
    for name in sorted(set.intersection(*(set(batch.segments) for batch in batches))):
        values = np.array([batch.segments[name] for batch in batches])
        held = sorted(set(values[off].tolist()))
        if len(held) != 1:
            continue
        inside = values == held[0]
        if calm[~inside].sum() >= _LEAST and calm[inside].sum() * 10 <= off.sum():
            return f"{name} = {held[0]}"
    return None
