"""From an observation to the ring of its node: what is kept of a batch, and how the graph of datasets grows."""

from dataclasses import dataclass, replace

import numpy as np
from detectors.judgement import ColumnProfile
from numpy.typing import NDArray

from diagnosis.alert import Match
from diagnosis.observation import Observation
from diagnosis.policy import Policy
from diagnosis.provenance import ObservationKind, Parent
from diagnosis.silence import with_pause
from diagnosis.state import Batch, Layout, Link, Node, NodeKind, PipelineState, Served

_GAPS_KEPT = 16
_PARENTS_KEPT = 32
_FIXED_BYTES = 600  # a batch's header and links, measured with tracemalloc


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The state with one batch more, and that batch; None if the pipeline has no room for another node."""

    state: PipelineState
    batch: Batch | None


def dataset_key(home: str, pipeline: str | None, dataset: str) -> str:
    """Return the node's key: the bare name at home, ``pipeline:/name`` for another pipeline's dataset."""
    return dataset if pipeline is None or pipeline == home else f"{pipeline}:/{dataset}"


def model_key(model: str) -> str:
    """Return the key of a model's node, apart from a dataset of the same name."""
    return f"model:{model}"


def outcomes_key(model: str) -> str:
    """Return the key of the node that stands for what outcomes say of a model."""
    return f"outcomes:{model}"


def node_key(home: str, observation: Observation) -> tuple[str, NodeKind]:
    """Return the key and kind of the node that an observation belongs to."""
    if observation.kind is ObservationKind.WINDOW:
        return model_key(observation.name), NodeKind.MODEL
    if observation.kind is ObservationKind.OUTCOMES:
        return outcomes_key(observation.name), NodeKind.OUTCOMES
    return dataset_key(home, observation.pipeline, observation.name), NodeKind.DATASET


def take_in(state: PipelineState, observation: Observation, policy: Policy) -> Intake:
    """Add a batch, window or outcomes record to its node's ring; pure."""
    key, kind = node_key(state.pipeline, observation)
    links = _links(state.pipeline, observation, kind)
    state, node = with_node(state, key, kind, observation.pipeline, observation.name, policy)
    if node is None:
        return Intake(state=replace(state, nodes_refused=state.nodes_refused + 1), batch=None)
    state, links = _admit(state, key, links, policy)
    node = _describe(state.nodes[key], observation)
    layout, node = _layout(node, observation)
    batch = _batch(key, state.sequence, observation, links, layout)
    node = _push(_note_gap(node, observation), batch, policy)
    return Intake(state=replace(state, nodes={**state.nodes, key: node}), batch=batch)


def _links(home: str, observation: Observation, kind: NodeKind) -> tuple[Link, ...]:
    if kind is NodeKind.OUTCOMES:
        start, end = observation.window_start, observation.window_end
        match = Match.WINDOW if start is not None and end is not None else Match.LATEST
        return (Link(parent=model_key(observation.name), match=match, window_start=start, window_end=end),)
    return tuple(_link(home, observation.pipeline, parent) for parent in observation.parents)


def _link(home: str, pipeline: str, parent: Parent) -> Link:
    if parent.batch_id is not None:
        match = Match.EXACT
    elif parent.partition is not None:
        match = Match.PARTITION
    elif parent.window_start is not None and parent.window_end is not None:
        match = Match.WINDOW
    else:
        match = Match.LATEST
    return Link(
        parent=dataset_key(home, parent.pipeline or pipeline, parent.dataset),
        match=match,
        batch_id=parent.batch_id,
        partition=parent.partition,
        window_start=parent.window_start,
        window_end=parent.window_end,
    )


def with_node(
    state: PipelineState, key: str, kind: NodeKind, pipeline: str, name: str, policy: Policy
) -> tuple[PipelineState, Node | None]:
    """Return a node and the state that has it; None where the pipeline has no room for another."""
    node = state.nodes.get(key)
    if node is not None:
        return state, node
    if len(state.nodes) >= policy.max_nodes:
        return state, None
    node = Node(key=key, pipeline=pipeline, name=name, kind=kind, named_at=state.arrived_at)
    return replace(state, nodes={**state.nodes, key: node}), node


def _admit(
    state: PipelineState, key: str, links: tuple[Link, ...], policy: Policy
) -> tuple[PipelineState, tuple[Link, ...]]:
    """Keep the links that close no cycle and fit the bounds; a refused one leaves a hole so that indices stay right."""
    refused = 0
    kept: list[Link] = []
    for link in links:
        parents = state.nodes[key].parents
        if link.parent not in parents:
            if link.parent == key or _reaches(state, link.parent, key):
                refused += 1
                kept.append(replace(link, parent="", match=Match.UNKNOWN))
                continue
            pipeline, _, name = link.parent.rpartition(":/")
            kind = NodeKind.MODEL if link.parent.startswith("model:") else NodeKind.DATASET
            bare = name.removeprefix("model:") if kind is NodeKind.MODEL else name
            parent = None
            if len(parents) < _PARENTS_KEPT:
                state, parent = with_node(state, link.parent, kind, pipeline or state.pipeline, bare, policy)
            if parent is None:
                kept.append(replace(link, parent="", match=Match.UNKNOWN))
                continue
            node = replace(state.nodes[key], parents=tuple(sorted((*parents, link.parent))))
            state = replace(state, nodes={**state.nodes, key: node})
        kept.append(link)
    return replace(state, cycles_refused=state.cycles_refused + refused), tuple(kept)


def _reaches(state: PipelineState, start: str, goal: str) -> bool:
    """Tell whether ``goal`` is an ancestor of ``start`` in the graph of datasets."""
    waiting, seen = [start], {start}
    while waiting:
        node = state.nodes.get(waiting.pop())
        for parent in node.parents if node else ():
            if parent == goal:
                return True
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return False


def _describe(node: Node, observation: Observation) -> Node:
    return replace(
        node,
        stage=observation.stage or node.stage,
        source=observation.source or node.source,
        owner=observation.owner or node.owner,
        join_keys=observation.join_keys or node.join_keys,
    )


def _layout(node: Node, observation: Observation) -> tuple[int, Node]:
    readings = observation.readings
    profile = tuple(column.name for column in observation.profiles)
    layout = Layout(column=readings.column, statistic=readings.statistic, profile=profile)
    for number, known in node.layouts.items():
        if known == layout:
            return number, node
    number = node.next_layout
    return number, replace(node, layouts={**node.layouts, number: layout}, next_layout=number + 1)


def _batch(key: str, sequence: int, observation: Observation, links: tuple[Link, ...], layout: int) -> Batch:
    origin, readings = observation.origin, observation.readings
    return Batch(
        node=key,
        batch_id=observation.batch_id,
        sequence=sequence,
        at=observation.at,
        arrived_at=observation.arrived_at,
        rows=observation.rows,
        stage=observation.stage,
        partition=observation.partition,
        window_start=observation.window_start,
        window_end=observation.window_end,
        topic=origin.topic if origin else None,
        topic_partition=origin.partition if origin else None,
        offset=origin.offset if origin else None,
        links=links,
        run_id=observation.run_id,
        host=observation.host,
        trace_id=observation.trace_id,
        versions=dict(observation.versions),
        toggles=dict(observation.toggles),
        parameters=dict(observation.parameters),
        segments=dict(observation.segments),
        gauges=dict(observation.gauges),
        late=observation.late,
        layout=layout,
        z=_small(readings.z),
        observed=_small(readings.observed),
        expected=_small(readings.expected),
        moments=_moments(observation.profiles),
        served=tuple(
            Served(at=ref.at, rows=ref.rows, first_id=ref.ids[0] if ref.ids else None, links=ref.parents)
            for ref in observation.predictions
        ),
    )


def _small(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite and is skipped when averaged
        return np.asarray(values, np.float64).astype(np.float32)


def _moments(profiles: tuple[ColumnProfile, ...]) -> NDArray[np.float32]:
    rows = [
        (
            column.count - column.missing,
            column.missing / column.count if column.count else np.nan,
            np.nan if column.mean is None else column.mean,
            np.nan if column.standard_deviation is None else column.standard_deviation,
        )
        for column in profiles
    ]
    return _small(np.array(rows, np.float64).reshape(len(rows), 4))


def _note_gap(node: Node, observation: Observation) -> Node:
    """Learn the usual gap: event time where history is replayed in bulk, arrival where events come as they happen."""
    if observation.late:
        return node
    gaps, pauses = node.gaps, node.pauses
    if node.last_at is not None and node.last_arrived_at is not None:
        gap = max(observation.at - node.last_at, observation.arrived_at - node.last_arrived_at, 0)
        gaps = (*gaps, gap)[-_GAPS_KEPT:]
        pauses = with_pause(pauses, gap, observation.arrived_at)
    return replace(
        node,
        gaps=gaps,
        pauses=pauses,
        last_at=max(observation.at, node.last_at or observation.at),
        last_arrived_at=max(observation.arrived_at, node.last_arrived_at or observation.arrived_at),
        last_batch_id=observation.batch_id,
    )


def _push(node: Node, batch: Batch, policy: Policy) -> Node:
    ring = (*node.ring, batch)
    held = node.bytes + _bytes(batch)
    drop = 0
    while len(ring) - drop > policy.ring_batches or (held > policy.ring_bytes and len(ring) - drop > 1):
        held -= _bytes(ring[drop])
        drop += 1
    ring = ring[drop:]
    layouts = node.layouts
    if drop and len(layouts) > 1:
        used = {member.layout for member in ring}
        layouts = {number: layout for number, layout in layouts.items() if number in used}
    alike = node.alike + 1 if node.ring and node.ring[-1].headers == batch.headers else 1
    return replace(node, ring=ring, alike=alike, bytes=held, layouts=layouts)


def _bytes(batch: Batch) -> int:
    arrays = batch.z.nbytes + batch.observed.nbytes + batch.expected.nbytes + batch.moments.nbytes
    return _FIXED_BYTES + arrays + 150 * len(batch.links) + 130 * len(batch.served)
