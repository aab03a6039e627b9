"""One batch beside its past: what was seen of every statistic, and what was expected of it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors import evidence
from detectors.baseline import Judged, compression, dispersion_at, judge_values, level_slack, rate_of
from detectors.column import against
from detectors.days import DAY
from detectors.finding import Micros
from detectors.measured import Measured, measure
from detectors.reference import Floats
from detectors.season import Outlook, level_at, leverage_at, outlook_at
from detectors.shape import beyond, explained, misfit, outside
from detectors.state import BatchSummary, DatasetState, Policy
from detectors.summary import ColumnSummary
from detectors.surprise import volatility
from detectors.table import OUTSIDE

SUSPICION = 2.0  # nats from which on a statistic may have changed
ALONE = 2.0  # times as many batches are pooled on average as of one that is told to be judged alone
RARE = 30.0  # expected rows (of the kind, or of all others) below which a rate is judged by its counts
KNOWN = 5.0  # batches learnt before evidence is gathered


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """One batch's statistics beside their baselines: arrays of shape ``(m,)``, meaningless where not ``live``.

    columns: the summaries behind them. value: as measured, less what the location explains. deviation: as judged, wider
    while volatility is high; z is in units of it. tolerance: the shift nobody cares about, likewise. rare: rates
    that are judged by their counts. shaped: the rows of the locations of ``k`` numeric columns, positions: where these
    stand among all columns, location: their deviations from the level, apart: from the long-run mean.
    """

    columns: dict[str, ColumnSummary]
    measured: Measured
    judged: Judged
    live: NDArray[np.bool_]
    value: Floats
    z: Floats
    deviation: Floats
    tolerance: Floats
    rare: NDArray[np.bool_]
    shaped: NDArray[np.int64]
    positions: NDArray[np.int64]
    location: Floats
    apart: Floats

    @property
    def shapes(self) -> NDArray[np.int64]:
        """The rows of scale, skew and tail of these columns, ``(k, 3)``."""
        return shapes_at(self.shaped)


def compared(state: DatasetState, batch: BatchSummary, batches: int, gap_s: float | None, policy: Policy) -> Compared:
    """The batch's statistics, each beside what its past, the season and (for shapes) the location lead to expect.

    How many different values there are depends on the rows: of one batch alone, where many are pooled, it says nothing.
    """
    columns = _counted(state, batch)
    held = {name: state.columns[name] for name in columns}
    references = {name: column.reference for name, column in held.items()}
    offsets = {name: column.offset for name, column in held.items()}
    usual = {
        name: (state.portrait.share[column.position], float(state.portrait.weight[column.position]))
        for name, column in held.items()
        if column.reference.kind == "category"
    }
    measured = measure(len(state.table), columns, references, offsets, usual, batch.rows, batches, gap_s)
    suspicious = suspected(state)
    outlook = outlook_at(state.season, batch.at)
    leverage = leverage_at(state.season.fit, outlook)
    level = _level(state, suspicious, measured.sampling, leverage, batch.at, outlook)
    numeric = [one for one in held.values() if one.reference.kind == "number" and not one.reference.shapeless]
    shaped = np.array([column.offset + 1 for column in numeric], np.int64)
    positions = np.array([column.position for column in numeric], np.int64)
    location = np.where(measured.live[shaped], measured.value[shaped] - level[shaped], 0.0)
    due, uncertain = explained(state.shape, positions, location)
    value = measured.value.copy()
    shapes = shapes_at(shaped)
    value[shapes] -= due
    mean = state.live.mean[shaped]
    seen = np.where(measured.live[shaped], measured.value[shaped], mean)
    strange = misfit(beyond(state.shape, positions, seen)) / measured.sampling[shapes]
    leverage[shapes] += uncertain[:, None] + strange
    leverage += _chance_of_values(state, measured)
    leverage[shaped + OUTSIDE] += outside(seen - mean) ** 2 / measured.sampling[shaped + OUTSIDE]
    before = (state.safe, suspicious) if suspicious.any() else None
    judged = judge_values(state.live, value, level, measured.sampling, leverage, before, state.table.floor)
    wider = volatility(state.surprises)
    deviation = judged.deviation * wider
    rate = rate_of(state.live)
    return Compared(
        columns=columns,
        measured=measured,
        judged=judged,
        live=measured.live & ~(state.table.counted & (batches < state.pooled / ALONE)),
        value=value,
        z=judged.z / wider,
        deviation=deviation,
        tolerance=policy.tolerance * state.table.unit / deviation * compression(judged),
        rare=state.table.rate & (measured.rows * np.minimum(rate, 1 - rate) < RARE),
        shaped=shaped,
        positions=positions,
        location=location,
        apart=seen - mean,
    )


def shapes_at(shaped: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of scale, skew and tail, which stand after those of location, ``(k, 3)``."""
    return shaped[:, None] + np.arange(1, 4)


def _chance_of_values(state: DatasetState, measured: Measured) -> Floats:
    """What it adds to the variance of counts of different values that a rare one is met or not, in units of their own.

    After ``n`` batches of equally many, one with one more or one less is expected once in ``n + 1``.
    """
    live = state.live
    most = np.maximum(measured.held, live.held / np.maximum(live.rows, 1) * measured.rows)
    own = measured.sampling * dispersion_at(live, measured.sampling)
    return np.where(state.table.counted, 1 / ((live.count + 1) * np.maximum(most, 1) ** 2 * own), 0.0)


def _level(
    state: DatasetState,
    suspicious: NDArray[np.bool_],
    sampling: Floats,
    leverage: Floats,
    at: Micros,
    outlook: Outlook | None,
) -> Floats:
    """The level expected now; under suspicion it stays where it was before, within what was uncertain of it.

    A season of which not every hour was seen twice goes on learning: it would be wrong of hours it has never seen. An
    alarm that lasts stops it, and then the mean is expected.
    """
    level = level_at(state.season.fit, state.live, outlook)
    if state.season.began is not None and at - state.season.began < 2 * DAY:
        suspicious = suspicious & ~state.season.fit.on
        level = np.where(alarming(state), state.live.mean, level)
    if not suspicious.any():
        return level
    fit = replace(state.season.fit, weights=state.safe_weights)
    trusted = level_at(fit, state.safe, outlook)
    slack = level_slack(state.safe, sampling, leverage, state.table.floor)
    return np.where(suspicious, level.clip(trusted - slack, trusted + slack), level)


def alarming(state: DatasetState) -> NDArray[np.bool_]:
    """Which statistics have an alarm that lasts."""
    active = np.zeros(len(state.table), np.bool_)
    active[[a.row for a in state.active if a.row >= 0]] = True
    return active


def suspected(state: DatasetState) -> NDArray[np.bool_]:
    """Which statistics may have changed already: they are judged by what was known before."""
    return (evidence.height(state.bank) >= SUSPICION) & (state.safe.count >= KNOWN)


def _counted(state: DatasetState, batch: BatchSummary) -> dict[str, ColumnSummary]:
    """The batch's watched columns, counted against their references; a column of another kind is left out."""
    counted = {}
    for name, summary in batch.columns.items():
        column = state.columns.get(name)
        if column is not None:
            fitting = against(summary, column.reference)
            if fitting.reference == column.reference.identity:
                counted[name] = fitting
    return counted
