"""Prediction events of one model, gathered into arrays before any arithmetic: Python per event, numpy per row."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.batch import CategoryColumn, ColumnInput, NumberColumn
from detectors.model import OutcomesInput, PredictionsInput
from diagnosis.provenance import Parent, PredictionRef
from schemas.events import Column, Numbers, Outcome, Prediction, Sketch
from streams.detect.inputs import column_input, digest
from streams.detect.observing import parent_of, versions_of
from streams.detect.subject import WindowHead
from streams.records import Sourced
from streams.task.work import Micros

Hashes: TypeAlias = NDArray[np.uint64]
Pieces: TypeAlias = list[tuple[int, Column]]


class Gathering:
    """The events of one model between two folds, in log order."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.rows = 0
        self.digests: list[int] = []
        self.events: list[tuple[Prediction, Sourced]] = []

    def add(self, event: Prediction, source: Sourced, event_digest: int) -> None:
        """Take one more event."""
        self.rows += len(event.scores)
        self.digests.append(event_digest)
        self.events.append((event, source))

    def one_by_one(self) -> Iterator["Gathering"]:
        """Each event in a gathering of its own."""
        for (event, source), event_digest in zip(self.events, self.digests, strict=True):
            alone = Gathering(self.subject)
            alone.add(event, source, event_digest)
            yield alone

    def fills(self, rows_wanted: int, ends_at: Micros | None, window_s: float) -> bool:
        """Whether the last event taken ends the model's open window."""
        first, last = self.events[0][0], self.events[-1][0]
        end = first.scored_at + round(window_s * 1e6) if ends_at is None else ends_at
        return self.rows >= rows_wanted or last.scored_at >= end

    def head(self) -> WindowHead:
        """What lineage needs to know of these events."""
        first, source = self.events[0]
        last, newest = self.events[-1]
        places: dict[Parent, int] = {}
        refs = []
        versions: dict[str, str] = {}
        for event, origin in self.events:
            parents = tuple(places.setdefault(parent_of(batch), len(places)) for batch in event.batches)
            versions.update(versions_of(event))
            refs.append(
                PredictionRef(
                    origin=origin.origin,
                    at=event.scored_at,
                    rows=len(event.scores),
                    ids=event.prediction_ids,
                    parents=parents,
                    trace_id=event.trace_id,
                )
            )
        return WindowHead(
            pipeline=first.pipeline,
            model=first.model,
            at=last.scored_at,
            arrived_at=newest.arrived_at,
            origin=source.origin,
            rows=self.rows,
            refs=tuple(refs),
            parents=tuple(places),
            versions=versions,
            segments=dict(last.segments),
            host=last.host,
        )

    def predictions_input(self) -> PredictionsInput:
        """Everything the model's detectors are given, as columns."""
        events = [event for event, _ in self.events]
        lengths = np.array([len(event.scores) for event in events])
        places: dict[str, int] = {}
        segment = [_segment(event.segments, places) for event in events]
        first, source = self.events[0]
        reads = [read for event in events for read in event.feature_reads]
        scored = [event.scored_at for event in events for _ in event.feature_reads]
        views = tuple(dict.fromkeys(read.feature_view for read in reads))
        return PredictionsInput(
            subject=self.subject,
            arrived_at=self.events[-1][1].arrived_at,
            first_event_id=f"{first.model}@{source.origin.topic}-{source.origin.partition}-{source.origin.offset}",
            task=first.task.value,
            scores=np.concatenate([event.scores for event in events]) if events else np.empty(0),
            at=np.repeat([event.scored_at for event in events], lengths).astype(np.int64),
            id_hash=np.concatenate([_hashes(event.prediction_ids, len(event.scores)) for event in events]),
            entity_hash=np.concatenate([_hashes(event.entity_ids or (), len(event.scores)) for event in events]),
            predicted=np.concatenate([_hashes(event.predicted or (), len(event.scores)) for event in events]),
            segment=np.repeat(segment, lengths).astype(np.int32),
            segments=tuple(places),
            lower=_bounds(events, "lower"),
            upper=_bounds(events, "upper"),
            level=next((event.intervals.level for event in events if event.intervals), None),
            latency_ms=np.array([_or_nan(event.latency_ms) for event in events]),
            error=np.array([event.error is not None for event in events], bool),
            views=views,
            read_view=np.array([views.index(read.feature_view) for read in reads], np.int32),
            read_age_s=np.array(
                [
                    np.nan if read.event_time is None else (at - read.event_time) / 1e6
                    for read, at in zip(reads, scored, strict=True)
                ],
                float,
            ),
            read_latency_ms=np.array([_or_nan(read.latency_ms) for read in reads], float),
            read_hit=np.array([-1 if read.hit is None else int(read.hit) for read in reads], np.int8),
            features=_features(events, int(lengths.sum())),
        )


def outcomes_input(outcome: Outcome, subject: str, arrived_at: Micros) -> OutcomesInput:
    """What the model's detectors are given of an outcome event."""
    rows = max(len(outcome.outcomes), len(outcome.actual or ()))
    return OutcomesInput(
        subject=subject,
        arrived_at=arrived_at,
        id_hash=_hashes(outcome.prediction_ids, rows),
        entity_hash=_hashes(outcome.entity_ids or (), rows),
        as_of=outcome.as_of,
        outcome=outcome.outcomes if len(outcome.outcomes) else np.full(rows, np.nan),
        actual=_hashes(outcome.actual or (), rows),
        at=np.full(rows, outcome.observed_at, np.int64),
    )


def _hashes(ids: Sequence[str], rows: int) -> Hashes:
    """64-bit hashes of ids, 0 where there is none."""
    if len(ids) != rows:
        return np.zeros(rows, np.uint64)
    return np.fromiter((_hash(one) for one in ids), np.uint64, rows)


def _hash(one: str) -> int:
    return digest(one.encode()) or 1


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _segment(segments: Mapping[str, str], places: dict[str, int]) -> int:
    if not segments:
        return -1
    return places.setdefault(_label(tuple(sorted(segments.items()))), len(places))


@cache
def _label(pairs: tuple[tuple[str, str], ...]) -> str:
    return ",".join(f"{name}={value}" for name, value in pairs)


def _bounds(events: Sequence[Prediction], side: str) -> NDArray[np.float64] | None:
    if not any(event.intervals for event in events):
        return None
    return np.concatenate(
        [getattr(event.intervals, side) if event.intervals else np.full(len(event.scores), np.nan) for event in events]
    )


def _features(events: Sequence[Prediction], rows: int) -> dict[str, ColumnInput]:
    """The features of all events as columns; rows of events without a column are missing in it."""
    found: dict[str, Pieces] = defaultdict(list)
    at = 0
    for event in events:
        for column in event.features:
            found[column.name].append((at, column))
        at += len(event.scores)
    return {name: _column(pieces, rows) for name, pieces in found.items()}


def _column(pieces: Pieces, rows: int) -> ColumnInput:
    first = pieces[0][1]
    if isinstance(first.values, Sketch):
        return column_input(first)
    if isinstance(first.values, Numbers):
        return _numbers(pieces, rows)
    return _categories(pieces, rows)


def _numbers(pieces: Pieces, rows: int) -> NumberColumn:
    values = np.full(rows, np.nan)
    for at, column in pieces:
        if isinstance(column.values, Numbers):
            values[at : at + len(column.values.values)] = column.values.values
    return NumberColumn(values=values, type=pieces[0][1].type)


def _categories(pieces: Pieces, rows: int) -> CategoryColumn:
    places: dict[str, int] = {}
    codes = np.full(rows, -1, np.int32)
    for at, column in pieces:
        part: Any = column_input(column)
        if not isinstance(column.values, Numbers | Sketch):
            moved = np.array([places.setdefault(text, len(places)) for text in part.dictionary] or [0], np.int32)
            own = part.codes
            codes[at : at + len(own)] = np.where(own >= 0, moved[np.maximum(own, 0)], -1)
    return CategoryColumn(dictionary=tuple(places), codes=codes, type=pieces[0][1].type)
