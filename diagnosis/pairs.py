"""Healthy batches matched with what they were made from: what a mechanism is learnt from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diagnosis.state import Batch


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Healthy batches of a node, and their parents' readings side by side.

    parents: float64 of shape ``(len(batches), len(names))``. names: parent node, column and statistic of each reading.
    """

    batches: tuple[Batch, ...]
    parents: NDArray[np.float64]
    names: tuple[tuple[str, str, str], ...]
