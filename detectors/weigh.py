"""The weighing of one batch: every statistic against its baseline, evidence, alarms, and then learning."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors import evidence, opinion
from detectors.alarms import Weighed, close_recovered, open_alarms
from detectors.baseline import (
    choose,
    compression,
    dispersion_at,
    judge_values,
    learn,
    level_slack,
    narrowed,
    rate_of,
    winsorised,
)
from detectors.column import against
from detectors.days import DAY
from detectors.finding import Micros, Readings
from detectors.holding import hold
from detectors.measured import Measured, measure
from detectors.points import pointwise
from detectors.portrait import learn_portrait
from detectors.readings import readings
from detectors.reference import Floats
from detectors.rising import follow_trends, lawless
from detectors.season import Outlook, learn_season, level_at, leverage_at, outlook_at, start_season
from detectors.shape import beyond, explained, learn_range, learn_shape, misfit, outside
from detectors.state import BatchSummary, DatasetState, Policy, as_kept
from detectors.steps import crossed, run_length_of, steps_of, unexplained_share
from detectors.summary import ColumnSummary
from detectors.surprise import learn_surprises, volatility
from detectors.table import OUTSIDE
from detectors.watch import take_up

SUSPICION = 2.0  # nats from which on a statistic is judged by what was known before
QUIET = 1.0  # nats below which a batch is above suspicion
ALONE = 2.0  # times as many batches are pooled on average as of one that is told to be judged alone
RARE = 30.0  # expected rows (of the kind, or of all others) below which a rate is judged by its counts
KNOWN = 5.0  # batches learnt before evidence is gathered
SHAPES = np.arange(1, 4)  # scale, skew and tail stand after location


def weigh(
    state: DatasetState, batch: BatchSummary, gap_s: float | None, usual_gap_s: float, policy: Policy, batches: int
) -> tuple[DatasetState, Readings]:
    """Judge ``batch``, a pool of ``batches``, by the baseline, open and close findings, and learn what is healthy."""
    state = follow_trends(take_up(state, batch, pointwise(state, usual_gap_s, policy)), batch)
    rising = lawless(state)
    if rising.any():  # what only rises has no law that it could be evidence against
        state = replace(state, bank=evidence.forget(state.bank, rising))
    weighed = compared(state, batch, batches, gap_s, policy)
    pinned = state.pinned_until is not None and batch.at <= state.pinned_until
    active = _active(state)
    alarmed = recovered = np.zeros_like(active)
    if not pinned:
        gathering = weighed.live & ~rising & (state.live.count >= KNOWN)
        run_length = run_length_of(state, usual_gap_s, policy)
        unknown = unexplained_share(state)
        steps = steps_of(state, weighed, policy, run_length, unknown)
        state = replace(
            state,
            bank=evidence.accumulate(state.bank, steps, gathering),
            second=opinion.heard(
                state.second, policy.second_detector, weighed.z, weighed.tolerance, gathering, policy.clip
            ),
        )
        warm_up = np.where(state.table.drawn, policy.warm_up(state.pooled), policy.warm_up_batches)
        ready = gathering & (state.live.count >= warm_up)
        alarmed = ready & ~active & crossed(state, weighed, run_length, unknown)
        state, recovered = close_recovered(state, weighed)
        state = open_alarms(state, batch, weighed, alarmed)
        young = weighed.live & (state.live.count < warm_up) & (state.live.count + 1 >= warm_up)
        if young.any():  # evidence against so young a baseline is none: start afresh
            state = replace(state, bank=evidence.forget(state.bank, young))
        if state.second is not None:
            state = replace(state, second=opinion.restarted(state.second, young | alarmed | recovered))
    state = hold(state, batch)
    table = readings(state, weighed, weighed.live & ~rising)
    healthy = weighed.live & ~alarmed & (~active | recovered)
    return as_kept(_learn(state, weighed, healthy, alarmed, batch, usual_gap_s)), table


def compared(state: DatasetState, batch: BatchSummary, batches: int, gap_s: float | None, policy: Policy) -> Weighed:
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
    suspicious = _suspicious(state)
    outlook = outlook_at(state.season, batch.at)
    leverage = leverage_at(state.season.fit, outlook)
    level = _level(state, suspicious, measured.sampling, leverage, batch.at, outlook)
    numeric = [one for one in held.values() if one.reference.kind == "number" and not one.reference.shapeless]
    shaped = np.array([column.offset + 1 for column in numeric], np.int64)
    positions = np.array([column.position for column in numeric], np.int64)
    location = np.where(measured.live[shaped], measured.value[shaped] - level[shaped], 0.0)
    due, uncertain = explained(state.shape, positions, location)
    value = measured.value.copy()
    shapes = shaped[:, None] + SHAPES
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
    return Weighed(
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
        level = np.where(_active(state), state.live.mean, level)
    if not suspicious.any():
        return level
    fit = replace(state.season.fit, weights=state.safe_weights)
    trusted = level_at(fit, state.safe, outlook)
    slack = level_slack(state.safe, sampling, leverage, state.table.floor)
    return np.where(suspicious, level.clip(trusted - slack, trusted + slack), level)


def _active(state: DatasetState) -> NDArray[np.bool_]:
    """Which statistics have an alarm that lasts."""
    active = np.zeros(len(state.table), np.bool_)
    active[[a.row for a in state.active if a.row >= 0]] = True
    return active


def _suspicious(state: DatasetState) -> NDArray[np.bool_]:
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


def _learn(
    state: DatasetState,
    weighed: Weighed,
    healthy: NDArray[np.bool_],
    alarmed: NDArray[np.bool_],
    batch: BatchSummary,
    usual_gap_s: float,
) -> DatasetState:
    """Learn healthy statistics; an alarm takes back what was learnt since suspicion began."""
    measured, judged = weighed.measured, weighed.judged
    learnt = learn(state.live, weighed.value, judged, measured.sampling, measured.held, measured.rows)
    live = choose(healthy, learnt, state.live)
    season, turned = learn_season(
        state.season,
        state.live,
        weighed.value,
        judged,
        measured.sampling,
        weighed.live,
        healthy,
        alarmed,
        batch.at,
        usual_gap_s,
    )
    bank = state.bank
    if turned.any():  # evidence against a level without its season is none
        live = start_season(live, season, turned, weighed.value, batch.at)
        bank = evidence.forget(bank, turned)
    shapes = weighed.shaped[:, None] + SHAPES
    calm = (healthy[shapes]).all(axis=1) & healthy[weighed.shaped]
    shape = learn_range(state.shape, weighed.positions[calm], measured.value[weighed.shaped[calm]], usual_gap_s)
    shape = learn_shape(
        shape,
        weighed.positions[calm],
        weighed.location[calm],
        winsorised(state.live, judged)[shapes][calm],
    )
    quiet = healthy & (evidence.height(bank) < QUIET)
    weights = np.where(alarmed[:, None], state.safe_weights, season.fit.weights)
    return replace(
        state,
        steps=state.steps + 1,
        live=choose(alarmed, state.safe, live),
        safe=choose(quiet, narrowed(live), state.safe),
        season=replace(season, fit=replace(season.fit, weights=weights)),
        safe_weights=np.where(quiet[:, None], season.fit.weights, state.safe_weights),
        shape=shape,
        bank=bank,
        portrait=learn_portrait(state, weighed, healthy),
        surprises=choose(
            healthy & (state.live.count >= KNOWN),
            learn_surprises(state.surprises, judged.z, ~_suspicious(state)),
            state.surprises,
        ),
    )
