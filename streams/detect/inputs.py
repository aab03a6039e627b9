"""From an event to what the detectors are given: plain arrays."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from detectors.batch import BatchInput, CategoryColumn, ColumnInput, NumberColumn, SketchColumn
from schemas.events import Codes, Column, DataBatch, Histogram, Kll, Numbers, Quantiles, RunKind, Sketch, Texts

Micros = int


def digest(value: bytes) -> int:
    """64 bits that stand for an event or an id; equal bytes give equal digests in every process."""
    return int.from_bytes(blake2b(value, digest_size=8).digest(), "little")


def batch_id_of(batch: DataBatch) -> str:
    """The batch's id: its own, else its run and partition, else its dataset, partition and time."""
    if batch.batch_id is not None:
        return batch.batch_id
    if batch.run is not None:
        return "/".join(filter(None, (batch.run.run_id, batch.partition)))
    span = batch.window.start if batch.window is not None else batch.produced_at
    return "@".join(filter(None, (batch.dataset, batch.partition, str(span))))


def batch_input(batch: DataBatch, arrived_at: Micros) -> BatchInput:
    """What the dataset's detectors are given of a batch."""
    return BatchInput(
        subject=f"{batch.pipeline}/{batch.dataset}",
        batch_id=batch_id_of(batch),
        at=_time_of(batch),
        arrived_at=arrived_at,
        rows=batch.rows,
        part_index=batch.part.index if batch.part else 0,
        part_of=batch.part.of if batch.part else 1,
        replaces=batch.replaces,
        attempt=batch.run.attempt if batch.run else 1,
        window_start=batch.window.start if batch.window else None,
        window_end=batch.window.end if batch.window else None,
        backfill=_is_backfill(batch),
        segments=dict(batch.segments),
        columns={column.name: column_input(column) for column in batch.columns},
    )


def _is_backfill(batch: DataBatch) -> bool:
    return batch.run is not None and batch.run.kind is RunKind.BACKFILL


def _time_of(batch: DataBatch) -> Micros:
    """Where the batch stands among the others: a backfill is made now, and as old as its window."""
    if batch.window is None or not _is_backfill(batch):
        return batch.produced_at
    return min(batch.produced_at, batch.window.end)


def column_input(column: Column) -> ColumnInput:
    """One column as arrays; texts are dictionary-encoded."""
    values = column.values
    if isinstance(values, Numbers):
        return NumberColumn(values=values.values, type=column.type)
    if isinstance(values, Codes):
        return CategoryColumn(dictionary=values.dictionary, codes=values.codes, type=column.type)
    if isinstance(values, Texts):
        dictionary, codes = encode(values.values)
        return CategoryColumn(dictionary=dictionary, codes=codes, type=column.type)
    return _sketch_input(values, column.type)


def encode(texts: Sequence[str | None]) -> tuple[tuple[str, ...], np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """Texts as a dictionary and codes into it; -1 is missing."""
    places: dict[str | None, int] = {None: -1}
    codes = np.empty(len(texts), np.int32)
    for row, text in enumerate(texts):
        place = places.get(text)
        if place is None:
            place = places[text] = len(places) - 1
        codes[row] = place
    return tuple(text for text in places if text is not None), codes


def _sketch_input(sketch: Sketch, kind: str | None) -> SketchColumn:
    shape = sketch.shape
    histogram = shape if isinstance(shape, Histogram) else None
    quantiles = shape if isinstance(shape, Quantiles) else None
    return SketchColumn(
        count=sketch.count,
        missing=sketch.missing,
        non_finite=sketch.non_finite,
        minimum=sketch.minimum,
        maximum=sketch.maximum,
        sum=sketch.sum,
        sum_squares=sketch.sum_squares,
        edges=histogram.edges if histogram else None,
        counts=histogram.counts if histogram else None,
        kll=shape.sketch if isinstance(shape, Kll) else None,
        p=quantiles.p if quantiles else None,
        v=quantiles.v if quantiles else None,
        top=tuple((one.value, one.count) for one in sketch.top),
        other=sketch.other,
        distinct=sketch.distinct,
        type=kind,
    )
