"""Where an observation comes from: what it tells of, where its event lies in Kafka, what its batch was made from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Micros: TypeAlias = int


class ObservationKind(StrEnum):
    """What a record of the observations log tells."""

    UNKNOWN = "UNKNOWN"
    BATCH = "BATCH"  # one batch of a dataset
    WINDOW = "WINDOW"  # one window of a model's predictions
    OUTCOMES = "OUTCOMES"  # what matured outcomes say of a model
    CHANGE = "CHANGE"  # a deliberate change
    TICK = "TICK"  # a numbered minute of arrival time
    REQUEST = "REQUEST"  # a pipeline asks to be told of another pipeline's dataset
    IMPORTED = "IMPORTED"  # the answer: an observation of that dataset
    FAULT = "FAULT"  # an alert of another pipeline, told to those who read the datasets it touches
    REACHED = "REACHED"  # what such an alert's fault did to predictions of one that reads, told to the alert's pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the event behind an observation lies in Kafka."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A batch this one was made from, as its producer named it; times are microseconds."""

    dataset: str
    pipeline: str | None = None
    batch_id: str | None = None
    partition: str | None = None
    version: str | None = None
    window_start: Micros | None = None
    window_end: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRef:
    """One prediction event of a window: which ids it scored, and from which batches (indices into ``parents``)."""

    origin: Origin
    at: Micros
    rows: int
    ids: tuple[str, ...] = ()
    parents: tuple[int, ...] = ()
    trace_id: str | None = None
