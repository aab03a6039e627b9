"""Datasets of a row or a few in a batch, as metrics are: each batch is a point of a series, and its mean counts.

Of so few rows the shape says nothing, and gathering them would hide for an hour what each batch shows by itself.
"""

from math import inf

from detectors.measured import ENOUGH
from detectors.state import DatasetState, Policy

GATHERED = 100  # rows of which a law can be seen: a reference is made of them, and batches are gathered for them
POINTS = 8  # rows of a column whose mean is watched from then on


def pointwise(state: DatasetState, usual_gap_s: float, policy: Policy) -> bool:
    """Whether batches are so small, and so few in a time bucket, that each is judged alone, and by its means."""
    rows = state.rows / max(1, state.batches)
    batches = policy.pool_s / usual_gap_s if policy.pool_s else inf
    return rows < ENOUGH and rows * max(1.0, batches) < GATHERED
