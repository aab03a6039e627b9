"""What diagnosis remembers of one pipeline: its recent batches, its findings, its faults.

Every type here is frozen: a fold builds a new state that shares whatever did not change with the old one.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from detectors.finding import Finding
from numpy.typing import NDArray

from diagnosis.alert import Alert, Match
from diagnosis.observation import Harm, Micros


def _numbers() -> NDArray[np.float32]:
    return np.empty(0, np.float32)


def _moments() -> NDArray[np.float32]:
    return np.empty((0, 4), np.float32)


class NodeKind(StrEnum):
    """What a node of the lineage is."""

    DATASET = "DATASET"
    MODEL = "MODEL"
    OUTCOMES = "OUTCOMES"  # what outcomes say of a model: downstream of the model itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A parent as the child's producer named it; ``parent`` is a node's key. It is resolved when it is walked."""

    parent: str
    match: Match
    batch_id: str | None = None
    partition: str | None = None
    window_start: Micros | None = None
    window_end: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One prediction event: how many rows, the first id, and the indices of its links (none: all of the window's)."""

    at: Micros
    rows: int
    first_id: str | None = None
    links: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """One batch or window in a node's ring.

    z, observed, expected: float32, one per statistic of ``layout``. moments: float32, one row per column of the
    layout's profile: rows present, share missing, mean, standard deviation (NaN where unknown).
    """

    node: str
    batch_id: str
    sequence: int
    at: Micros
    arrived_at: Micros
    rows: int = 0
    stage: str | None = None
    partition: str | None = None
    window_start: Micros | None = None
    window_end: Micros | None = None
    topic: str | None = None
    topic_partition: int | None = None
    offset: int | None = None
    links: tuple[Link, ...] = ()
    run_id: str | None = None
    host: str | None = None
    trace_id: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    toggles: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    segments: dict[str, str] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    late: bool = False
    layout: int = 0
    z: NDArray[np.float32] = field(default_factory=_numbers)
    observed: NDArray[np.float32] = field(default_factory=_numbers)
    expected: NDArray[np.float32] = field(default_factory=_numbers)
    moments: NDArray[np.float32] = field(default_factory=_moments)
    served: tuple[Served, ...] = ()

    @property
    def headers(self) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        """Versions, toggles and parameters under which it was made."""
        return self.versions, self.toggles, self.parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which column and statistic stands at which place of a batch's arrays."""

    column: tuple[str, ...] = ()
    statistic: tuple[str, ...] = ()
    profile: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Skew:
    """Serving against batch, per column: running mean and squares of their standardised difference.

    run: consecutive windows in which the column was far from its usual difference.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    run: int = 0
    first_batch_id: str | None = None
    alarm_batch_id: str | None = None
    alarm_at: Micros = 0
    earliest: Micros = 0
    latest: Micros = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Node:
    """A dataset, a model or a model's outcomes, with its recent batches in order of arrival.

    named_at: when it was first heard of, in arrival time. alike: how many came last with one set of headers. gaps: the
    last usual gaps in microseconds, the larger of event time's and arrival's. pauses: of the longest gaps, longest
    first, length and arrival at their end. ages: of a model, how old the batches of each dataset were when it read
    them, and the views of a feature store before they were renewed; worn: the oldest that these became, as pauses.
    readers: other pipelines that its batches are sent to. Bytes: bounded by ``Policy.ring_bytes`` for the ring, plus
    about 2 kB and 100 bytes per skewed column.
    """

    key: str
    pipeline: str
    name: str
    kind: NodeKind
    named_at: Micros = 0
    stage: str | None = None
    source: str | None = None
    owner: str | None = None
    join_keys: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    ring: tuple[Batch, ...] = ()
    alike: int = 0
    bytes: int = 0
    layouts: dict[int, Layout] = field(default_factory=dict)
    next_layout: int = 0
    gaps: tuple[int, ...] = ()
    pauses: tuple[tuple[int, int], ...] = ()
    last_at: Micros | None = None
    last_arrived_at: Micros | None = None
    last_batch_id: str | None = None
    ages: dict[str, tuple[int, ...]] = field(default_factory=dict)
    worn: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    skew: dict[str, Skew] = field(default_factory=dict)
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A change that somebody announced in a pipeline; 200 bytes and its texts."""

    pipeline: str
    component: str
    kind: str
    at: Micros
    change_id: str
    before: str | None = None
    after: str | None = None
    by: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """A finding that is followed: where, since when, and for how many observations it has not been repeated.

    level: mean absolute z over the first ``heard`` (at most four) observations that repeat it.
    """

    key: str
    node: str
    finding: Finding
    opened: int
    last_at: Micros
    last_batch_id: str
    clean: int = 0
    over: bool = False
    heard: int = 0
    level: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Predictions of one model: affected ones, and all since the onset; ``until`` is the last window counted."""

    affected: int = 0
    total: int = 0
    first_at: Micros | None = None
    first_id: str | None = None
    until: Micros | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One alert with what is needed to go on with it.

    opening: key of the finding that opened it. members: keys of the findings it explains. signatures: what those
    findings are about, kept to know a recurrence. origin: key of the node where it began. missed: parents of the origin
    whose batches had not come when it was diagnosed. settled: the cause is final, unless what was missed still comes.
    observed: observations of its subjects since it opened, ``changed`` of them when it last gained a finding, at
    ``changed_arrival`` in arrival time. Once settled: tainted are the ids of the batches it spoilt, per node (at most a
    ring's length); reached counts the predictions of all but the newest windows. alert is what was published last;
    draft is what is known since, None if nothing more. told: when that was, in arrival time. harms: what each pipeline
    that reads of it told of its own predictions.
    """

    alert: Alert
    opening: str
    opened: int
    opened_arrival: Micros
    origin: str
    columns: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    observed: int = 0
    settled: bool = False
    supported: bool = False
    changed: int = 0
    changed_arrival: Micros = 0
    tainted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reached: dict[str, Reached] = field(default_factory=dict)
    draft: Alert | None = None
    told: Micros = 0
    harms: dict[str, Harm] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What another pipeline's fault did to the predictions of this one.

    origin: key of the node where it began. since, deliberate: as in ``Root``. findings: keys of those that show it,
    none once it is over and all of them were seen. observed: observations of the origin since it was told otherwise,
    at ``changed_arrival``; settled: these were enough, and tainted and reached are kept as those of a ``Fault``. told
    is what was told of it last, at ``told_arrival``; draft is what is known since, None if nothing more.
    """

    origin: str
    since: Micros
    deliberate: bool = False
    findings: tuple[str, ...] = ()
    opened_arrival: Micros = 0
    changed_arrival: Micros = 0
    observed: int = 0
    settled: bool = False
    tainted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reached: dict[str, Reached] = field(default_factory=dict)
    told: Harm | None = None
    draft: Harm | None = None
    told_arrival: Micros = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Another pipeline's alert: the nodes it touches here, when, in which columns, and the findings it explains.

    toll: what it did here, None where it began in no dataset.
    """

    alert_id: str
    pipeline: str = ""
    revision: int
    nodes: tuple[str, ...]
    columns: tuple[str, ...]
    earliest: Micros
    latest: Micros
    resolved_at: Micros | None = None
    members: tuple[str, ...] = ()
    toll: Toll | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PipelineState:
    """All that diagnosis knows of one pipeline.

    Bytes: at most ``max_nodes * (ring_bytes + 2 kB) + max_findings * 1 kB +
    max_faults * 2 * (max_symptoms * 600 + 4 kB) + max_changes * 400``; a pipeline of ten datasets of fifty columns
    holds about 5 MB.

    sequence: observations folded. last_tick: the last minute seen. cycles_refused, nodes_refused,
    findings_refused: what the bounds kept out.
    """

    version: int = 1
    pipeline: str
    sequence: int = 0
    last_tick: int = -1
    arrived_at: Micros = 0
    nodes: dict[str, Node] = field(default_factory=dict)
    active: dict[str, Active] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    guests: tuple[Guest, ...] = ()
    changes: tuple[Announced, ...] = ()
    cycles_refused: int = 0
    nodes_refused: int = 0
    findings_refused: int = 0
