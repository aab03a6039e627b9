"""Every statistic of one batch side by side, in public units."""

import numpy as np

from detectors.alarms import Weighed
from detectors.evidence import height
from detectors.finding import Readings
from detectors.state import DatasetState


def readings(state: DatasetState, weighed: Weighed) -> Readings:
    """One reading per column and statistic; of a column's categories the one that deviates most.

    Rates are given as rates; location, scale, skew and tail in standard deviations of a row, as polynomials of the
    mid-PIT; ``rows`` and ``gap`` as logarithms.
    """
    rate = state.table.rate
    root = np.clip(weighed.judged.predicted, 0, np.pi / 2)
    observed = np.where(rate, weighed.measured.held / np.maximum(weighed.measured.rows, 1), weighed.value)
    expected = np.where(rate, np.sin(root) ** 2, weighed.judged.predicted)
    scale = np.where(rate, weighed.deviation * np.maximum(np.sin(2 * root), 1e-3), weighed.deviation)
    z = np.where(weighed.live & (state.live.count >= 2), weighed.z, np.nan)
    kept = _one_a_statistic(state, weighed, z)
    return Readings(
        column=tuple(state.table.column[row] for row in kept),
        statistic=tuple(state.table.statistic[row] for row in kept),
        observed=np.where(weighed.live, observed, np.nan)[kept],
        expected=np.where(state.live.count > 0, expected, np.nan)[kept],
        scale=scale[kept],
        z=z[kept],
        evidence=height(state.bank)[kept],
    )


def _one_a_statistic(state: DatasetState, weighed: Weighed, z: np.ndarray) -> list[int]:  # type: ignore[type-arg]
    strongest: dict[tuple[str, str], int] = {}
    for row in np.flatnonzero(weighed.live).tolist():
        key = (state.table.column[row], state.table.statistic[row])
        held = strongest.get(key)
        if held is None or abs(z[row]) > abs(z[held]):
            strongest[key] = row
    return list(strongest.values())
