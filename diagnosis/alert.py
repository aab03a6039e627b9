"""What people are told: the alert, mirroring ``schemas/alert.avsc`` field by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from detectors.finding import Finding

Micros: TypeAlias = int


class Status(StrEnum):
    """Where an alert is in its life."""

    UNKNOWN = "UNKNOWN"
    FIRING = "FIRING"
    RESOLVED = "RESOLVED"
    SUPERSEDED = "SUPERSEDED"


class StageOfDiagnosis(StrEnum):
    """How far the diagnosis has come."""

    UNKNOWN = "UNKNOWN"
    SUSPECTED = "SUSPECTED"
    DIAGNOSED = "DIAGNOSED"


class Severity(StrEnum):
    """How much it matters: by impact on predictions."""

    UNKNOWN = "UNKNOWN"
    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class CauseKind(StrEnum):
    """The taxonomy of faults."""

    UNKNOWN = "UNKNOWN"
    SOURCE_DATA = "SOURCE_DATA"
    SCHEMA_CHANGE = "SCHEMA_CHANGE"
    CODE_CHANGE = "CODE_CHANGE"
    CONFIG_CHANGE = "CONFIG_CHANGE"
    FEATURE_STALENESS = "FEATURE_STALENESS"
    FEATURE_STORE = "FEATURE_STORE"
    JOIN = "JOIN"
    DUPLICATION = "DUPLICATION"
    LATENESS = "LATENESS"
    SILENCE = "SILENCE"
    MODEL_CHANGE = "MODEL_CHANGE"
    CONCEPT_SHIFT = "CONCEPT_SHIFT"
    CALIBRATION = "CALIBRATION"
    SERVING_SKEW = "SERVING_SKEW"
    SERVING_HEALTH = "SERVING_HEALTH"


class Grounding(StrEnum):
    """What supports a cause."""

    UNKNOWN = "UNKNOWN"
    PATH_AND_MECHANISM = "PATH_AND_MECHANISM"
    PATH_ONLY = "PATH_ONLY"
    UNGROUNDED = "UNGROUNDED"


class Verdict(StrEnum):
    """What a hop on the path did to the fault."""

    UNKNOWN = "UNKNOWN"
    HEALTHY = "HEALTHY"
    INHERITED = "INHERITED"
    INTRODUCED = "INTRODUCED"
    MASKED = "MASKED"


class Match(StrEnum):
    """How a parent was matched."""

    UNKNOWN = "UNKNOWN"
    EXACT = "EXACT"
    PARTITION = "PARTITION"
    WINDOW = "WINDOW"
    LATEST = "LATEST"


class Rejection(StrEnum):
    """Why a suspect was ruled out."""

    UNKNOWN = "UNKNOWN"
    NO_PATH = "NO_PATH"
    AFTER_ONSET = "AFTER_ONSET"
    BEFORE_ONSET = "BEFORE_ONSET"
    EFFECT_TOO_SMALL = "EFFECT_TOO_SMALL"
    SIBLING_UNAFFECTED = "SIBLING_UNAFFECTED"
    EXPLAINED_BY_PARENT = "EXPLAINED_BY_PARENT"
    NO_MECHANISM = "NO_MECHANISM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """When it began, in event time: between ``earliest`` and ``latest``; ``batch_id`` is the first anomalous batch."""

    earliest: Micros
    latest: Micros
    batch_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGood:
    """The last healthy batch before the onset, at the cause."""

    batch_id: str
    at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The origin that the evidence supports; ``confidence`` in [0, 1]; ``evidence`` in sentences."""

    kind: CauseKind
    component: str
    column: str | None = None
    segment: str | None = None
    change_id: str | None = None
    before: str | None = None
    after: str | None = None
    confidence: float = 0.0
    grounding: Grounding = Grounding.UNGROUNDED
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A suspect that was ruled out, and why."""

    kind: CauseKind
    component: str
    column: str | None = None
    change_id: str | None = None
    reason: Rejection
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One batch on the path from cause to effect; topic, partition and offset say where its event lies."""

    pipeline: str
    stage: str | None = None
    dataset: str
    batch_id: str
    match: Match = Match.UNKNOWN
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    verdict: Verdict = Verdict.UNKNOWN


def _empty() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Versions and circumstances at the cause."""

    source: str | None = None
    data_version: str | None = None
    schema_version: str | None = None
    feature_version: str | None = None
    model_version: str | None = None
    code_version: str | None = None
    config_version: str | None = None
    run_id: str | None = None
    host: str | None = None
    toggles: Mapping[str, str] = field(default_factory=_empty)
    parameters: Mapping[str, str] = field(default_factory=_empty)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one input column carries of the shift of a model's scores; negative where it works against it."""

    column: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The part of an impact that is on another pipeline, as that one told it."""

    pipeline: str
    models: tuple[str, ...] = ()
    predictions_affected: int = 0
    first_prediction_id: str | None = None
    performance_change: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """The predictions reached, in this pipeline and elsewhere; ``share_of_predictions`` in [0, 1] since the onset.

    models: another pipeline's as ``pipeline/model``. attribution: the input columns that carry the shift of the scores,
    the largest first; what is short of 1 none does.
    """

    models: tuple[str, ...] = ()
    predictions_affected: int = 0
    share_of_predictions: float | None = None
    first_prediction_id: str | None = None
    match: Match = Match.UNKNOWN
    performance_change: float | None = None
    interval: Interval | None = None
    attribution: tuple[Contribution, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where to look further."""

    console: str | None = None
    dashboard: str | None = None
    run: str | None = None
    change: str | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One fault, in one of its revisions. Times are event-time microseconds."""

    alert_id: str
    revision: int
    status: Status
    superseded_by: str | None = None
    stage_of_diagnosis: StageOfDiagnosis
    environment: str
    pipeline: str
    severity: Severity
    kind: CauseKind
    title: str
    summary: str
    next_steps: tuple[str, ...] = ()
    onset: Onset
    last_good: LastGood | None = None
    detected_at: Micros
    resolved_at: Micros | None = None
    cause: Cause
    cause_key: str
    suspects: tuple[Cause, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    path: tuple[Hop, ...] = ()
    symptoms: tuple[Finding, ...] = ()
    context: Context = field(default_factory=Context)
    impact: Impact = field(default_factory=Impact)
    owner: str | None = None
    runbook_url: str | None = None
    links: Links = field(default_factory=Links)
    previous_alert_id: str | None = None
