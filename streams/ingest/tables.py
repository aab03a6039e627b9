"""Tables read in pieces of bounded size, every row with its line: CSV, JSON lines and Parquet, compressed or not."""

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import IO, cast

import numpy as np
import polars as pl

from streams.ingest.delimited import read_csv
from streams.ingest.jsonlines import read_jsonl
from streams.ingest.problem import FLATTEN, BadInput
from streams.ingest.rows import Rows

STDIN = "-"
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
                yield from read_csv(text, shown_name, size)
            else:
                yield from read_jsonl(text, shown_name, size, ignored)
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
            raise BadInput(f"{file}: {unwanted[0]} holds nested values: {FLATTEN.format(unwanted[0])}")
        lines = np.arange(start + 1, start + 1 + len(frame), dtype=np.int64)
        whole = frame.with_columns(pl.lit(None).alias(column) for column in nested)
        yield Rows(file=file, frame=whole, lines=lines, numbers=lines)
