"""One kind of event to be made of some files: its mapping, the check of a piece, and the events of a piece."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import polars as pl

from schemas.events import Micros
from streams.ingest import check, events, guess, plan
from streams.ingest.check import Checked
from streams.ingest.events import Outgoing
from streams.ingest.options import Batches, Outcomes, Predictions, Reading
from streams.ingest.plan import Planning
from streams.ingest.problem import BadInput
from streams.ingest.rows import Rows
from streams.ingest.tables import STDIN, read, stem_of
from streams.ingest.times import micros_of
from streams.ingest.values import texts
from streams.topics import Topic

PIECE_ROWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to do with each piece of the files; ``subjects`` are (pipeline, dataset or model) of what is sent."""

    reading: Reading
    size: int
    check: Callable[[Rows, Micros], Checked]
    events: Callable[[Checked, str], Iterator[Outgoing]]
    subjects: tuple[tuple[str, str], ...]
    topics: tuple[Topic, ...]
    known: frozenset[str]
    notes: tuple[str, ...]
    opened: Iterator[Rows]

    def pieces(self) -> Iterator[tuple[str, Rows]]:
        """All rows of all files, with the stem of the file; standard input can be read only once."""
        for name in self.reading.files:
            source = self.opened if name == STDIN else _read(self.reading, name, self.size)
            for rows in source:
                yield stem_of(name), rows


def of_predictions(options: Predictions, reading: Reading) -> Job:
    """The job of ``send predictions``.

    Raises:
        BadInput: a file or an option cannot be used.
    """
    size = _multiple(options.batch_rows or options.rows_per_event)
    opened, planning = _open(reading, size)
    mapping = plan.predictions(options, planning)
    subjects = [(mapping.pipeline, mapping.model)]
    topics = [Topic.PREDICTIONS]
    if mapping.batches is not None:
        subjects.insert(0, (mapping.pipeline, mapping.batches.dataset))
        topics.insert(0, Topic.DATA_BATCHES)
    return _job(
        reading,
        size,
        planning,
        opened,
        check=lambda rows, now: check.predictions(rows, mapping, now),
        events=lambda checked, stem: events.of_predictions(checked, mapping, stem),
        subjects=tuple(subjects),
        topics=tuple(topics),
    )


def of_batches(options: Batches, reading: Reading) -> Job:
    """The job of ``send batches``.

    Raises:
        BadInput: a file or an option cannot be used.
    """
    size = _multiple(options.batch_rows)
    opened, planning = _open(reading, size)
    mapping = plan.batches(options, planning)
    return _job(
        reading,
        size,
        planning,
        opened,
        check=lambda rows, now: check.batches(rows, mapping, now),
        events=lambda checked, stem: events.of_batches(checked, mapping, stem),
        subjects=((mapping.pipeline, mapping.dataset),),
        topics=(Topic.DATA_BATCHES,),
    )


def of_outcomes(options: Outcomes, reading: Reading) -> Job:
    """The job of ``send outcomes``; the ids and times of ``times_from`` are kept in memory, about 50 bytes a row.

    Raises:
        BadInput: a file or an option cannot be used.
    """
    size = _multiple(options.rows_per_event)
    opened, planning = _open(reading, size)
    mapping = plan.outcomes(options, planning)
    scored = scored_at(options, reading) if options.times_from else None
    return _job(
        reading,
        size,
        planning,
        opened,
        check=lambda rows, now: check.outcomes(rows, mapping, scored, now),
        events=lambda checked, _: events.of_outcomes(checked, mapping),
        subjects=((mapping.pipeline, mapping.model),),
        topics=(Topic.OUTCOMES,),
    )


def scored_at(options: Outcomes, reading: Reading) -> pl.DataFrame:
    """When each id was scored, ``id`` and ``at``, from the files the predictions were sent from.

    Raises:
        BadInput: a file cannot be used, or its id or time column cannot be told.
    """
    parts: list[pl.DataFrame] = []
    for name in options.times_from:
        if name == STDIN:
            raise BadInput("--times-from needs a file")
        for rows in read(name, None, 10 * PIECE_ROWS, reading.ignored):
            frame = rows.frame
            key = options.id if options.id in frame.columns else _must(guess.an_id(frame, set()), "id", rows.file)
            time = options.at if options.at in frame.columns else _must(guess.a_time(frame, {key}), "time", rows.file)
            ids = pl.Series("id", texts(frame[key]), dtype=pl.String)
            parts.append(pl.DataFrame([ids, micros_of(frame[time]).alias("at")]).drop_nulls())
    if not parts:
        raise BadInput("the files of --times-from hold no rows")
    return pl.concat(parts).unique("id", keep="first")


def _must(found: guess.Guessed | None, role: str, file: str) -> str:
    if found is None:
        raise BadInput(f"no column of {file} looks like the {role}: name it as in that file with --{role}")
    return found.name


def _open(reading: Reading, size: int) -> tuple[Iterator[Rows], Planning]:
    """The first file's pieces, and a planning over the first of them."""
    if STDIN in reading.files and len(reading.files) > 1:
        raise BadInput("standard input (-) is read alone, not beside files")
    pieces = _read(reading, reading.files[0], size)
    first = next(pieces, None)
    if first is None or not first.frame.width:
        raise BadInput(f"{reading.files[0]} holds no rows")
    return chain([first], pieces), Planning(first, reading)


def _read(reading: Reading, name: str, size: int) -> Iterator[Rows]:
    return read(name, reading.format, size, reading.ignored)


def _job(
    reading: Reading,
    size: int,
    planning: Planning,
    opened: Iterator[Rows],
    *,
    check: Callable[[Rows, Micros], Checked],
    events: Callable[[Checked, str], Iterator[Outgoing]],
    subjects: tuple[tuple[str, str], ...],
    topics: tuple[Topic, ...],
) -> Job:
    return Job(
        reading=reading,
        size=size,
        check=check,
        events=events,
        subjects=subjects,
        topics=topics,
        known=frozenset(planning.frame.columns),
        notes=tuple(planning.notes),
        opened=opened,
    )


def _multiple(rows: int) -> int:
    """The size of a piece that holds whole events or batches, so that only the last one of a file is short."""
    return max(PIECE_ROWS // rows, 1) * rows
