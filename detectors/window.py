"""Predictions as they come in, and the summary of a window: counted columns, and a sample that waits for outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from detectors.batch import ColumnInput
from detectors.finding import Micros
from detectors.judgement import Judgement
from detectors.parts import join
from detectors.recalibration import SHELVES, Floats
from detectors.reference import Reference
from detectors.runs import Hashes, Run
from detectors.sampled import Rows, merged
from detectors.state import BatchSummary
from detectors.summary import ColumnSummary


def _floats() -> Floats:
    return np.empty(0)


def _hashes() -> Hashes:
    return np.empty(0, np.uint64)


def _codes() -> NDArray[np.int32]:
    return np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictionsInput:
    """Prediction events of one model in log order; ``n`` rows, ``e`` events, ``r`` feature reads.

    Per row, shape ``(n,)``, all but ``scores`` and ``at`` may be ``(0,)``: scores; at: when scored; id_hash,
    entity_hash (0: none); segment: code into ``segments``, -1 none; predicted: hash of the predicted class; lower,
    upper: the interval at ``level``. Per event, shape ``(e,)``: latency_ms (NaN: unknown), error. Per read, shape
    ``(r,)``: read_view: code into ``views``; read_age_s, read_latency_ms (NaN: unknown); read_hit: 1 hit, 0 miss, -1
    unknown. task: ``BINARY``, ``MULTICLASS``, ``REGRESSION`` or ``UNKNOWN``. first_event_id names the window that
    starts with these events.
    """

    subject: str
    first_event_id: str
    task: str = "UNKNOWN"
    arrived_at: Micros
    scores: Floats
    at: NDArray[np.int64]
    id_hash: Hashes = field(default_factory=_hashes)
    entity_hash: Hashes = field(default_factory=_hashes)
    segment: NDArray[np.int32] = field(default_factory=_codes)
    segments: tuple[str, ...] = ()
    predicted: Hashes = field(default_factory=_hashes)
    lower: Floats | None = None
    upper: Floats | None = None
    level: float | None = None
    features: Mapping[str, ColumnInput] = field(default_factory=lambda: MappingProxyType({}))
    latency_ms: Floats = field(default_factory=_floats)
    error: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    views: tuple[str, ...] = ()
    read_view: NDArray[np.int32] = field(default_factory=_codes)
    read_age_s: Floats = field(default_factory=_floats)
    read_latency_ms: Floats = field(default_factory=_floats)
    read_hit: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictionsSummary:
    """What a fold needs of predictions: 1.3 kB a column, 2 kB of shelves and up to 72 bytes a row.

    inputs: the score and the features, drawn: some rows of these; serving: latency, errors and feature reads, a row per
    event or read.
    shelves: predictions by logit of their score, shape ``(256,)``. sample: those kept until their outcomes come,
    with ``segments`` naming its codes.
    """

    subject: str
    first_event_id: str
    task: str
    rows: int
    events: int
    first_at: Micros
    last_at: Micros
    arrived_at: Micros
    inputs: dict[str, ColumnSummary]
    drawn: Rows = field(default_factory=Rows)
    serving: dict[str, ColumnSummary]
    shelves: Floats = field(default_factory=lambda: np.zeros(SHELVES))
    sample: Run | None = None
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowJudgement(Judgement):
    """A judgement of a window of predictions, or of outcomes (``of_outcomes``).

    window_id: the first event's id, or the number of outcomes received. first_at, last_at: event time.
    """

    window_id: str
    of_outcomes: bool = False
    first_at: Micros
    last_at: Micros
    rows: int


def check_lengths(predictions: PredictionsInput) -> None:
    """Refuse arrays that do not fit together.

    Raises ``ValueError`` with the name and the two lengths.
    """
    rows, events, reads = predictions.scores.size, predictions.latency_ms.size, predictions.read_view.size
    expected = {"at": rows, "error": events, "read_age_s": reads, "read_latency_ms": reads, "read_hit": reads}
    optional = ("id_hash", "entity_hash", "segment", "predicted", "lower", "upper")
    expected |= {name: rows for name in optional if (held := getattr(predictions, name)) is not None and held.size}
    for name, length in expected.items():
        if (held := getattr(predictions, name).size) != length:
            raise ValueError(f"predictions of {predictions.subject}: {name} has {held} entries where {length} belong")


def added(
    a: PredictionsSummary,
    b: PredictionsSummary,
    inputs: dict[str, Reference],
    serving: dict[str, Reference],
) -> PredictionsSummary:
    """Both as one window, without their samples; ``inputs`` and ``serving``: the references of their columns."""
    return replace(
        a,
        task=a.task if a.task != "UNKNOWN" else b.task,
        rows=a.rows + b.rows,
        events=a.events + b.events,
        first_at=min(a.first_at, b.first_at),
        last_at=max(a.last_at, b.last_at),
        arrived_at=max(a.arrived_at, b.arrived_at),
        drawn=merged(a.drawn, b.drawn),
        inputs=join(as_batch(a, a.inputs, a.rows), as_batch(b, b.inputs, b.rows), inputs).columns,
        serving=join(as_batch(a, a.serving, a.events), as_batch(b, b.serving, b.events), serving).columns,
        shelves=a.shelves + b.shelves,
        sample=None,
        segments=(),
    )


def as_batch(window: PredictionsSummary, columns: dict[str, ColumnSummary], rows: int) -> BatchSummary:
    """The window as a batch of ``columns``, for the detectors of datasets.

    Different values are known by their registers alone: whether a window was gathered at once or in parts must make no
    difference.
    """
    return BatchSummary(
        subject=window.subject,
        batch_id=window.first_event_id,
        at=window.last_at,
        arrived_at=window.arrived_at,
        rows=rows,
        columns={
            name: column if column.distinct is None else replace(column, distinct=None)
            for name, column in columns.items()
        },
    )


def uncounted(columns: dict[str, ColumnSummary]) -> dict[str, ColumnSummary]:
    """The columns of a window that time has cut short: fewer rows hold fewer different values, which says nothing."""
    return {name: replace(column, registers=column.registers[:0]) for name, column in columns.items()}
