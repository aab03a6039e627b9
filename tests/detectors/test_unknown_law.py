"""Shapes whose law nobody knows: one strange batch proves nothing, however seldom there were strange ones."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.batch import BatchInput, NumberColumn
from detectors.dataset import DatasetState, Policy, fold, start, summarise
from detectors.surprise import NORMAL_LOG

MINUTE = 60_000_000
KNOWN = 60  # batches
POLICY = Policy(false_alarms_per_month=0.01)


def batch(n: int, rows: np.ndarray) -> BatchInput:
    at = n * MINUTE
    columns = {"amount": NumberColumn(values=rows)}
    return BatchInput(subject="s/o", batch_id=str(n), at=at, arrived_at=at, rows=len(rows), columns=columns)


def watched(rng: np.random.Generator, dispersion: float) -> DatasetState:
    """A column of which months were seen, none of them strange; dispersion: of its batches beyond that of rows."""
    state = start("s/o")
    for n in range(KNOWN):
        state, _ = fold(state, summarise(state, batch(n, rng.normal(size=1000))), POLICY)
    peaks, many = np.full(len(state.table), 250.0), np.full(len(state.table), 8_000.0)
    return replace(
        state,
        live=replace(state.live, dispersion=state.live.dispersion * dispersion),
        surprises=replace(state.surprises, peaks=peaks, logs=peaks * NORMAL_LOG, batches=many),
    )


@pytest.mark.parametrize(("dispersion", "batches"), [(1.0, 1), (8.0, 2)])
def test_a_shape_alarms_at_once_where_its_law_is_known_and_needs_two_batches_where_it_is_not(
    dispersion: float, batches: int
) -> None:
    rng = np.random.default_rng(2)
    state = watched(rng, dispersion)
    for n in range(KNOWN, KNOWN + 3):
        rows = np.sign(rng.normal(size=1000)) + 0.1 * rng.normal(size=1000)  # as far as ever, and never in between
        state, judgement = fold(state, summarise(state, batch(n, rows)), POLICY)
        assert judgement is not None
        found = {one.statistic for one in judgement.findings}
        assert ("tail" in found) == (n + 1 >= KNOWN + batches), (n - KNOWN, found)
