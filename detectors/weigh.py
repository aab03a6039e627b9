"""The weighing of one batch: every statistic against its baseline, evidence, alarms, and then learning."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors import evidence, opinion
from detectors.alarms import close_recovered, open_alarms
from detectors.baseline import choose, learn, narrowed, winsorised
from detectors.comparing import KNOWN, Compared, alarming, compared, suspected
from detectors.holding import hold
from detectors.judgement import Readings
from detectors.points import pointwise
from detectors.portrait import learn_portrait
from detectors.readings import readings
from detectors.rising import follow_trends, lawless
from detectors.season import learn_season, start_season
from detectors.shape import learn_range, learn_shape
from detectors.state import BatchSummary, DatasetState, Policy, as_kept
from detectors.steps import crossed, run_length_of, steps_of, unexplained_share
from detectors.surprise import learn_surprises
from detectors.watch import take_up

QUIET = 1.0  # nats below which a batch is above suspicion


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
    active = alarming(state)
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


def _learn(
    state: DatasetState,
    weighed: Compared,
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
    shapes = weighed.shapes
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
            learn_surprises(state.surprises, judged.z, ~suspected(state)),
            state.surprises,
        ),
    )
