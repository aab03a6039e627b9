"""Every statistic of one batch side by side, in public units."""

import numpy as np
from numpy.typing import NDArray

from detectors.comparing import Compared
from detectors.evidence import height
from detectors.judgement import Readings
from detectors.reference import Floats
from detectors.state import DatasetState
from detectors.table import CATEGORY, rated


def readings(state: DatasetState, weighed: Compared, live: NDArray[np.bool_]) -> Readings:
    """One reading per column and statistic; of the rates of a column's categories the one that
    deviates most.

    Rates are given as rates; location, scale, skew and tail in standard deviations of a row, as polynomials of the
    mid-PIT; a ``mean`` likewise, from that of the reference; ``rows`` and ``gap`` as logarithms. live: which statistics
    are told, bool ``(m,)``.
    """
    rate = state.table.rate
    root = weighed.judged.predicted.clip(0, np.pi / 2)
    observed = np.where(rate, weighed.measured.held / np.maximum(weighed.measured.rows, 1), weighed.value)
    expected = np.where(rate, np.sin(root) ** 2, weighed.judged.predicted)
    scale = np.where(rate, weighed.deviation * np.maximum(np.sin(2 * root), 1e-3), weighed.deviation)
    z = np.where(live & (state.live.count >= 2), weighed.z, np.nan)
    rows = _one_a_statistic(state, z, live)
    columns, statistics = state.table.at(rows)
    return Readings(
        column=columns,
        statistic=statistics,
        observed=observed[rows],
        expected=np.where(state.live.count > 0, expected, np.nan)[rows],
        scale=scale[rows],
        z=z[rows],
        evidence=height(state.bank)[rows],
    )


def _one_a_statistic(state: DatasetState, z: Floats, live: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Live rows of the table, but of each column's categories only the row that deviates most."""
    chosen = live.copy()
    size = np.where(np.isnan(z), -1.0, np.abs(z))
    for column in state.columns.values():
        if column.reference.kind == "category":
            first, rates = column.offset + len(CATEGORY), rated(column.reference)
            if rates:
                strongest = first + int(size[first : first + rates].argmax())
                chosen[first : first + rates] = False
                chosen[strongest] = live[strongest]
    return np.flatnonzero(chosen)
