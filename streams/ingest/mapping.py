"""Which column is what, and how rows become events: everything that is decided before the first row is sent."""

from dataclasses import dataclass

from schemas.events import BatchRef, Micros, Task
from streams.ingest.problem import BadInput, shown
from streams.ingest.values import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version for all rows, or the column that holds it."""

    text: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchMapping:
    """Rows to feature batches or plain batches: ``rows`` each; without ``at`` they are dated when they are sent."""

    pipeline: str
    dataset: str
    rows: int
    at: str | None
    columns: tuple[Field, ...]
    parents: tuple[BatchRef, ...] = ()
    stage: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionMapping:
    """Rows to predictions, ``rows_per_event`` together; ``batches`` cuts the same rows into feature batches."""

    pipeline: str
    model: str
    id: str | None
    at: str | None
    score: str
    predicted: str | None
    features: tuple[Field, ...]
    segments: tuple[str, ...]
    version: Version
    task: Task
    rows_per_event: int
    batches: BatchMapping | None = None
    parents: tuple[BatchRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeMapping:
    """Rows to outcomes: observed ``delay`` after the time in ``at``, of their id elsewhere, or ``observed_at``."""

    pipeline: str
    model: str
    id: str
    outcome: Field
    at: str | None
    observed_at: Micros | None
    delay: Micros
    rows_per_event: int


def parent_of(written: str) -> BatchRef:
    """A parent as ``[PIPELINE/]DATASET[@BATCH_ID]``.

    Raises:
        BadInput: there is no dataset in it.

    >>> parent_of("billing/orders@2024-01-31").dataset
    'orders'
    """
    place, _, batch_id = written.partition("@")
    pipeline, slash, dataset = place.rpartition("/")
    if not dataset or (slash and not pipeline):
        raise BadInput(f"{shown(written)} names no parent: write DATASET, DATASET@BATCH_ID or PIPELINE/DATASET")
    return BatchRef(dataset=dataset, pipeline=pipeline or None, batch_id=batch_id or None)
