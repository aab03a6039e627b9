"""The weighing of one batch: every statistic against its baseline, evidence, alarms, and then learning."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors import evidence
from detectors.alarms import Weighed, close_recovered, open_alarms
from detectors.baseline import choose, learn, rate_of, standardise
from detectors.column import against
from detectors.finding import Readings
from detectors.portrait import learn_portrait
from detectors.readings import readings
from detectors.state import BatchSummary, DatasetState, Policy
from detectors.summary import ColumnSummary
from detectors.table import measure
from detectors.watch import take_up

QUIET = 1.0  # nats below which a batch is above suspicion
MONTH_S = 30 * 86400.0
RARE = 10.0  # expected rows below which a rate is judged by its counts
KNOWN = 3.0  # batches learnt before evidence is gathered
FAR = 3.0  # nats above the threshold that a single batch must prove


def weigh(
    state: DatasetState, batch: BatchSummary, gap_s: float | None, usual_gap_s: float, policy: Policy
) -> tuple[DatasetState, Readings]:
    """Judge ``batch`` (or a pool of them) by the baseline, open and close findings, and learn what is healthy."""
    state = take_up(state, batch)
    now = state.steps + 1
    weighed = _standardised(state, batch, gap_s, policy)
    pinned = state.pinned_until is not None and batch.at <= state.pinned_until
    active = np.zeros(len(state.table), np.bool_)
    active[[a.row for a in state.active if a.row >= 0]] = True
    bank = state.bank
    alarmed = np.zeros_like(active)
    if not pinned:
        gathering = weighed.live & (state.live.count >= KNOWN)
        bank = evidence.accumulate(bank, _steps(state, weighed, policy), gathering, now)
        heights = evidence.height(bank)
        limit = evidence.thresholds(bank, _run_length(state, usual_gap_s, policy))
        shift = np.abs(weighed.value - weighed.predicted)
        absurd = (shift > state.table.far) & (weighed.z**2 / 2 > limit + FAR)
        if now > policy.warm_up_batches:
            alarmed = gathering & ~active & ((heights > limit) | absurd)
    state, recovered = close_recovered(state, weighed)
    bank = evidence.forget(bank, recovered, now)
    state = open_alarms(replace(state, bank=bank), batch, weighed, alarmed)
    healthy = weighed.live & ~alarmed & (~active | recovered)
    table = readings(state, weighed)
    state = learn_portrait(_learn(state, weighed, healthy, alarmed), weighed, healthy)
    return replace(state, steps=now), table


def _standardised(state: DatasetState, batch: BatchSummary, gap_s: float | None, policy: Policy) -> Weighed:
    columns = _counted(state, batch)
    measured = measure(
        len(state.table),
        columns,
        {name: state.columns[name].reference for name in columns},
        {name: state.columns[name].offset for name in columns},
        batch.rows,
        gap_s,
    )
    z, predicted, deviation = standardise(state.live, measured.value, measured.sampling)
    return Weighed(
        columns=columns,
        live=measured.live,
        value=measured.value,
        sampling=measured.sampling,
        held=measured.held,
        rows=measured.rows,
        z=z,
        predicted=predicted,
        deviation=deviation,
        tolerance=policy.tolerance * state.table.unit / deviation,
    )


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


def _steps(state: DatasetState, weighed: Weighed, policy: Policy) -> NDArray[np.float64]:
    """What this batch adds to each CUSUM: by the normal law, or by counts where a rate is rare."""
    steps = evidence.normal_steps(weighed.z, weighed.tolerance, policy.clip)
    rate = rate_of(state.live)
    rare = np.flatnonzero(state.table.rate & weighed.live & (weighed.rows * rate < RARE))
    if len(rare):
        tolerated = np.sin(np.minimum(np.arcsin(np.sqrt(rate[rare])) + policy.tolerance / 2, np.pi / 2)) ** 2
        steps[rare] = evidence.rare_steps(weighed.held[rare], weighed.rows[rare], tolerated)
    return steps


def _run_length(state: DatasetState, usual_gap_s: float, policy: Policy) -> float:
    """Steps between false alarms of one statistic, so that all statistics together keep the requested rate."""
    pooled = max(1.0, state.batches / max(1, state.steps))
    steps_a_month = max(MONTH_S / (usual_gap_s * pooled), 1.0)
    watched = max(policy.monitored, len(state.table))
    return max(steps_a_month * watched / policy.false_alarms_per_month, np.e)


def _learn(
    state: DatasetState, weighed: Weighed, healthy: NDArray[np.bool_], alarmed: NDArray[np.bool_]
) -> DatasetState:
    """Learn healthy statistics; an alarm takes back what was learnt since suspicion began."""
    live = learn(state.live, weighed.value, weighed.sampling, weighed.held, weighed.rows, healthy)
    live = choose(alarmed, state.safe, live)
    quiet = healthy & (evidence.height(state.bank) < QUIET)
    return replace(state, live=live, safe=choose(quiet, live, state.safe))
