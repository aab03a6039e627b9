"""What the index keeps of a record, as bytes: headers of batches and windows, events of a window, alerts."""

import zlib
from collections.abc import Sequence
from itertools import accumulate, chain
from types import MappingProxyType
from typing import Any

import msgspec

from diagnosis.alert import Alert
from diagnosis.provenance import ObservationKind, Origin, PredictionRef
from streams.index.keys import Micros


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


def node_to_bytes(node: StoredNode) -> bytes:
    """A header as the index keeps it."""
    return _ENCODER.encode(node)


def node_from_bytes(stored: bytes) -> StoredNode:
    """What ``node_to_bytes`` wrote.

    Raises:
        UnreadableEntry: it did not.
    """
    try:
        return _NODE.decode(stored)
    except msgspec.MsgspecError as error:
        raise UnreadableEntry(f"a stored header is not of this version: {error}") from error


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
