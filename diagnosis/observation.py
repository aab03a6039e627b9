"""What diagnosis reads: a record of the ``observations`` log, as ``schemas/observation.avsc`` has it field by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from detectors.finding import Finding
from detectors.judgement import ColumnProfile, Readings

from diagnosis.alert import Interval, Match, Severity
from diagnosis.provenance import ObservationKind, Origin, Parent, PredictionRef

Micros: TypeAlias = int

_UPSTREAM = frozenset({ObservationKind.REQUEST, ObservationKind.REACHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliberate:
    """A change as its announcer told it: ``kind`` is one of the change kinds."""

    component: str
    kind: str
    at: Micros
    change_id: str
    before: str | None = None
    after: str | None = None
    by: str | None = None
    reason: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The dataset in which a fault began, for those who are to find what was made of it.

    since: the latest time of its onset. deliberate: a change is the cause. findings: at most 64 that show it, each by
    what it is about and the batch of its alarm.
    """

    pipeline: str
    dataset: str
    since: Micros
    deliberate: bool = False
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a pipeline tells its readers of one of its alerts.

    datasets: those of its own that the fault touches. columns: what moved in them. resolved_at: when the alert closed,
    None while it is firing. superseded_by: the alert that took its place. root: None where it began in no dataset.
    """

    alert_id: str
    revision: int
    datasets: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    onset_earliest: Micros
    onset_latest: Micros
    resolved_at: Micros | None = None
    superseded_by: str | None = None
    root: Root | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What a reader tells back of an alert: its own models that the fault reached, and how badly.

    revision: counts what was told of this alert. affected, total: predictions reached, and all of these models' since
    the onset.
    """

    alert_id: str
    revision: int
    severity: Severity = Severity.UNKNOWN
    models: tuple[str, ...] = ()
    affected: int = 0
    total: int = 0
    first_at: Micros | None = None
    first_id: str | None = None
    match: Match = Match.UNKNOWN
    performance_change: float | None = None
    interval: Interval | None = None


def _empty() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """One record of the log.

    name: the dataset or model (``""`` for a tick). batch_id: the batch, or the id of the window. at: event time
    (``produced_at`` or the last ``scored_at``). arrived_at: when Kafka stored the event. versions: of ``data``,
    ``schema``, ``feature``, ``model``, ``code``, ``config`` where known. tick: the number of the minute. reader: the
    pipeline that asks (``REQUEST``), is told (``IMPORTED``, ``FAULT``, ``CHANGE``) or tells (``REACHED``); ``pipeline``
    owns what it reads. told: of ``FAULT``. harm: of ``REACHED``.
    """

    kind: ObservationKind
    pipeline: str
    name: str = ""
    stage: str | None = None
    batch_id: str = ""
    at: Micros
    arrived_at: Micros
    origin: Origin | None = None
    rows: int = 0
    source: str | None = None
    partition: str | None = None
    replaces: str | None = None
    window_start: Micros | None = None
    window_end: Micros | None = None
    parents: tuple[Parent, ...] = ()
    join_keys: tuple[str, ...] = ()
    run_id: str | None = None
    run_kind: str | None = None
    run_status: str | None = None
    host: str | None = None
    owner: str | None = None
    trace_id: str | None = None
    versions: Mapping[str, str] = field(default_factory=_empty)
    toggles: Mapping[str, str] = field(default_factory=_empty)
    parameters: Mapping[str, str] = field(default_factory=_empty)
    segments: Mapping[str, str] = field(default_factory=_empty)
    findings: tuple[Finding, ...] = ()
    readings: Readings = field(default_factory=Readings)
    profiles: tuple[ColumnProfile, ...] = ()
    gauges: Mapping[str, float] = field(default_factory=dict)
    warming_up: bool = False
    late: bool = False
    predictions: tuple[PredictionRef, ...] = ()
    change: Deliberate | None = None
    tick: int | None = None
    reader: str | None = None
    told: Told | None = None
    harm: Harm | None = None

    @property
    def addressee(self) -> str:
        """The pipeline that is to fold this record."""
        return self.pipeline if self.reader is None or self.kind in _UPSTREAM else self.reader

    @property
    def subject(self) -> str:
        """The name detectors know it by: ``pipeline/dataset`` or ``pipeline/model``."""
        return f"{self.pipeline}/{self.name}"
