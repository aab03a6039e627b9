"""What is remembered of a subject between batches. All bounded, all plain data."""

from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import Baseline, empty_baseline, narrowed, stored
from detectors.evidence import Bank, empty_bank
from detectors.finding import Micros
from detectors.opinion import Opinion
from detectors.reference import CUTS, Floats, Reference
from detectors.sampled import Calm, Rows
from detectors.season import Season, empty_season
from detectors.shape import Shape, empty_shape
from detectors.subgroup import Subgroup
from detectors.summary import ColumnSummary
from detectors.surprise import Surprises, empty_surprises
from detectors.table import Table, subject_table
from detectors.trend import Trend

RECENT = 256  # batches remembered by id, for duplicates and onsets: 15 KB
WARM_UP = 20  # batches before anything alarms
OPEN = 8  # batches whose parts are awaited at once
POOL_ROWS = 500
MAX_COLUMNS = 20_000  # columns beyond these are not watched


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchSummary:
    """All that a fold needs of one batch, or of one part of it: what the journal keeps.

    rows: as declared. parts: the indices contained, of ``part_of``. sample: some of the rows, whole.
    """

    subject: str
    batch_id: str
    at: Micros
    arrived_at: Micros
    rows: int
    parts: tuple[int, ...] = (0,)
    part_of: int = 1
    replaces: str | None = None
    attempt: int = 1
    window_start: Micros | None = None
    window_end: Micros | None = None
    backfill: bool = False
    columns: dict[str, ColumnSummary] = field(default_factory=dict)
    sample: Rows = field(default_factory=Rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Small ``batches`` that are judged together once there are enough rows; the first of them came at ``began``."""

    batch: BatchSummary
    began: Micros
    batches: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnState:
    """One column: its reference, its first row in the table, and its place among the columns.

    type: as declared, if it ever was.
    """

    reference: Reference
    offset: int
    position: int
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attendance:
    """How often each column was there, row ``position`` of it; whether early batches held infinities, or extremes."""

    batches: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    infinite: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    extreme: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Active:
    """A finding that lasts. row: its statistic in the table, -1 for an exact check.

    side: +1 grew, -1 fell. size: of the shift, in standard deviations from 1 to 5. back: nats for "back to normal".
    step, spike: of the fold that alarmed, and z then.
    observed, expected, effect, sentence: as of the latest batch that showed the statistic. held: the subgroup of
    rows that holds the shift.
    """

    column: str
    statistic: str
    rank: int = 0
    row: int = -1
    side: int = 1
    size: float = 1.0
    back: float = 0.0
    step: int = 0
    spike: float = 0.0
    evidence: float
    alarm_batch_id: str
    alarm_at: Micros
    onset_earliest: Micros
    onset_latest: Micros
    onset_batch_id: str | None = None
    observed: float | None = None
    expected: float | None = None
    effect: float | None = None
    sentence: str = ""
    held: Subgroup | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recent:
    """The last 256 batches, oldest first: ids, event times, digests of their content, and the fold step of each."""

    ids: tuple[str, ...] = ()
    at: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    digest: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    step: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portrait:
    """Healthy columns in their own units, for sentences and plots: row ``position`` of each column.

    mean, deviation: of the values, float64 ``(c,)``. share: of the 46 bins, float32 ``(c, 46)``. weight: batches.
    """

    mean: Floats = field(default_factory=lambda: np.empty(0))
    deviation: Floats = field(default_factory=lambda: np.empty(0))
    share: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, CUTS + 1), np.float32))
    weight: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DatasetState:
    """One dataset: about 20 KB, under 4 KB a numeric column, and the open parts.

    A categorical column has statistics for the categories that exist: under 4 KB up to four of them, half a KB for each
    more, up to the 16 most frequent and the rest (10 KB).

    A fold returns a new state and leaves the old one as it was: arrays are replaced, never written to.
    live: the baseline as of now. safe (and ``safe_weights`` of the season): as of the last batch without suspicion, to
    which it returns at an alarm.
    """

    version: int = 9
    subject: str
    batches: int = 0
    steps: int = 0
    rows: int = 0
    watermark: Micros | None = None
    pinned_until: Micros | None = None
    disordered: int = 0
    window_end: Micros | None = None
    windows: int = 0
    joined_windows: int = 0
    table: Table = field(default_factory=subject_table)
    columns: dict[str, ColumnState] = field(default_factory=dict)
    live: Baseline = field(default_factory=lambda: empty_baseline(2))
    safe: Baseline = field(default_factory=lambda: narrowed(empty_baseline(2)))
    season: Season = field(default_factory=lambda: empty_season(2))
    safe_weights: NDArray[np.float32] = field(default_factory=lambda: np.zeros((2, 11), np.float32))
    shape: Shape = field(default_factory=lambda: empty_shape(0))
    surprises: Surprises = field(default_factory=lambda: empty_surprises(2))
    bank: Bank = field(default_factory=lambda: empty_bank(2))
    second: Opinion | None = None
    attendance: Attendance = field(default_factory=Attendance)
    portrait: Portrait = field(default_factory=Portrait)
    trend: Trend = field(default_factory=Trend)
    calm: Calm = field(default_factory=Calm)
    active: tuple[Active, ...] = ()
    recent: Recent = field(default_factory=Recent)
    open: tuple[BatchSummary, ...] = ()
    pool: Pool | None = None
    waiting: dict[str, ColumnSummary] = field(default_factory=dict)

    @property
    def pooled(self) -> float:
        """How many batches are weighed together, on average, with those that wait to be."""
        return max(1.0, self.batches / (self.steps + 1))


def as_kept(state: DatasetState) -> DatasetState:
    """The state as it is kept: what is an average or a spread needs no more than float32."""
    surprises, bank = state.surprises, state.bank
    small = {name: getattr(bank, name).astype(np.float32) for name in ("level", "steps", "peaks", "excess", "top")}
    season = state.season
    recent = {name: getattr(season.fit, name).astype(np.float32) for name in ("error", "daily_error", "level_error")}
    names = ("error", "mean_error", "judged_error")
    daily = {name: getattr(season.recurring, name).astype(np.float32) for name in names}
    return replace(
        state,
        live=stored(state.live),
        season=replace(season, fit=replace(season.fit, **recent), recurring=replace(season.recurring, **daily)),
        surprises=Surprises(*(getattr(surprises, one.name).astype(np.float32) for one in fields(surprises))),
        bank=replace(bank, **small),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How detection is set. One number matters to people: ``false_alarms_per_month``, over all that is watched.

    monitored: live statistics of the whole fleet, among which that budget is split. tolerance: the shift nobody cares
    about, in standard deviations of a row (for rates: of the arcsine). pool_rows, pool_s: smaller batches are judged
    together until so many rows or seconds are reached (0 s: no limit). parts_wait_s: how long a batch may wait for its
    parts once a newer one is complete. warm_up_batches, warm_up_pools: batches, and weighings of them, before anything
    alarms. clip: the deviation a single batch is believed at most.
    second_detector: ``none``, or ``page_hinkley`` or ``adwin``, which then shares the budget.
    """

    false_alarms_per_month: float = 1.0
    monitored: int = 1
    tolerance: float = 0.05
    pool_rows: int = POOL_ROWS
    pool_s: float = 0.0
    parts_wait_s: float = 60.0
    warm_up_batches: int = WARM_UP
    warm_up_pools: int = 8
    clip: float = 5.0
    clock_s: float = 300.0
    second_detector: str = "none"

    def warm_up(self, pooled: float) -> float:
        """Weighings of so many batches before what is drawn from their rows may alarm: pools tell more than batches."""
        return max(self.warm_up_batches / pooled, min(self.warm_up_pools, self.warm_up_batches))
