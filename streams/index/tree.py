"""Making the tree that people read out of what a walk has found: each batch is unfolded once."""

from collections.abc import Mapping, Sequence

from diagnosis.observation import Origin, PredictionRef
from streams.index.keys import Ref
from streams.index.stored import StoredNode
from streams.index.trace import Node, Scored, Step
from streams.index.upward import Link, Walk

IDS_SHOWN = 10

Events = Mapping[Ref, tuple[PredictionRef, ...]]


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

    def __init__(self, walk: Walk, events: Events) -> None:
        self._walk = walk
        self._events = events
        self._unfolded: set[Ref] = set()

    def below(self, ref: Ref) -> tuple[Step, ...]:
        """The steps from a batch."""
        self._unfolded.add(ref)
        return self.along(self._walk.links.get(ref, ()))

    def along(self, links: Sequence[Link]) -> tuple[Step, ...]:
        """The steps along some links."""
        steps: list[Step] = []
        for link in links:
            known = [ref for ref in link.refs if ref in self._walk.nodes]
            if not known:
                steps.append(Step(named=link.named, match=link.match))
            steps += [self._step(ref, link) for ref in known]
        return tuple(steps)

    def _step(self, ref: Ref, link: Link) -> Step:
        repeated = ref in self._unfolded
        return Step(
            named=link.named,
            match=link.match,
            node=node_of(self._walk.nodes[ref]),
            repeated=repeated,
            steps=() if repeated else self.below(ref),
            scored=scored(self._events[ref], link.via) if ref in self._events else None,
        )


def scored(events: Sequence[PredictionRef], via: Sequence[int]) -> Scored:
    """The part of a window that was scored with one of the parents ``via``."""
    mine = [event for event in events if not set(via).isdisjoint(event.parents)]
    ids = [prediction_id for event in mine for prediction_id in event.ids]
    return Scored(rows=sum(event.rows for event in mine), events=len(mine), first_ids=tuple(ids[:IDS_SHOWN]))
