"""Checked rows as events: which rows go together, and what an event says of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.events import (
    BatchRef,
    Change,
    ChangeKind,
    Column,
    DataBatch,
    Event,
    Micros,
    Outcome,
    Part,
    Prediction,
)
from streams.ingest.check import Checked
from streams.ingest.mapping import BatchMapping, OutcomeMapping, PredictionMapping
from streams.ingest.problem import BadInput
from streams.ingest.times import latest, written
from streams.topics import Topic, key_of

PART_BYTES = 700_000  # brokers take messages of 1 MB unless told otherwise
MOST_GROUPS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """An event with where it goes; ``rows`` is how many rows of the table it settles."""

    topic: Topic
    name: str
    event: Event
    at: Micros
    rows: int

    @property
    def key(self) -> bytes:
        """The record's key."""
        return key_of(self.event.pipeline, self.name)


def of_predictions(checked: Checked, mapping: PredictionMapping, stem: str) -> Iterator[Outgoing]:
    """Feature batches first, if wanted, then the predictions that refer to them, in order of time.

    The features of a served prediction exist before it is scored, so a feature batch is dated by its first row.
    """
    if mapping.batches is None:
        yield from _predictions(checked, checked.good, mapping, mapping.parents)
        return
    for batch in _batches(checked, mapping.batches.rows):
        at = int(checked.at[batch].min())
        batch_id = _batch_id(checked, batch, mapping.batches, stem, at)
        yield from _parts(checked, batch, mapping.batches, batch_id, at, counted=False)
        references = (BatchRef(dataset=mapping.batches.dataset, batch_id=batch_id),)
        yield from _predictions(checked, batch, mapping, references)


def of_batches(checked: Checked, mapping: BatchMapping, stem: str) -> Iterator[Outgoing]:
    """Batches, in as many parts as brokers need; a batch is finished, and dated, when its last row exists."""
    for batch in _batches(checked, mapping.rows):
        at = latest(checked.at[batch])
        yield from _parts(checked, batch, mapping, _batch_id(checked, batch, mapping, stem, at), at, counted=True)


def of_outcomes(checked: Checked, mapping: OutcomeMapping) -> Iterator[Outgoing]:
    """Outcomes, gathered in the order of the table."""
    assert checked.ids is not None
    for rows in _cut(checked.good, mapping.rows_per_event):
        event = Outcome(
            pipeline=mapping.pipeline,
            model=mapping.model,
            observed_at=latest(checked.at[rows]),
            prediction_ids=tuple(checked.ids[row] for row in rows),
            outcomes=np.empty(0) if checked.numbers is None else checked.numbers[rows],
            actual=checked.words.words(rows) if checked.words is not None else None,
        )
        yield Outgoing(Topic.OUTCOMES, mapping.model, event, event.observed_at, rows.size)


def reference(pipeline: str, component: str, at: Micros, reason: str) -> Outgoing:
    """The declaration that everything of a subject up to ``at`` is healthy."""
    event = Change(
        pipeline=pipeline,
        component=component,
        kind=ChangeKind.BASELINE,
        at=at,
        change_id=f"reference:{pipeline}/{component}:{at}",
        after="reference",
        reason=reason,
    )
    return Outgoing(Topic.CHANGES, component, event, at, 0)


def _predictions(
    checked: Checked, rows: NDArray[np.int64], mapping: PredictionMapping, references: tuple[BatchRef, ...]
) -> list[Outgoing]:
    made = [
        _prediction(checked, mapping, piece, references)
        for group in _grouped(checked, rows)
        for piece in _cut(group, mapping.rows_per_event)
    ]
    return sorted(made, key=lambda outgoing: outgoing.at)


def _prediction(
    checked: Checked, mapping: PredictionMapping, rows: NDArray[np.int64], references: tuple[BatchRef, ...]
) -> Outgoing:
    assert checked.numbers is not None
    shared = {values.field.name: values.words(rows[:1])[0] for values in checked.groups}
    version = mapping.version.text
    if mapping.version.column is not None:
        version = shared[mapping.version.column] or None
    event = Prediction(
        pipeline=mapping.pipeline,
        model=mapping.model,
        scored_at=latest(checked.at[rows]),
        scores=checked.numbers[rows],
        prediction_ids=() if checked.ids is None else tuple(checked.ids[row] for row in rows),
        task=mapping.task,
        predicted=checked.words.words(rows) if checked.words is not None else None,
        model_version=version,
        batches=references,
        features=tuple(values.column(rows) for values in checked.columns),
        segments={name: shared[name] for name in mapping.segments if shared[name]},
    )
    return Outgoing(Topic.PREDICTIONS, mapping.model, event, event.scored_at, rows.size)


def _parts(
    checked: Checked, rows: NDArray[np.int64], mapping: BatchMapping, batch_id: str, at: Micros, *, counted: bool
) -> Iterator[Outgoing]:
    """A batch's events; ``counted`` where the batch is what the rows are sent as, not where it goes beside them."""
    columns = [values.column(rows) for values in checked.columns]
    count = min(rows.size, -(-_bytes(columns) // PART_BYTES) or 1)
    for index, piece in enumerate(np.array_split(rows, count)):
        event = DataBatch(
            pipeline=mapping.pipeline,
            dataset=mapping.dataset,
            produced_at=at,
            rows=piece.size,
            batch_id=batch_id,
            part=Part(index=index, of=count) if count > 1 else None,
            stage=mapping.stage,
            source=mapping.source,
            parents=mapping.parents,
            columns=tuple(values.column(piece) for values in checked.columns) if count > 1 else tuple(columns),
        )
        yield Outgoing(Topic.DATA_BATCHES, mapping.dataset, event, at, piece.size if counted else 0)


def _bytes(columns: list[Column]) -> int:
    """About how long columns are as Avro: 8 bytes a number, up to 5 a code, each text of a dictionary once."""
    total = 0
    for column in columns:
        numbers = getattr(column.values, "values", None)
        if isinstance(numbers, np.ndarray):
            total += numbers.nbytes
        else:
            dictionary: tuple[str, ...] = getattr(column.values, "dictionary", ())
            total += sum(len(word.encode()) + 2 for word in dictionary)
            total += 3 * len(getattr(column.values, "codes", ()))
    return total


def _batches(checked: Checked, size: int) -> Iterator[NDArray[np.int64]]:
    """Positions of the good rows of each batch, by the rows' numbers in the file."""
    batch = (checked.row_numbers[checked.good] - 1) // size
    starts = np.flatnonzero(np.diff(batch, prepend=-1))
    yield from np.split(checked.good, starts[1:]) if starts.size else ()


def _batch_id(checked: Checked, rows: NDArray[np.int64], mapping: BatchMapping, stem: str, at: Micros) -> str:
    """Says where the rows came from, so that an alert about the batch leads back to the file's rows."""
    numbers = checked.row_numbers[rows]
    first = (int(numbers[0]) - 1) // mapping.rows * mapping.rows + 1
    return f"{stem}:{first}-{numbers[-1]}@{written(at)}"


def _grouped(checked: Checked, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Positions of rows that share segments and version, each group in the table's order."""
    if not checked.groups:
        yield rows
        return
    keys = np.stack([values.codes[rows] for values in checked.groups if values.codes is not None])
    _, inverse = np.unique(keys, axis=1, return_inverse=True)
    groups = int(inverse.max(initial=-1)) + 1
    if groups > MOST_GROUPS:
        raise BadInput(f"{groups} segments among {rows.size} rows: choose --segment columns with fewer values")
    for group in range(groups):
        yield rows[inverse.ravel() == group]


def _cut(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, rows.size, size):
        yield rows[start : start + size]
