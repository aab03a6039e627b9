"""CSV and its relatives. Python's own parser knows the line of every record; the values are texts, read later."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import IO, Any

import polars as pl

from streams.ingest.problem import BadInput, Problem, shown
from streams.ingest.rows import Rows, places

LARGEST_FIELD = 1 << 20
DELIMITERS = ",;\t|"


def read_csv(text: IO[str], file: str, size: int) -> Iterator[Rows]:
    """Pieces of ``size`` rows; the delimiter is the commonest of ``, ; tab |`` in the header.

    Raises:
        BadInput: there is no header, or it names a column twice.
    """
    csv.field_size_limit(LARGEST_FIELD)
    header = text.readline()
    if not header.strip():
        raise BadInput(f"{file} is empty: its first line must name the columns")
    delimiter = max(DELIMITERS, key=header.count)
    names = _header(next(csv.reader([header], delimiter=delimiter)), file)
    reader = csv.reader(text, delimiter=delimiter)
    for first in count(1, size):
        piece = _Piece(file=file, width=len(names), first=first)
        more = piece.fill(reader, size)
        if piece.count:
            yield piece.rows(names)
        if not more:
            return


def _header(names: list[str], file: str) -> list[str]:
    trimmed = [name.strip() or f"column_{position}" for position, name in enumerate(names, start=1)]
    twice = sorted({name for name in trimmed if trimmed.count(name) > 1})
    if twice:
        raise BadInput(f"{file} has more than one column named {shown(twice[0])}: rename one")
    return trimmed


@dataclass(slots=True, kw_only=True)
class _Piece:
    file: str
    width: int
    first: int
    records: list[list[str]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.records) + len(self.problems)

    def fill(self, reader: Any, size: int) -> bool:
        """Takes up to ``size`` records, blank lines aside; false where the file ends."""
        while self.count < size:
            line = reader.line_num + 2  # the header was line 1, and this record starts after the last line read
            try:
                record = next(reader)
            except StopIteration:
                return False
            except csv.Error as error:
                self.problems.append(Problem(file=self.file, line=line, reason=f"not readable as CSV: {error}"))
                continue
            if len(record) == self.width:
                self.places.append((line, self.first + self.count))
                self.records.append(record)
            elif record:
                reason = f"has {len(record)} values where the header names {self.width} columns"
                self.problems.append(Problem(file=self.file, line=line, reason=reason))
        return True

    def rows(self, names: list[str]) -> Rows:
        columns = zip(*self.records, strict=True) if self.records else ([] for _ in names)
        series = [pl.Series(name, values, dtype=pl.String) for name, values in zip(names, columns, strict=True)]
        lines, numbers = places(self.places)
        return Rows(
            file=self.file, frame=pl.DataFrame(series), lines=lines, numbers=numbers, problems=tuple(self.problems)
        )
