"""Tables read in pieces of bounded size, every row with its line: CSV, JSON lines and Parquet, compressed or not."""

import bz2
import csv
import gzip
import json
import lzma
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import TextIOWrapper
from itertools import count, islice
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.ingest.problem import BadInput, Problem, shown

STDIN = "-"
LARGEST_FIELD = 1 << 20
_OPEN: dict[str, Callable[[Path], IO[bytes]]] = {
    ".xz": lzma.LZMAFile,
    ".lzma": lzma.LZMAFile,
    ".gz": lambda path: cast(IO[bytes], gzip.GzipFile(path)),
    ".bz2": bz2.BZ2File,
}


class Format(StrEnum):
    """How a table is written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_FLATTEN = "flatten it, or leave it out with --ignore {}"
_BY_SUFFIX = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSONL,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A piece of a table: CSV values are texts; ``lines`` has shape ``(rows,)``; ``problems`` lists unreadable rows.

    ``first`` is the number of the piece's first row in its file, counting from 1.
    """

    file: str
    frame: pl.DataFrame
    lines: NDArray[np.int64]
    first: int = 1
    problems: tuple[Problem, ...] = ()


def format_of(name: str) -> Format:
    """The format a file's name promises.

    Raises:
        BadInput: it promises none.
    """
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    if suffixes and suffixes[-1] in _OPEN:
        suffixes.pop()
    if suffixes and suffixes[-1] in _BY_SUFFIX:
        return _BY_SUFFIX[suffixes[-1]]
    what = "standard input" if name == STDIN else name
    raise BadInput(f"{what} does not say what it is: pass --format csv, jsonl or parquet")


def stem_of(name: str) -> str:
    """A file's name without folder, format and compression, for ids that people read.

    >>> stem_of("data/loans.csv.xz")
    'loans'
    """
    if name == STDIN:
        return "stdin"
    path = Path(name)
    while path.suffix.lower() in _OPEN or path.suffix.lower() in _BY_SUFFIX:
        path = path.with_suffix("")
    return path.name


def read(name: str, chosen: Format | None, size: int, ignored: Collection[str] = ()) -> Iterator[Rows]:
    """A table in pieces of ``size`` rows; ``-`` is standard input. One piece is in memory at a time.

    Nested values are refused, except in ``ignored`` columns, where they are read as missing.

    Raises:
        BadInput: the file is missing, damaged, not in the format, or has an unusable header.
    """
    style = chosen or format_of(name)
    shown_name = "stdin" if name == STDIN else Path(name).name
    try:
        if style is Format.PARQUET:
            yield from _parquet(name, shown_name, size, ignored)
            return
        with _opened(name) as text:
            if style is Format.CSV:
                yield from _csv(text, shown_name, size)
            else:
                yield from _jsonl(text, shown_name, size, ignored)
    except UnicodeDecodeError as error:
        raise BadInput(f"{shown_name} is not UTF-8 ({error.reason}): convert it, for example with iconv") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise BadInput(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from error
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"cannot read {name} as {style}: {str(error).splitlines()[0]}") from error


def _opened(name: str) -> IO[str]:
    if name == STDIN:
        return TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
    path = Path(name)
    unpack = _OPEN.get(path.suffix.lower())
    binary = path.open("rb") if unpack is None else unpack(path)
    return TextIOWrapper(binary, encoding="utf-8-sig", newline="")


def _csv(text: IO[str], file: str, size: int) -> Iterator[Rows]:
    csv.field_size_limit(LARGEST_FIELD)
    first = text.readline()
    if not first.strip():
        raise BadInput(f"{file} is empty: its first line must name the columns")
    delimiter = max(",;\t|", key=first.count)
    names = _header(next(csv.reader([first], delimiter=delimiter)), file)
    reader = csv.reader(text, delimiter=delimiter)
    for row in count(1, size):
        records, lines, problems, more = _records(reader, len(names), file, size)
        if records or problems:
            columns = zip(*records, strict=True) if records else ([] for _ in names)
            frame = pl.DataFrame(
                [pl.Series(name, values, dtype=pl.String) for name, values in zip(names, columns, strict=True)]
            )
            yield Rows(file, frame, np.asarray(lines, dtype=np.int64), row, tuple(problems))
        if not more:
            return


def _records(reader: Any, width: int, file: str, size: int) -> tuple[list[list[str]], list[int], list[Problem], bool]:
    """Up to ``size`` records with the line each starts at; blank lines are no records."""
    records: list[list[str]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    while len(records) + len(problems) < size:
        line = reader.line_num + 2
        try:
            record = next(reader)
        except StopIteration:
            return records, lines, problems, False
        except csv.Error as error:
            problems.append(Problem(file=file, line=line, reason=f"not readable as CSV: {error}"))
            continue
        if len(record) == width:
            records.append(record)
            lines.append(line)
        elif record:
            reason = f"has {len(record)} values where the header names {width} columns"
            problems.append(Problem(file=file, line=line, reason=reason))
    return records, lines, problems, True


def _header(names: list[str], file: str) -> list[str]:
    trimmed = [name.strip() or f"column_{position}" for position, name in enumerate(names, start=1)]
    twice = sorted({name for name in trimmed if trimmed.count(name) > 1})
    if twice:
        raise BadInput(f"{file} has more than one column named {shown(twice[0])}: rename one")
    return trimmed


def _jsonl(text: IO[str], file: str, size: int, ignored: Collection[str]) -> Iterator[Rows]:
    numbered = enumerate(text, start=1)
    for row in count(1, size):
        piece = list(islice(numbered, size))
        if not piece:
            return
        records: list[dict[str, Any]] = []
        lines: list[int] = []
        problems: list[Problem] = []
        for line, written in piece:
            if not written.strip():
                continue
            record = _object(written, ignored)
            if isinstance(record, str):
                problems.append(Problem(file=file, line=line, reason=record))
            else:
                records.append(record)
                lines.append(line)
        names = list(dict.fromkeys(name for record in records for name in record))
        frame = pl.DataFrame([_series(name, [record.get(name) for record in records]) for name in names])
        if records or problems:
            yield Rows(file, frame, np.asarray(lines, dtype=np.int64), row, tuple(problems))


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
    return f"{unwanted[0]} holds a nested value: {_FLATTEN.format(unwanted[0])}" if unwanted else record


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


def _parquet(name: str, file: str, size: int, ignored: Collection[str]) -> Iterator[Rows]:
    if name == STDIN:
        raise BadInput("Parquet cannot be read from standard input: save it to a file first")
    if Path(name).suffix.lower() in _OPEN:
        raise BadInput(f"{file}: Parquet compresses by itself; unpack it first")
    lazy = pl.scan_parquet(name)
    total = int(lazy.select(pl.len()).collect().item())
    for start in range(0, total, size):
        frame = lazy.slice(start, size).collect()
        nested = [column for column in frame.columns if frame[column].dtype.is_nested()]
        unwanted = [column for column in nested if column not in ignored]
        if unwanted:
            raise BadInput(f"{file}: {unwanted[0]} holds nested values: {_FLATTEN.format(unwanted[0])}")
        lines = np.arange(start + 1, start + 1 + len(frame), dtype=np.int64)
        yield Rows(file, frame.with_columns(pl.lit(None).alias(column) for column in nested), lines, start + 1)
