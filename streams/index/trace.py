"""What a trace is: where a batch or prediction came from and what came of it, as plain nested data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from diagnosis.alert import Match
from diagnosis.provenance import ObservationKind, Origin
from streams.index.keys import Micros


def _empty() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A batch of a dataset, or a window of a model's predictions; ``rows`` of a window are its predictions.

    alarming: what the detectors found in it, at most eight ``statistic of column``. origin: None where the event's
    place is not known.
    """

    kind: ObservationKind
    pipeline: str
    name: str
    batch_id: str
    at: Micros
    arrived_at: Micros
    rows: int
    stage: str | None = None
    partition: str | None = None
    origin: Origin | None = None
    versions: Mapping[str, str] = field(default_factory=_empty)
    source: str | None = None
    run_id: str | None = None
    run_kind: str | None = None
    run_status: str | None = None
    host: str | None = None
    replaces: str | None = None
    trace_id: str | None = None
    alarming: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The predictions of a window that came from the traced batch: how many rows, and the first ids of them."""

    rows: int
    events: int
    first_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step up or down. ``node`` is None for a batch that was named as a parent and never seen.

    named: how the child names its parent, for people. repeated: the node stands elsewhere in this tree already, with
    what follows from it. more: how many further steps follow from the node that are not shown. scored: only of
    windows, going down.
    """

    named: str
    match: Match
    node: Node | None = None
    repeated: bool = False
    steps: tuple["Step", ...] = ()
    more: int = 0
    scored: Scored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedPrediction:
    """One prediction: the event that carried it, when it was scored, and its OpenTelemetry trace if it had one."""

    prediction_id: str
    origin: Origin
    at: Micros
    trace_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How many batches and windows are below the traced batch, and the predictions scored with what came of it."""

    batches: int
    windows: int
    predictions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Up to the sources and down to the predictions.

    more_up, more_down: how many further steps follow from the traced batch itself. reached: None for a prediction.
    truncated: a level was wider than was asked for, or there are more than 64; what is ``reached`` is then the least.
    """

    asked: str
    node: Node
    prediction: TracedPrediction | None = None
    up: tuple[Step, ...] = ()
    more_up: int = 0
    down: tuple[Step, ...] = ()
    more_down: int = 0
    reached: Reached | None = None
    truncated: bool = False
