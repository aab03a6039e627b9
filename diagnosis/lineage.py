"""The graph of batches: who was made from whom. Links are resolved when walked: order of arrival is free."""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field

from diagnosis.alert import Match
from diagnosis.observation import Micros
from diagnosis.ring import MOMENT, NO_RING, Ring, ring_of
from diagnosis.state import Batch, Link, Node, NodeKind

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
    """A reading view of all nodes; built for one review, thrown away after it."""

    nodes: Mapping[str, Node]
    _rings: dict[str, Ring] = field(default_factory=dict)
    _parents: dict[tuple[str, int], tuple[Parentage, ...]] = field(default_factory=dict)
    _children: dict[str, tuple[str, ...]] | None = None

    def of(self, key: str) -> Ring:
        """Return what is to be looked up in a node's batches; nothing of a node that is not known."""
        if key not in self._rings:
            self._rings[key] = ring_of(self.nodes[key]) if key in self.nodes else NO_RING
        return self._rings[key]

    def numbers(self, keys: Iterable[str]) -> tuple[int, ...]:
        """Return the numbers of nodes' rings: the same as before if nothing of these nodes has changed."""
        return tuple([self.of(key).number for key in keys])

    def ring(self, key: str) -> tuple[Batch, ...]:
        """Return a node's batches by event time."""
        return self.of(key).batches

    def find(self, key: str, batch_id: str | None) -> Batch | None:
        """Return a batch by its id, the latest one if an id came twice."""
        return self.of(key).ids.get(batch_id or "")

    def place(self, batch: Batch) -> int:
        """Return a batch's place in its node's ring."""
        return self.of(batch.node).places.get(batch.batch_id, 0)

    def read(self, batch: Batch) -> Batch:
        """Return the batch that carries a batch's readings: small ones are pooled, and read when the pool is full."""
        return batch if len(batch.z) else self.of(batch.node).read(batch)

    def until(self, key: str, at: Micros) -> int:
        """Return how many of a node's batches are not later than ``at``."""
        return self.of(key).until(at)

    def usual_gap(self, key: str) -> Micros:
        """Return a node's median gap between batches in event time, 0 while unknown."""
        return self.of(key).usual_gap

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
        """Return the links of a batch."""
        return batch.links or self.implied(batch.node)

    def implied(self, key: str) -> tuple[Link, ...]:
        """Return the links of a node's batches that name none: a model is made from the newest of the last datasets."""
        if self.nodes[key].kind is not NodeKind.MODEL:
            return ()
        return tuple(Link(parent=leaf, match=Match.LATEST) for leaf in self.leaves())

    def _resolve(self, link: Link, child: Batch) -> tuple[Batch, ...]:
        if link.match is Match.EXACT:
            found = self.find(link.parent, link.batch_id)
            return (found,) if found else ()
        if link.match is Match.WINDOW and link.window_start is not None and link.window_end is not None:
            return self.of(link.parent).within(link.window_start, link.window_end)
        ring = self.ring(link.parent)
        before = ring[: self.until(link.parent, child.at)]
        if link.match is Match.PARTITION:
            same = [batch for batch in before or ring if batch.partition == link.partition]
            return tuple(same[-1:])
        return before[-1:]

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
        ordered = sorted(found.values(), key=MOMENT)
        return tuple(ordered), match if found else Match.UNKNOWN, missing
