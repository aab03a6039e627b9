"""Making the tree that people read out of what a walk has found: each batch is unfolded once."""

from collections.abc import Sequence
from itertools import chain

from diagnosis.provenance import ObservationKind, Origin
from streams.index.keys import Ref
from streams.index.stored import StoredNode
from streams.index.trace import Node, Scored, Step
from streams.index.upward import Link, Walk


def node_of(stored: StoredNode) -> Node:
    """A stored header as people's data."""
    return Node(
        kind=stored.kind,
        pipeline=stored.pipeline,
        name=stored.name,
        batch_id=stored.batch_id,
        at=stored.at,
        arrived_at=stored.arrived_at,
        rows=stored.rows,
        stage=stored.stage,
        partition=stored.partition,
        origin=_origin(stored),
        versions=stored.versions,
        source=stored.source,
        run_id=stored.run_id,
        run_kind=stored.run_kind,
        run_status=stored.run_status,
        host=stored.host,
        replaces=stored.replaces,
        trace_id=stored.trace_id,
        alarming=stored.alarming,
    )


def _origin(stored: StoredNode) -> Origin | None:
    if stored.origin is None:
        return None
    topic, partition, offset = stored.origin
    return Origin(topic=topic, partition=partition, offset=offset)


class Tree:
    """Unfolds a walk depth first; a batch met again is marked and not unfolded again."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._unfolded: set[Ref] = set()

    def below(self, ref: Ref) -> tuple[Step, ...]:
        """The steps from a batch."""
        self._unfolded.add(ref)
        return self.along(self._walk.links.get(ref, ()))

    def along(self, links: Sequence[Link]) -> tuple[Step, ...]:
        """The steps along some links."""
        steps: list[Step] = []
        for link in links:
            if not any(ref in self._walk.nodes or ref in self._walk.cut for ref in link.refs):
                steps.append(Step(named=link.named, match=link.match))
            steps += [self._step(ref, link) for ref in link.refs if ref in self._walk.nodes]
        return tuple(steps)

    def _step(self, ref: Ref, link: Link) -> Step:
        repeated, node = ref in self._unfolded, self._walk.nodes[ref]
        window = node.kind is ObservationKind.WINDOW
        return Step(
            named=link.named,
            match=link.match,
            node=node_of(node),
            repeated=repeated,
            steps=() if repeated else self.below(ref),
            more=0 if repeated else self._walk.not_followed(ref),
            scored=scored(node, link.via) if window and link.via else None,
        )


def scored(window: StoredNode, via: Sequence[int]) -> Scored:
    """The part of a window that was scored with one of the parents ``via``."""
    mine = [part for part in window.scored if not set(via).isdisjoint(part.parents)]
    return Scored(
        rows=sum(part.rows for part in mine),
        events=sum(part.events for part in mine),
        first_ids=tuple(chain.from_iterable(part.first_ids for part in mine)),
    )
