"""What producers send: the frozen types of the four input events.

Every type mirrors its ``.avsc`` field by field (a test holds them equal). Times are ``Micros``: integers, microseconds
since 1970-01-01T00:00:00Z. Arrays are numpy and read-only; sequences are tuples.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Micros: TypeAlias = int
Strings: TypeAlias = Mapping[str, str]

NOTHING: Strings = MappingProxyType({})


def _nothing() -> Strings:
    return NOTHING


class RunKind(StrEnum):
    """Why a run happened."""

    UNKNOWN = "UNKNOWN"
    SCHEDULED = "SCHEDULED"
    BACKFILL = "BACKFILL"
    MANUAL = "MANUAL"
    TEST = "TEST"


class Scope(StrEnum):
    """Whether a batch adds to its dataset or replaces it."""

    UNKNOWN = "UNKNOWN"
    DELTA = "DELTA"
    SNAPSHOT = "SNAPSHOT"


class Task(StrEnum):
    """What a model predicts."""

    UNKNOWN = "UNKNOWN"
    BINARY = "BINARY"
    MULTICLASS = "MULTICLASS"
    REGRESSION = "REGRESSION"


class Sensitivity(StrEnum):
    """How a column's texts may be kept; ``SENSITIVE`` texts are hashed at the door."""

    UNKNOWN = "UNKNOWN"
    NONE = "NONE"
    SENSITIVE = "SENSITIVE"


class ChangeKind(StrEnum):
    """What was changed on purpose."""

    UNKNOWN = "UNKNOWN"
    CODE = "CODE"
    CONFIG = "CONFIG"
    SCHEMA = "SCHEMA"
    FEATURE = "FEATURE"
    MODEL = "MODEL"
    TOGGLE = "TOGGLE"
    CACHE = "CACHE"
    INFRASTRUCTURE = "INFRASTRUCTURE"
    BASELINE = "BASELINE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which part of a batch an event carries: ``index`` counts from 0 to ``of - 1``."""

    index: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The event-time span a batch covers, end exclusive."""

    start: Micros
    end: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRef:
    """A pointer to a batch; only ``dataset`` is required, the rest says how exactly it can be matched."""

    dataset: str
    pipeline: str | None = None
    batch_id: str | None = None
    partition: str | None = None
    version: str | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The execution that made a batch."""

    run_id: str
    kind: RunKind = RunKind.UNKNOWN
    attempt: int = 1
    started_at: Micros | None = None
    finished_at: Micros | None = None
    status: str | None = None
    error: str | None = None
    code_version: str | None = None
    config_version: str | None = None
    host: str | None = None
    toggles: Strings = field(default_factory=_nothing)
    parameters: Strings = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the rows sent were chosen from the batch: ``fraction`` in (0, 1]."""

    method: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbers:
    """A numeric column: float64, shape ``(rows,)``, NaN means missing."""

    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """A text column, ``None`` means missing."""

    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Codes:
    """A dictionary-encoded column: int32 codes into ``dictionary``, shape ``(rows,)``, -1 means missing."""

    dictionary: tuple[str, ...]
    codes: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """Counts between edges: float64 edges of shape ``(k + 1,)``, counts of shape ``(k,)``."""

    edges: NDArray[np.float64]
    counts: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kll:
    """A serialised ``datasketches`` KLL sketch of doubles."""

    sketch: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantiles:
    """Values ``v`` at cumulative probabilities ``p``, both float64 of shape ``(k,)``."""

    p: NDArray[np.float64]
    v: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopValue:
    """One frequent value and how many rows held it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A column reduced by its producer: for tables too big or too private to send."""

    count: int
    missing: int = 0
    non_finite: int = 0
    minimum: float | None = None
    maximum: float | None = None
    sum: float | None = None
    sum_squares: float | None = None
    shape: Histogram | Kll | Quantiles | None = None
    top: tuple[TopValue, ...] = ()
    other: int = 0
    distinct: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One named column of a batch or of a prediction's features."""

    name: str
    values: Numbers | Texts | Codes | Sketch
    type: str | None = None
    sensitivity: Sensitivity = Sensitivity.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class DataBatch:
    """One batch that a stage has finished, or one part of it."""

    pipeline: str
    dataset: str
    produced_at: Micros
    rows: int
    batch_id: str | None = None
    part: Part | None = None
    partition: str | None = None
    stage: str | None = None
    source: str | None = None
    parents: tuple[BatchRef, ...] = ()
    scope: Scope = Scope.UNKNOWN
    replaces: str | None = None
    run: Run | None = None
    data_version: str | None = None
    schema_version: str | None = None
    feature_version: str | None = None
    window: Window | None = None
    join_keys: tuple[str, ...] = ()
    sampling: Sampling | None = None
    segments: Strings = field(default_factory=_nothing)
    owner: str | None = None
    trace_id: str | None = None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intervals:
    """Prediction intervals at ``level``: float64 bounds, shape ``(rows,)``."""

    level: float
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRead:
    """One read of the feature store while scoring."""

    feature_view: str
    version: str | None = None
    event_time: Micros | None = None
    latency_ms: float | None = None
    hit: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """One scoring call of one or many rows; ``scores`` is float64 of shape ``(rows,)``."""

    pipeline: str
    model: str
    scored_at: Micros
    scores: NDArray[np.float64]
    prediction_ids: tuple[str, ...] = ()
    entity_ids: tuple[str, ...] | None = None
    task: Task = Task.UNKNOWN
    predicted: tuple[str, ...] | None = None
    intervals: Intervals | None = None
    model_version: str | None = None
    code_version: str | None = None
    feature_version: str | None = None
    host: str | None = None
    batches: tuple[BatchRef, ...] = ()
    features: tuple[Column, ...] = ()
    feature_reads: tuple[FeatureRead, ...] = ()
    latency_ms: float | None = None
    error: str | None = None
    segments: Strings = field(default_factory=_nothing)
    trace_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """The truth, when it arrives: for ``prediction_ids``, or for ``entity_ids`` as of a time."""

    pipeline: str
    model: str
    observed_at: Micros
    prediction_ids: tuple[str, ...] = ()
    entity_ids: tuple[str, ...] | None = None
    as_of: Micros | None = None
    outcomes: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    actual: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something was changed on purpose."""

    pipeline: str
    component: str
    kind: ChangeKind
    at: Micros
    change_id: str | None = None
    before: str | None = None
    after: str | None = None
    by: str | None = None
    reason: str | None = None
    url: str | None = None


Event: TypeAlias = DataBatch | Prediction | Outcome | Change
