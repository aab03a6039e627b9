"""What the index keeps of a record, as bytes: headers of batches and windows, events of a window, alerts."""

import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, islice
from types import MappingProxyType
from typing import Any

import msgspec

from diagnosis.alert import Alert
from diagnosis.observation import Observation, ObservationKind, Origin, Parent, PredictionRef
from streams.index.keys import Micros

ALARMING_KEPT = 8
IDS_KEPT = 3


class UnreadableEntry(ValueError):
    """Bytes in the index that this version did not write: flush the index, it rebuilds itself."""


class StoredParent(msgspec.Struct, array_like=True, frozen=True):
    """A parent as its child named it; ``pipeline`` is None for the child's own."""

    dataset: str
    pipeline: str | None = None
    batch_id: str | None = None
    partition: str | None = None
    window_start: Micros | None = None
    window_end: Micros | None = None


class StoredScored(msgspec.Struct, array_like=True, frozen=True):
    """The prediction events of a window that were scored with the same batches (indices into its parents)."""

    parents: tuple[int, ...]
    events: int
    rows: int
    first_ids: tuple[str, ...]


class StoredNode(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """The header of one batch or window: about 150 bytes, 250 with run, host and versions.

    alarming: ``statistic of column``, the first eight findings. scored: of a window, what is in it.
    """

    kind: ObservationKind
    pipeline: str
    name: str
    batch_id: str
    at: Micros
    arrived_at: Micros
    rows: int
    stage: str | None
    origin: tuple[str, int, int] | None
    parents: tuple[StoredParent, ...]
    versions: dict[str, str]
    partition: str | None = None
    window: tuple[Micros | None, Micros | None] = (None, None)
    source: str | None = None
    run_id: str | None = None
    run_kind: str | None = None
    run_status: str | None = None
    host: str | None = None
    replaces: str | None = None
    trace_id: str | None = None
    alarming: tuple[str, ...] = ()
    scored: tuple[StoredScored, ...] = ()

    @property
    def subject(self) -> str:
        """``pipeline/dataset`` or ``pipeline/model``."""
        return f"{self.pipeline}/{self.name}"


def node_to_bytes(observation: Observation) -> bytes:
    """The header of an observation."""
    origin = observation.origin
    return _ENCODER.encode(
        StoredNode(
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
    )


def node_from_bytes(stored: bytes) -> StoredNode:
    """What ``node_to_bytes`` wrote.

    Raises:
        UnreadableEntry: it did not.
    """
    try:
        return _NODE.decode(stored)
    except msgspec.MsgspecError as error:
        raise UnreadableEntry(f"a stored header is not of this version: {error}") from error


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


class _Page(msgspec.Struct, array_like=True, frozen=True):
    """The prediction events of one window, column by column; places and times are differences to the one before."""

    topics: list[str]
    topic: list[int]
    partition: list[int]
    offset: list[int]
    at: list[int]
    rows: list[int]
    parents: list[list[int]]
    id_counts: list[int]
    ids: list[str]
    trace_ids: list[str | None]


def events_to_bytes(events: Sequence[PredictionRef]) -> bytes:
    """The events of a window, compressed: 5 to 8 bytes an event, and per id 20 (random UUIDs) or 3 (counters)."""
    topics = list(dict.fromkeys(event.origin.topic for event in events))
    page = _Page(
        topics=topics,
        topic=[topics.index(event.origin.topic) for event in events],
        partition=[event.origin.partition for event in events],
        offset=_differences([event.origin.offset for event in events]),
        at=_differences([event.at for event in events]),
        rows=[event.rows for event in events],
        parents=[list(event.parents) for event in events],
        id_counts=[len(event.ids) for event in events],
        ids=list(chain.from_iterable(event.ids for event in events)),
        trace_ids=[event.trace_id for event in events] if any(event.trace_id is not None for event in events) else [],
    )
    return zlib.compress(_ENCODER.encode(page))


def events_from_bytes(stored: bytes) -> tuple[PredictionRef, ...]:
    """What ``events_to_bytes`` wrote.

    Raises:
        UnreadableEntry: it did not.
    """
    try:
        page = _PAGE.decode(zlib.decompress(stored))
    except (msgspec.MsgspecError, zlib.error) as error:
        raise UnreadableEntry(f"stored predictions are not of this version: {error}") from error
    offsets, times = list(accumulate(page.offset)), list(accumulate(page.at))
    ends = list(accumulate(page.id_counts, initial=0))
    return tuple(
        PredictionRef(
            origin=Origin(topic=page.topics[topic], partition=page.partition[i], offset=offsets[i]),
            at=times[i],
            rows=page.rows[i],
            ids=tuple(page.ids[ends[i] : ends[i + 1]]),
            parents=tuple(page.parents[i]),
            trace_id=page.trace_ids[i] if page.trace_ids else None,
        )
        for i, topic in enumerate(page.topic)
    )


def _differences(numbers: Sequence[int]) -> list[int]:
    return [number - before for before, number in zip((0, *numbers), numbers, strict=False)]


def alert_to_bytes(alert: Alert) -> bytes:
    """An alert, compressed: about 2 KB."""
    return zlib.compress(_ENCODER.encode(alert))


def alert_from_bytes(stored: bytes) -> Alert:
    """What ``alert_to_bytes`` wrote.

    Raises:
        UnreadableEntry: it did not.
    """
    try:
        return _ALERT.decode(zlib.decompress(stored))
    except (msgspec.MsgspecError, zlib.error) as error:
        raise UnreadableEntry(f"a stored alert is not of this version: {error}") from error


def _plain(value: object) -> Any:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not plain data")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
_NODE = msgspec.msgpack.Decoder(StoredNode)
_PAGE = msgspec.msgpack.Decoder(_Page)
_ALERT = msgspec.msgpack.Decoder(Alert)
