"""What the person said on the command line, before any file was looked at."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.events import Micros, Task
from streams.ingest.tables import Format


class OnError(StrEnum):
    """What happens to the rest when a row is wrong."""

    STOP = "stop"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The files, and how they are read."""

    files: tuple[str, ...]
    format: Format | None = None
    as_text: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    on_error: OnError = OnError.STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Options of ``send predictions``; None and empty mean: guess."""

    pipeline: str
    model: str
    id: str | None = None
    at: str | None = None
    score: str | None = None
    predicted: str | None = None
    outcome: str | None = None
    features: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    model_version: str | None = None
    task: Task | None = None
    rows_per_event: int = 250
    batch_rows: int | None = None
    dataset: str | None = None
    parents: tuple[str, ...] = ()
    stage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Options of ``send outcomes``."""

    pipeline: str
    model: str
    id: str | None = None
    outcome: str | None = None
    at: str | None = None
    times_from: tuple[str, ...] = ()
    observed_at: Micros | None = None
    delay: Micros = 0
    rows_per_event: int = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Options of ``send batches``."""

    pipeline: str
    dataset: str
    at: str | None = None
    columns: tuple[str, ...] = ()
    batch_rows: int = 5_000
    parents: tuple[str, ...] = ()
    stage: str | None = None
    source: str | None = None
