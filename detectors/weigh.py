"""The weighing of one batch: every statistic against its baseline, evidence, alarms, and then learning."""

from dataclasses import fields, replace

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
    stored,
    unexplained,
    winsorised,
)
from detectors.column import against
from detectors.finding import Readings
from detectors.holding import hold
from detectors.measured import Measured, measure
from detectors.points import pointwise
from detectors.portrait import learn_portrait
from detectors.readings import readings
from detectors.reference import Floats
from detectors.rising import follow_trends, lawless
from detectors.season import DAY, learn_season, level_at, leverage_at, start_season, terms
from detectors.shape import beyond, explained, learn_range, learn_shape, misfit, outside
from detectors.state import BatchSummary, DatasetState, Policy
from detectors.summary import ColumnSummary
from detectors.surprise import Surprises, believed_nats, learn_surprises, single_limit, volatility
from detectors.watch import take_up

SUSPICION = 2.0  # nats from which on a statistic is judged by what was known before
QUIET = 1.0  # nats below which a batch is above suspicion
MONTH_S = 30 * 86400.0
RARE = 30.0  # expected rows (of the kind, or of all others) below which a rate is judged by its counts
HELD = 30.0  # rows of the kind from which on counts tell whether they come alone or in bursts
KNOWN = 5.0  # batches learnt before evidence is gathered
FAR = 3.0  # nats above the threshold that a shift of absurd size must prove
SHAPES = np.arange(1, 4)  # scale, skew and tail stand after location
OUTSIDE = 5  # so far after it stands the rate out of range
MOST = 0.7  # of the threshold that one batch may add to a CUSUM, unless its tail is known to be thin


def weigh(
    state: DatasetState, batch: BatchSummary, gap_s: float | None, usual_gap_s: float, policy: Policy, batches: int
) -> tuple[DatasetState, Readings]:
    """Judge ``batch``, a pool of ``batches``, by the baseline, open and close findings, and learn what is healthy."""
    state = follow_trends(take_up(state, batch, pointwise(state, usual_gap_s, policy)), batch)
    rising = lawless(state)
    if rising.any():  # what only rises has no law that it could be evidence against
        state = replace(state, bank=evidence.forget(state.bank, rising))
    weighed = _weighed(state, batch, batches, gap_s, policy)
    before = state.steps
    pinned = state.pinned_until is not None and batch.at <= state.pinned_until
    active = _active(state)
    alarmed = recovered = np.zeros_like(active)
    if not pinned:
        gathering = weighed.live & ~rising & (state.live.count >= KNOWN)
        run_length = _run_length(state, usual_gap_s, policy)
        steps = _steps(state, weighed, policy, MOST * np.log(run_length))
        bank = evidence.accumulate(state.bank, steps, gathering)
        second = opinion.heard(
            state.second, policy.second_detector, weighed.z, weighed.tolerance, gathering, policy.clip
        )
        warm_up = np.where(state.table.drawn, policy.warm_up(state.pooled), policy.warm_up_batches)
        ready = gathering & (state.live.count >= warm_up)
        alarmed = ready & ~active & _crossed(replace(state, bank=bank, second=second), weighed, run_length)
        state, recovered = close_recovered(replace(state, bank=bank, second=second), weighed)
        state = open_alarms(state, batch, weighed, alarmed)
        young = weighed.live & (state.live.count < warm_up) & (state.live.count + 1 >= warm_up)
        if young.any():  # evidence against so young a baseline is none: start afresh
            state = replace(state, bank=evidence.forget(state.bank, young))
        state = replace(state, second=opinion.restarted(state.second, young | alarmed | recovered))
    state = hold(state, batch)
    table = readings(state, replace(weighed, live=weighed.live & ~rising))
    healthy = weighed.live & ~alarmed & (~active | recovered)
    state = _learn(state, weighed, healthy, alarmed, batch, usual_gap_s)
    return replace(_stored(learn_portrait(state, weighed, healthy)), steps=before + 1), table


def _crossed(state: DatasetState, weighed: Weighed, run_length: float) -> NDArray[np.bool_]:
    """Which statistics have changed: by accumulated evidence, or by a single batch of absurd size."""
    bank = state.bank
    limit = evidence.thresholds(bank, run_length)
    nats = np.maximum(np.abs(weighed.z) - weighed.tolerance, 0) ** 2 / 2
    far = np.abs(weighed.value - weighed.judged.level) > state.table.far
    absurd = far & (nats > np.maximum(limit + FAR, single_limit(state.surprises, run_length, _unexplained(state))))
    found: NDArray[np.bool_] = (evidence.height(bank) > limit) | absurd
    if state.second is not None:
        found |= opinion.alarmed(state.second, limit, weighed.tolerance, run_length) & ~weighed.rare
    return found


def _weighed(state: DatasetState, batch: BatchSummary, batches: int, gap_s: float | None, policy: Policy) -> Weighed:
    """The batch's statistics, each beside what its past, the season and (for shapes) the location lead to expect."""
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
    level = _level(state, suspicious, measured.sampling, batch)
    numeric = [one for one in held.values() if one.reference.kind == "number" and not one.reference.shapeless]
    shaped = np.array([column.offset + 1 for column in numeric], np.int64)
    positions = np.array([column.position for column in numeric], np.int64)
    location = np.where(measured.live[shaped], measured.value[shaped] - level[shaped], 0.0)
    due, uncertain = explained(state.shape, positions, location)
    value = measured.value.copy()
    leverage = leverage_at(state.season, terms(batch.at))
    value[shaped[:, None] + SHAPES] -= due
    mean = state.live.mean[shaped]
    seen = np.where(measured.live[shaped], measured.value[shaped], mean)
    strange = misfit(beyond(state.shape, positions, seen)) / measured.sampling[shaped, None]
    leverage[shaped[:, None] + SHAPES] += uncertain[:, None] + strange
    leverage += _chance_of_values(state, measured)
    leverage[shaped + OUTSIDE] += outside(seen - mean) ** 2 / measured.sampling[shaped + OUTSIDE]
    before = (state.safe, suspicious) if suspicious.any() else None
    judged = judge_values(state.live, value, level, measured.sampling, leverage, before)
    wider = volatility(state.surprises)
    deviation = judged.deviation * wider
    rate = rate_of(state.live)
    return Weighed(
        columns=columns,
        measured=measured,
        judged=judged,
        live=measured.live,
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


def _level(state: DatasetState, suspicious: NDArray[np.bool_], sampling: Floats, batch: BatchSummary) -> Floats:
    """The level expected now; under suspicion it stays where it was before, within what was uncertain of it.

    A season of which not every hour was seen twice goes on learning: it would be wrong of hours it has never seen. An
    alarm that lasts stops it, and then the mean is expected.
    """
    now = terms(batch.at)
    level = level_at(state.season, state.live, now)
    if state.season.began is not None and batch.at - state.season.began < 2 * DAY:
        suspicious = suspicious & ~state.season.fit.on
        level = np.where(_active(state), state.live.mean, level)
    if not suspicious.any():
        return level
    fit = replace(state.season.fit, weights=state.safe_weights)
    trusted = level_at(replace(state.season, fit=fit), state.safe, now)
    slack = level_slack(state.safe, sampling, leverage_at(state.season, now))
    return np.where(suspicious, np.clip(level, trusted - slack, trusted + slack), level)


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


def _unexplained(state: DatasetState) -> Floats:
    """Share of each statistic's variance that may be of any law: all, where sampling variance is a convention."""
    live = state.live
    scarce = np.where(state.table.rate, HELD / (HELD + np.minimum(live.held, live.rows - live.held)), 0.0)
    return np.where(state.table.drawn, np.maximum(unexplained(live), scarce), 1.0)


def _steps(state: DatasetState, weighed: Weighed, policy: Policy, most: float) -> Floats:
    """What this batch adds to each CUSUM: by the normal law, or by counts where a rate is rare.

    No batch adds more than ``most`` nats, and no deviation counts beyond ``policy.clip``, but for what the tail of the
    statistic allows. A rare rate is no normal variable: of it only counts are believed.
    """
    nats = np.maximum(np.abs(weighed.z) - weighed.tolerance, 0) ** 2 / 2
    rare = np.flatnonzero(weighed.rare & weighed.live)
    counted = _rare_steps(state, weighed, policy, rare)
    nats[rare] = counted.max(axis=(1, 2), initial=0.0)
    believed = believed_nats(state.surprises, nats, _unexplained(state))
    steps = evidence.normal_steps(weighed.z, weighed.tolerance, np.maximum(policy.clip, np.sqrt(2 * believed)))
    steps[rare] = counted
    return np.minimum(steps, np.maximum(most, believed)[:, None, None])


def _rare_steps(state: DatasetState, weighed: Weighed, policy: Policy, rare: NDArray[np.int64]) -> Floats:
    """Evidence of counts; the root of the expected rate is uncertain by a standard error in either direction.

    Neighbours and season move it by as much as they move the level: the level itself is no rate, for the arcsine of no
    rows is more than none. Counts vary as binomial ones do at least.
    """
    measured, live = weighed.measured, state.live
    carried = np.zeros(len(weighed.live))
    carried[weighed.shaped + OUTSIDE] = outside(weighed.apart)
    root = np.arcsin(np.sqrt(rate_of(live)[rare]))
    moved = root + weighed.judged.predicted[rare] - live.mean[rare]
    slack = policy.tolerance / 2 + carried[rare] + 0.5 / np.sqrt(live.rows[rare] + 1)
    sampling = measured.sampling[rare]
    dispersion = np.maximum(weighed.deviation[rare] ** 2 / sampling, 1.0)
    return evidence.rare_steps(
        measured.held[rare],
        measured.rows[rare],
        (np.maximum(root, moved) + slack, np.minimum(root, moved) - slack),
        np.sqrt(sampling * dispersion),
        dispersion,
    )


def _run_length(state: DatasetState, usual_gap_s: float, policy: Policy) -> float:
    """Steps between false alarms of one statistic, so that all statistics together keep the requested rate."""
    steps_a_month = max(MONTH_S / (usual_gap_s * state.pooled), 1.0)
    watched = max(policy.monitored, len(state.table))
    share = opinion.share(policy.second_detector)
    return max(share * steps_a_month * watched / policy.false_alarms_per_month, np.e)


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
        live=choose(alarmed, state.safe, live) if alarmed.any() else live,
        safe=choose(quiet, narrowed(live), state.safe),
        season=replace(season, fit=replace(season.fit, weights=weights)),
        safe_weights=np.where(quiet[:, None], season.fit.weights, state.safe_weights),
        shape=shape,
        bank=bank,
        surprises=choose(
            healthy & (state.live.count >= KNOWN),
            learn_surprises(state.surprises, judged.z, ~_suspicious(state)),
            state.surprises,
        ),
    )


def _stored(state: DatasetState) -> DatasetState:
    """The state as it is kept: what is an average or a spread needs no more than float32."""
    surprises, bank = state.surprises, state.bank
    small = {name: getattr(bank, name).astype(np.float32) for name in ("level", "steps", "peaks", "excess", "top")}
    fit = state.season.fit
    names = ("error", "daily_error", "level_error", "every_error", "judged_error")
    errors = {name: getattr(fit, name).astype(np.float32) for name in names}
    return replace(
        state,
        live=stored(state.live),
        season=replace(state.season, fit=replace(fit, **errors)),
        surprises=Surprises(*(getattr(surprises, field.name).astype(np.float32) for field in fields(surprises))),
        bank=replace(bank, **small),
    )
