"""JSON lines: one flat object a line."""

import json
from collections.abc import Collection, Iterator
from itertools import count, islice
from typing import IO, Any

import polars as pl

from streams.ingest.problem import FLATTEN, Problem, shown
from streams.ingest.rows import Rows, places


def read_jsonl(text: IO[str], file: str, size: int, ignored: Collection[str]) -> Iterator[Rows]:
    """Pieces of ``size`` objects; blank lines are none."""
    written_lines = ((line, written) for line, written in enumerate(text, start=1) if written.strip())
    for first in count(1, size):
        piece = list(islice(written_lines, size))
        if not piece:
            return
        yield _rows(piece, first, file, ignored)


def _rows(piece: list[tuple[int, str]], first: int, file: str, ignored: Collection[str]) -> Rows:
    records: list[dict[str, Any]] = []
    found: list[tuple[int, int]] = []
    problems: list[Problem] = []
    for number, (line, written) in enumerate(piece, start=first):
        record = _object(written, ignored)
        if isinstance(record, str):
            problems.append(Problem(file=file, line=line, reason=record))
        else:
            records.append(record)
            found.append((line, number))
    names = dict.fromkeys(name for record in records for name in record)
    frame = pl.DataFrame([_series(name, [record.get(name) for record in records]) for name in names])
    lines, numbers = places(found)
    return Rows(file=file, frame=frame, lines=lines, numbers=numbers, problems=tuple(problems), sparse=True)


def _object(written: str, ignored: Collection[str]) -> dict[str, Any] | str:
    """A line's flat object, or why it is none. Python's own parser, because many writers emit ``NaN``."""
    try:
        record = json.loads(written)
    except (ValueError, RecursionError) as error:
        return f"not a JSON value: {error}"
    if not isinstance(record, dict):
        return f"not a JSON object but {shown(record)}"
    nested = [name for name, value in record.items() if isinstance(value, dict | list)]
    record |= dict.fromkeys(nested)
    unwanted = [name for name in nested if name not in ignored]
    return f"{unwanted[0]} holds a nested value: {FLATTEN.format(unwanted[0])}" if unwanted else record


def _series(name: str, values: list[Any]) -> pl.Series:
    """JSON values as one column; a mixture of types becomes texts, to be judged value by value."""
    kinds = {type(value) for value in values if value is not None}
    for accepted, dtype in (({bool}, pl.Boolean), ({int}, pl.Int64), ({int, float}, pl.Float64), ({str}, pl.String)):
        if kinds <= accepted:
            try:
                return pl.Series(name, values, dtype=dtype if kinds else pl.Null)
            except (OverflowError, pl.exceptions.PolarsError):
                continue
    spelled = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pl.Series(name, spelled, dtype=pl.String)
