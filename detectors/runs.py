"""Predictions of one stretch of the log, as arrays that wait for their outcomes."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detectors.finding import Micros
from detectors.recalibration import Floats

Hashes = NDArray[np.uint64]

NEVER: Final = 2**62


def _hashes() -> Hashes:
    return np.empty(0, np.uint64)


def _floats() -> Floats:
    return np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """Predictions of one stretch of the log; arrays of shape ``(n,)``, or ``(0,)`` where the model has no such thing.

    key: hash of the id (or entity) by which outcomes name them. predicted: hash of the predicted class. lower, upper:
    the prediction interval. outcome: NaN until it is known. released: it has been judged. ready_from: the earliest
    prediction time that is ready to be judged, ``NEVER`` if none is.
    """

    key: Hashes
    at: NDArray[np.int64]
    score: Floats
    segment: NDArray[np.int16]
    entity: Hashes = field(default_factory=_hashes)
    predicted: Hashes = field(default_factory=_hashes)
    lower: Floats = field(default_factory=_floats)
    upper: Floats = field(default_factory=_floats)
    outcome: Floats
    released: NDArray[np.bool_]
    ready_from: Micros = NEVER

    def __len__(self) -> int:
        return len(self.key)


def sampled(key: Hashes, halvings: int) -> NDArray[np.bool_]:
    """Whether each key belongs to the sample: 64-bit finaliser of SplitMix (Steele et al. 2014), lowest bits zero."""
    mixed = key ^ (key >> np.uint64(30))
    mixed = mixed * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    keep: NDArray[np.bool_] = (mixed & np.uint64((1 << halvings) - 1)) == 0
    return keep


def chosen(run: Run, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Run:
    """The chosen rows of a run, by mask or by index."""
    arrays = {name: value[rows] for name in _ARRAYS if (value := getattr(run, name)).size}
    return replace(run, **arrays)


def joined(a: Run, b: Run) -> Run:
    """Both runs, one after the other."""
    arrays = {name: _both(getattr(a, name), len(a), getattr(b, name), len(b)) for name in _ARRAYS}
    return replace(a, **arrays, ready_from=min(a.ready_from, b.ready_from))


def _both(a: NDArray[Any], size_a: int, b: NDArray[Any], size_b: int) -> NDArray[Any]:
    """Concatenate; where only one side has an array, the other's rows hold nothing (NaN or 0)."""
    if a.size == b.size == 0:
        return a
    nothing = np.nan if a.dtype.kind == "f" else 0
    left = a if a.size else np.full(size_a, nothing, a.dtype)
    right = b if b.size else np.full(size_b, nothing, b.dtype)
    return np.concatenate([left, right])


def by_key(run: Run) -> Run:
    """The run sorted by key."""
    return chosen(run, np.argsort(run.key, kind="stable"))


_ARRAYS: Final = tuple(each.name for each in fields(Run) if each.name != "ready_from")
