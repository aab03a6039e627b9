"""What is remembered of a model between windows. All bounded, all plain data."""

from dataclasses import dataclass, field

from detectors import dataset
from detectors.finding import Micros
from detectors.joining import Join
from detectors.performance import Performance
from detectors.recent import Recent
from detectors.reference import Reference
from detectors.state import DatasetState
from detectors.window import PredictionsSummary


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelState:
    """One model: 137 kB, 4 kB a feature, 9.5 kB a segment, and 1.25 * ``pending_bytes`` for what waits to be joined.

    opened: the window that is filling up. inputs: scores and features; serving: latency, errors, reads. segments: at
    most ``max_segments`` names. recent: the last predictions. pinned_until: predictions up to then are the reference.
    """

    version: int = 4
    subject: str
    task: str = "UNKNOWN"
    segments: tuple[str, ...] = ()
    opened: PredictionsSummary | None = None
    inputs: DatasetState
    serving: DatasetState
    join: Join = field(default_factory=Join)
    performance: Performance = field(default_factory=Performance)
    recent: Recent = field(default_factory=Recent)
    pinned_until: Micros | None = None


def start(subject: str) -> ModelState:
    """The state of a model of which nothing has been seen."""
    return ModelState(subject=subject, inputs=dataset.start(subject), serving=dataset.start(subject))


def references(state: DatasetState) -> dict[str, Reference]:
    """What the columns of a window are counted against."""
    return {name: column.reference for name, column in state.columns.items()}


def settled_task(known: str, said: str, with_class: bool) -> str:
    """What the model predicts: as first said, or multiclass where classes are predicted."""
    if known != "UNKNOWN" or said != "UNKNOWN":
        return known if known != "UNKNOWN" else said
    return "MULTICLASS" if with_class else "UNKNOWN"
