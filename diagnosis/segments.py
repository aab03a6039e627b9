"""The segment in which all of a shift lies: batches, or rows, of one region deviate and those of the others do not."""

from collections.abc import Iterable, Sequence
from math import log

import numpy as np
from detectors.finding import Finding
from numpy.typing import NDArray

from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.retest import series
from diagnosis.state import Batch

_OFF = 3.0  # standard deviations from which on a batch deviates,
_CALM = 2.0  # and up to which it does not: what lies between says nothing
_INSIDE, _OUTSIDE = 0.95, 0.01  # chance that a batch deviates, in the segment that holds the shift and elsewhere
_ALPHA = 0.01


def held_by(findings: Iterable[Finding]) -> str | None:
    """Return ``column = category`` of the rows in which the detectors see all of a shift, by the first that says."""
    return next((finding.held_by for finding in findings if finding.held_by is not None), None)


def segment_of(
    lineage: Lineage, key: str, since: Micros, column: str, statistic: str, known: str | None = None
) -> str | None:
    """Return ``name = value`` of the segment that holds all of a shift since then, several where no batch tells them
    apart; None if there is none.

    Producers say which segment a batch is of (``segments``); one that says nothing of a name is none of its values.
    Where batches deviate independently of each other, one is named by chance at most once in a hundred shifts, however
    often it is asked (Wasserman, Ramdas and Balakrishnan 2020, universal inference). ``known``, what was named before,
    stands until others explain as much.
    """
    batches = lineage.ring(key)[lineage.until(key, since - 1) :]
    size = np.abs(series(lineage, key, batches, column, statistic))
    off = np.flatnonzero(size >= _OFF)
    if not len(off):
        return known
    told = np.flatnonzero((size >= _OFF) | (size <= _CALM))
    told = told[told <= off[-1]]  # after the last one that deviates it may be over
    evidence = _evidence([batches[place] for place in told], size[told] >= _OFF)
    best = max(evidence.values(), default=0.0)
    if best <= (0.0 if known else log(max(len(evidence), 1) / _ALPHA)):
        return None
    return " and ".join(sorted(name for name, nats in evidence.items() if nats == best))


def _evidence(batches: Sequence[Batch], off: NDArray[np.bool_]) -> dict[str, float]:
    """Return, for every segment, how many nats better it explains which batches deviate than one chance for all."""
    share = float(off.mean())
    alike = -sum(held * log(held) for held in (share, 1.0 - share) if held) * len(off)
    found = {}
    for name, value in sorted({pair for batch in batches for pair in batch.segments.items()}):
        inside = np.array([batch.segments.get(name) == value for batch in batches])
        chance = np.where(inside, _INSIDE, _OUTSIDE)
        found[f"{name} = {value}"] = alike + float(np.log(np.where(off, chance, 1.0 - chance)).sum())
    return found
