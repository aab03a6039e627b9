"""What the index keeps of an observation: its header."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from diagnosis.observation import Observation
from diagnosis.provenance import Parent, PredictionRef
from streams.index.stored import StoredNode, StoredParent, StoredScored

ALARMING_KEPT = 8
IDS_KEPT = 3


def header_of(observation: Observation) -> StoredNode:
    """The header of a batch or window."""
    origin = observation.origin
    return StoredNode(
        kind=observation.kind,
        pipeline=observation.pipeline,
        name=observation.name,
        batch_id=observation.batch_id,
        at=observation.at,
        arrived_at=observation.arrived_at,
        rows=observation.rows,
        stage=observation.stage,
        origin=None if origin is None else (origin.topic, origin.partition, origin.offset),
        parents=tuple(_parent(parent, observation.pipeline) for parent in observation.parents),
        versions=dict(observation.versions),
        partition=observation.partition,
        window=(observation.window_start, observation.window_end),
        source=observation.source,
        run_id=observation.run_id,
        run_kind=observation.run_kind,
        run_status=observation.run_status,
        host=observation.host,
        replaces=observation.replaces,
        trace_id=observation.trace_id,
        alarming=tuple(_alarming(observation)),
        scored=tuple(_scored(observation.predictions)),
    )


def _parent(parent: Parent, pipeline: str) -> StoredParent:
    return StoredParent(
        dataset=parent.dataset,
        pipeline=parent.pipeline if parent.pipeline != pipeline else None,
        batch_id=parent.batch_id,
        partition=parent.partition,
        window_start=parent.window_start,
        window_end=parent.window_end,
    )


def _alarming(observation: Observation) -> Iterator[str]:
    seen = dict.fromkeys(
        f"{finding.statistic} of {finding.column}" if finding.column else finding.statistic
        for finding in observation.findings
    )
    yield from list(seen)[:ALARMING_KEPT]


def _scored(predictions: Sequence[PredictionRef]) -> Iterator[StoredScored]:
    by_parents: dict[tuple[int, ...], list[PredictionRef]] = {}
    for event in predictions:
        by_parents.setdefault(event.parents, []).append(event)
    for parents, events in by_parents.items():
        ids = chain.from_iterable(event.ids for event in events)
        rows = sum(event.rows for event in events)
        yield StoredScored(parents, len(events), rows, tuple(islice(ids, IDS_KEPT)))
