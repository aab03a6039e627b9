"""The graph of batches: who was made from whom. Links are resolved when walked: order of arrival is free."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from diagnosis.alert import Match
from diagnosis.observation import Micros
from diagnosis.state import Batch, Link, Node, NodeKind

Times: TypeAlias = NDArray[np.int64]

_POOLED = 32  # batches, at most, that are read together
_AT, _MOMENT = attrgetter("at"), attrgetter("at", "batch_id")
_EXACTNESS = (Match.EXACT, Match.PARTITION, Match.WINDOW, Match.LATEST, Match.UNKNOWN)


def weaker(first: Match, second: Match) -> Match:
    """Return the less certain of two matches."""
    return max(first, second, key=_EXACTNESS.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parentage:
    """A link and the batches it leads to; none while the parent has not been seen (or has left the ring)."""

    link: Link
    batches: tuple[Batch, ...]


@dataclass(slots=True, eq=False)
class Lineage:
    """A reading view of all rings, each in order of event time; built for one review, thrown away after it."""

    nodes: Mapping[str, Node]
    _rings: dict[str, tuple[Batch, ...]] = field(default_factory=dict)
    _punctual: dict[str, tuple[Batch, ...]] = field(default_factory=dict)
    _ids: dict[str, dict[str, Batch]] = field(default_factory=dict)
    _places: dict[str, dict[str, int]] = field(default_factory=dict)
    _parents: dict[tuple[str, int], tuple[Parentage, ...]] = field(default_factory=dict)
    _gaps: dict[str, Micros] = field(default_factory=dict)
    _spans: dict[str, tuple[Times, Times]] = field(default_factory=dict)
    _spots: dict[tuple[str, int], dict[tuple[str, str], int]] = field(default_factory=dict)
    _children: dict[str, tuple[str, ...]] | None = None

    def ring(self, key: str) -> tuple[Batch, ...]:
        """Return a node's batches by event time."""
        if key not in self._rings:
            node = self.nodes.get(key)
            self._rings[key] = tuple(sorted(node.ring, key=_MOMENT)) if node else ()
        return self._rings[key]

    def punctual(self, key: str) -> tuple[Batch, ...]:
        """Return a node's batches by event time without those that came late."""
        if key not in self._punctual:
            self._punctual[key] = tuple([batch for batch in self.ring(key) if not batch.late])
        return self._punctual[key]

    def find(self, key: str, batch_id: str | None) -> Batch | None:
        """Return a batch by its id, the latest one if an id came twice."""
        if key not in self._ids:
            self._ids[key] = {batch.batch_id: batch for batch in self.ring(key)}
        return self._ids[key].get(batch_id or "")

    def place(self, batch: Batch) -> int:
        """Return a batch's place in its node's ring."""
        if batch.node not in self._places:
            self._places[batch.node] = {one.batch_id: place for place, one in enumerate(self.ring(batch.node))}
        return self._places[batch.node].get(batch.batch_id, 0)

    def read(self, batch: Batch) -> Batch:
        """Return the batch that carries a batch's readings: small ones are pooled, and read when the pool is full."""
        if len(batch.z):
            return batch
        place = self.place(batch)
        later = self.ring(batch.node)[place : place + _POOLED]
        return next((one for one in later if len(one.z)), batch)

    def spot(self, key: str, layout: int, column: str, statistic: str) -> int | None:
        """Return where a statistic stands in the arrays of a node's batches of one layout, None where it does not."""
        if (key, layout) not in self._spots:
            known = self.nodes[key].layouts[layout]
            names = zip(known.column, known.statistic, strict=True)
            self._spots[key, layout] = {name: place for place, name in reversed(list(enumerate(names)))}
        return self._spots[key, layout].get((column, statistic))

    def until(self, key: str, at: Micros) -> int:
        """Return how many of a node's batches are not later than ``at``."""
        return bisect_right(self.ring(key), at, key=_AT)

    def parent_keys(self, key: str) -> tuple[str, ...]:
        """Return the nodes that a node was made from; a model that names none reads the pipeline's last datasets."""
        node = self.nodes.get(key)
        if node is None:
            return ()
        if node.kind is NodeKind.MODEL and not node.parents:
            return self.leaves()
        return node.parents

    def leaves(self) -> tuple[str, ...]:
        """Return the datasets that no dataset was made from."""
        used = {parent for node in self.nodes.values() if node.kind is NodeKind.DATASET for parent in node.parents}
        return tuple(
            sorted(key for key, node in self.nodes.items() if node.kind is NodeKind.DATASET and key not in used)
        )

    def children(self, key: str) -> tuple[str, ...]:
        """Return the nodes made from a node."""
        if self._children is None:
            found: dict[str, list[str]] = {}
            for child in sorted(self.nodes):
                for parent in self.parent_keys(child):
                    found.setdefault(parent, []).append(child)
            self._children = {parent: tuple(children) for parent, children in found.items()}
        return self._children.get(key, ())

    def ancestors(self, key: str) -> frozenset[str]:
        """Return every node upstream of a node."""
        return self._reach(key, self.parent_keys)

    def descendants(self, key: str) -> frozenset[str]:
        """Return every node downstream of a node."""
        return self._reach(key, self.children)

    def _reach(self, key: str, step: Callable[[str], tuple[str, ...]]) -> frozenset[str]:
        waiting, seen = [key], set[str]()
        while waiting:
            for other in step(waiting.pop()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return frozenset(seen - {key})

    def parents(self, batch: Batch) -> tuple[Parentage, ...]:
        """Return what a batch was made from, one entry per link, in the producer's order."""
        name = (batch.node, batch.sequence)
        if name not in self._parents:
            self._parents[name] = tuple(
                Parentage(link=link, batches=self._resolve(link, batch)) for link in self.links(batch) if link.parent
            )
        return self._parents[name]

    def leads(self, link: Link, child: Batch, to: Mapping[str, Set[str]]) -> bool:
        """Tell whether a link leads to any of these ids, by node; a parent may have been forgotten meanwhile."""
        ids = to.get(link.parent)
        if not ids:
            return False
        if link.match is Match.EXACT:
            return link.batch_id in ids
        return any(one.batch_id in ids for one in self._resolve(link, child))

    def links(self, batch: Batch) -> tuple[Link, ...]:
        """Return the links of a batch; a model that names nothing is made from the newest of the last datasets."""
        if not batch.links and self.nodes[batch.node].kind is NodeKind.MODEL:
            return tuple(Link(parent=key, match=Match.LATEST) for key in self.leaves())
        return batch.links

    def _resolve(self, link: Link, child: Batch) -> tuple[Batch, ...]:
        if link.match is Match.EXACT:
            found = self.find(link.parent, link.batch_id)
            return (found,) if found else ()
        if link.match is Match.WINDOW and link.window_start is not None and link.window_end is not None:
            return self._within(link.parent, link.window_start, link.window_end)
        ring = self.ring(link.parent)
        before = ring[: self.until(link.parent, child.at)]
        if link.match is Match.PARTITION:
            same = [batch for batch in before or ring if batch.partition == link.partition]
            return tuple(same[-1:])
        return before[-1:]

    def _within(self, key: str, start: Micros, end: Micros) -> tuple[Batch, ...]:
        """Return a node's batches that overlap a window, by event time; one without an extent may lie at its start."""
        ring = self.ring(key)
        if key not in self._spans:
            firsts = [batch.at if batch.window_start is None else batch.window_start for batch in ring]
            lasts = [batch.at if batch.window_end is None else batch.window_end for batch in ring]
            self._spans[key] = np.array(firsts, np.int64), np.array(lasts, np.int64)
        first, last = self._spans[key]
        overlapping = (first < end) & ((last > start) | ((first == last) & (first >= start)))
        return tuple([ring[place] for place in np.flatnonzero(overlapping).tolist()])

    def made_from(self, batches: Iterable[Batch], parent: str) -> tuple[tuple[Batch, ...], Match, bool]:
        """Return the batches of ``parent`` that these were made from, the weakest match, and whether any is missing."""
        found: dict[str, Batch] = {}
        match, missing = Match.EXACT, False
        for batch in batches:
            for parentage in self.parents(batch):
                if parentage.link.parent != parent:
                    continue
                match = weaker(match, parentage.link.match)
                missing = missing or not parentage.batches
                found.update({member.batch_id: member for member in parentage.batches})
        ordered = sorted(found.values(), key=_MOMENT)
        return tuple(ordered), match if found else Match.UNKNOWN, missing

    def usual_gap(self, key: str) -> Micros:
        """Return a node's median gap between batches in event time, 0 while unknown."""
        if key not in self._gaps:
            gaps = sorted(later.at - earlier.at for earlier, later in pairwise(self.ring(key)[-32:]))
            self._gaps[key] = gaps[len(gaps) // 2] if gaps else 0
        return self._gaps[key]
