"""A node's batches in order of event time, and what is looked up in them again and again: worked out once.

Nodes never change, so what was worked out of one is kept for as long as the node itself is.
"""

from bisect import bisect_right
from functools import cached_property
from itertools import count, pairwise
from operator import attrgetter
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from diagnosis.observation import Micros
from diagnosis.state import Batch, Layout, Node

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]

MOMENT = attrgetter("at", "batch_id")
_AT = attrgetter("at")
_POOLED = 32  # batches, at most, that are read together
_NUMBERS = count()


class Ring:
    """A node's batches by event time. It adds to a node as many bytes as its readings have, and 300 per batch.

    number: no other ring ever has it.
    """

    def __init__(self, batches: tuple[Batch, ...], layouts: dict[int, Layout]) -> None:
        self.batches = tuple(sorted(batches, key=MOMENT))
        self._layouts = layouts
        self.number = next(_NUMBERS)
        self._spots: dict[int, dict[tuple[str, str], int]] = {}

    @cached_property
    def punctual(self) -> tuple[Batch, ...]:
        """Without those that came late."""
        return tuple([batch for batch in self.batches if not batch.late])

    @cached_property
    def ids(self) -> dict[str, Batch]:
        """Batches by their ids, the latest one if an id came twice."""
        return {batch.batch_id: batch for batch in self.batches}

    @cached_property
    def places(self) -> dict[str, int]:
        """Places by the ids of batches."""
        return {batch.batch_id: place for place, batch in enumerate(self.batches)}

    @cached_property
    def usual_gap(self) -> Micros:
        """The median gap between the latest batches in event time, 0 while unknown."""
        gaps = sorted(later.at - earlier.at for earlier, later in pairwise(self.batches[-32:]))
        return gaps[len(gaps) // 2] if gaps else 0

    @cached_property
    def usual_layout(self) -> int:
        """The layout of most batches that were read, the lowest of equals; -1 if none was."""
        numbers = [batch.layout for batch in self.batches if len(batch.z)]
        return max(sorted(set(numbers)), key=numbers.count) if numbers else -1

    def until(self, at: Micros) -> int:
        """Return how many batches are not later than ``at``."""
        return bisect_right(self.batches, at, key=_AT)

    def read(self, batch: Batch) -> Batch:
        """Return the next batch with readings, from this one on; this one if there is none."""
        place = self.places.get(batch.batch_id, 0)
        return next((one for one in self.batches[place : place + _POOLED] if len(one.z)), batch)

    def within(self, start: Micros, end: Micros) -> tuple[Batch, ...]:
        """Return the batches that overlap a window, by event time; one without an extent may lie at its start."""
        first, last = self._spans
        overlapping = (first < end) & ((last > start) | ((first == last) & (first >= start)))
        return tuple([self.batches[place] for place in np.flatnonzero(overlapping).tolist()])

    def spot(self, layout: int, column: str, statistic: str) -> int | None:
        """Return where a statistic stands in the arrays of the batches of one layout, None where it does not."""
        if layout not in self._spots:
            known = self._layouts[layout]
            names = zip(known.column, known.statistic, strict=True)
            self._spots[layout] = {name: place for place, name in reversed(list(enumerate(names)))}
        return self._spots[layout].get((column, statistic))

    def readings(self, column: str, statistic: str) -> Floats:
        """Return one statistic's z over all batches, NaN where a batch does not have it."""
        values = np.full(len(self.batches), np.nan)
        for layout, places, z in self._tables:
            spot = self.spot(layout, column, statistic)
            if spot is not None:
                values[places] = z[:, spot]
        return values

    @cached_property
    def _tables(self) -> list[tuple[int, Times, NDArray[np.float32]]]:
        """The places and z of the batches of each layout that were read."""
        of: dict[int, list[int]] = {}
        for place, batch in enumerate(self.batches):
            if len(batch.z):
                of.setdefault(batch.layout, []).append(place)
        return [
            (layout, np.array(places), np.stack([self.batches[place].z for place in places]))
            for layout, places in of.items()
        ]

    @cached_property
    def _spans(self) -> tuple[Times, Times]:
        firsts = [batch.at if batch.window_start is None else batch.window_start for batch in self.batches]
        lasts = [batch.at if batch.window_end is None else batch.window_end for batch in self.batches]
        return np.array(firsts, np.int64), np.array(lasts, np.int64)


NO_RING = Ring((), {})
_RINGS: WeakKeyDictionary[Node, Ring] = WeakKeyDictionary()


def ring_of(node: Node) -> Ring:
    """Return the ring of a node."""
    ring = _RINGS.get(node)
    if ring is None:
        ring = _RINGS[node] = Ring(node.ring, node.layouts)
    return ring
