"""A piece of a table, every row with its place in the file."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.ingest.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Some rows of a file; ``problems`` lists those that could not be read and are not among them.

    ``lines`` and ``numbers`` have shape ``(rows,)``: the file's line a row starts at, and which row it is, from 1.
    ``sparse``: a column that is not there is one of which these rows hold no value.
    """

    file: str
    frame: pl.DataFrame
    lines: NDArray[np.int64]
    numbers: NDArray[np.int64]
    problems: tuple[Problem, ...] = ()
    sparse: bool = False


def places(pairs: Iterable[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lines and numbers of rows, from pairs of them."""
    lines, numbers = np.asarray(list(pairs), dtype=np.int64).reshape(-1, 2).T
    return lines, numbers
