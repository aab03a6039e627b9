"""A model under watch: its scores and features, how it is served, and whether outcomes bear its scores out.

``summarise_*`` do all arithmetic on rows; ``fold_*`` are pure and see summaries alone. Windows of predictions are
judged by the detectors of datasets, a window being a batch; outcomes by ``detectors.performance`` once they are joined.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors import dataset, joining, recent
from detectors.attribution import score_shares
from detectors.finding import Micros
from detectors.judgement import Judgement
from detectors.model_columns import column_of
from detectors.model_estimates import estimates, recently
from detectors.model_findings import calibration_gauges, count_statistics, named, standing_findings
from detectors.model_policy import Policy
from detectors.model_state import ModelState, references, settled_task, start
from detectors.outcome_step import read_step
from detectors.outcomes import OutcomesInput, OutcomesSummary
from detectors.outcomes import summarise as _summarise_outcomes
from detectors.performance import accept as accept_outcomes
from detectors.predictions import summarise_predictions
from detectors.regression import gauges as error_gauges
from detectors.reliability import gauges as reliability_gauges
from detectors.runs import Run
from detectors.serving import serving_gauges
from detectors.window import PredictionsInput, PredictionsSummary, WindowJudgement, added, as_batch, uncounted

__all__ = [
    "ModelState",
    "OutcomesInput",
    "OutcomesSummary",
    "Policy",
    "PredictionsInput",
    "PredictionsSummary",
    "WindowJudgement",
    "accept",
    "fold_outcomes",
    "fold_predictions",
    "fold_tick",
    "is_due",
    "pin",
    "rows_wanted",
    "start",
    "statistics",
    "summarise_outcomes",
    "summarise_predictions",
    "window_ends_at",
]


def rows_wanted(state: ModelState, policy: Policy) -> int:
    """How many more rows the open window takes: whoever gathers stops there, so that windows never depend on chunks."""
    return policy.window_rows - (state.opened.rows if state.opened else 0)


def window_ends_at(state: ModelState, policy: Policy) -> Micros | None:
    """The event time from which on a prediction is the last of the open window; None while none is open."""
    return state.opened.first_at + round(policy.window_s * 1e6) if state.opened else None


def fold_predictions(
    state: ModelState, summary: PredictionsSummary, policy: Policy
) -> tuple[ModelState, WindowJudgement | None]:
    """Fold predictions; a judgement when they complete a window."""
    with_class = summary.sample is not None and summary.sample.predicted.size > 0
    state = replace(state, task=settled_task(state.task, summary.task, with_class))
    if summary.sample is not None:
        state, sample = _with_own_segments(state, summary.sample, summary.segments, policy)
        state = replace(state, join=joining.put_predictions(state.join, sample, policy))
    if state.opened is None:
        opened = replace(summary, sample=None, segments=())
    else:
        opened = added(state.opened, summary, references(state.inputs), references(state.serving))
    lasted = opened.last_at - opened.first_at
    state = replace(state, opened=opened)
    if opened.rows >= policy.window_rows or lasted >= policy.window_s * 1e6:
        return _close_window(state, opened, policy)
    return state, None


def _with_own_segments(
    state: ModelState, sample: Run, segments: tuple[str, ...], policy: Policy
) -> tuple[ModelState, Run]:
    """Translate the sample's segment codes to the state's, which knows at most ``max_segments``."""
    new = [name for name in segments if name not in state.segments]
    names = (*state.segments, *new)[: policy.max_segments]
    places = np.array([names.index(name) if name in names else -1 for name in segments] + [-1], np.int16)
    own: NDArray[np.int16] = places[sample.segment]
    return replace(state, segments=names), replace(sample, segment=own)


def _close_window(state: ModelState, window: PredictionsSummary, policy: Policy) -> tuple[ModelState, WindowJudgement]:
    columns = window.inputs if window.rows >= policy.window_rows else uncounted(window.inputs)
    batch = replace(as_batch(window, columns, window.rows), sample=window.drawn)
    inputs, seen = dataset.fold(state.inputs, batch, policy.columns)
    serving = state.serving
    if window.serving:
        batch = as_batch(window, window.serving, max(window.events, 1))
        serving, _ = dataset.fold(serving, batch, policy.serving)
    lately = recent.put(state.recent, window.shelves, window.first_at, window.last_at)
    state = replace(state, inputs=inputs, serving=serving, recent=lately, opened=None)
    gauges = serving_gauges(window.serving) | estimates(state, window) | score_shares(inputs, window.drawn)
    return state, _judgement(
        state,
        seen or Judgement(),
        window_id=window.first_event_id,
        first_at=window.first_at,
        last_at=window.last_at,
        rows=window.rows,
        gauges=gauges,
    )


def summarise_outcomes(state: ModelState, outcomes: OutcomesInput) -> OutcomesSummary:
    """Reduce outcomes to what a fold needs: those of the sample.

    Raises ``ValueError`` where arrays that belong together differ in length.
    """
    return _summarise_outcomes(outcomes, state.join.pending.halvings)


def fold_outcomes(
    state: ModelState, summary: OutcomesSummary, policy: Policy
) -> tuple[ModelState, WindowJudgement | None]:
    """Fold outcomes; a judgement whenever ``window_rows`` more have been read.

    It is named after the step in which a finding began, so that names do not depend on how outcomes were cut.
    """
    state = replace(state, join=joining.put_outcomes(state.join, summary))
    name: str | None = None
    began = False
    while len(state.join.unread) >= policy.window_rows:
        state, step, begins = read_step(state, policy.window_rows, policy)
        name, began = (name, True) if began else (step, begins)
    return state, None if name is None else _outcomes_judgement(state, name)


def _outcomes_judgement(state: ModelState, name: str) -> WindowJudgement:
    known = state.performance
    first = known.first_at if known.rows else state.join.arrived_at
    last = known.last_at if known.rows else state.join.arrived_at
    return _judgement(
        state,
        Judgement(warming_up=known.overall.healthy.rows == 0),
        window_id=name,
        first_at=first,
        last_at=last,
        rows=state.join.received,
        gauges={},
        of_outcomes=True,
    )


def _judgement(
    state: ModelState,
    seen: Judgement,
    *,
    window_id: str,
    first_at: Micros,
    last_at: Micros,
    rows: int,
    gauges: dict[str, float],
    of_outcomes: bool = False,
) -> WindowJudgement:
    """Every finding of the model that lasts stands in every judgement: one that is missing would count as over."""
    known, top = state.performance, state.task == "MULTICLASS"
    calibration = {"calibration_evidence_nats": known.overall.evidence_nats} if known.rows else {}
    calibration |= calibration_gauges(known.overall, top_class=top)
    seen = named(seen)
    return WindowJudgement(
        findings=standing_findings(state.subject, state.inputs, state.serving, known, top_class=top),
        readings=seen.readings,
        profiles=seen.profiles,
        gauges=seen.gauges
        | gauges
        | recently(state)
        | calibration
        | reliability_gauges(known.reliability)
        | error_gauges(known.errors)
        | joining.gauges(state.join),
        warming_up=seen.warming_up,
        late=seen.late,
        window_id=window_id,
        of_outcomes=of_outcomes,
        first_at=first_at,
        last_at=last_at,
        rows=rows,
    )


def is_due(state: ModelState, now: Micros, policy: Policy) -> bool:
    """Whether ``fold_tick`` has anything to close."""
    before = now - round(policy.stale_s * 1e6)
    return _outcomes_wait(state, before, policy) or _waiting_window(state, before) is not None


def _outcomes_wait(state: ModelState, before: Micros, policy: Policy) -> bool:
    join = state.join
    return join.arrived_at <= before and (len(join.unread) > 0 or joining.is_ripe(join, policy))


def _waiting_window(state: ModelState, before: Micros) -> PredictionsSummary | None:
    return state.opened if state.opened is not None and state.opened.arrived_at <= before else None


def fold_tick(state: ModelState, now: Micros, policy: Policy) -> tuple[ModelState, WindowJudgement | None]:
    """Close what has waited for ``stale_s`` of arrival time; the same state object where there is nothing to do."""
    before = now - round(policy.stale_s * 1e6)
    name: str | None = None
    if _outcomes_wait(state, before, policy):
        state, name, _ = read_step(state, policy.window_rows, policy)
    window = _waiting_window(state, before)
    if window is not None:
        return _close_window(state, window, policy)
    return state, None if name is None else _outcomes_judgement(state, name)


def accept(state: ModelState, at: Micros, column: str | None = None) -> ModelState:
    """The new normal, for the whole model or one of its features; learnt afresh. ``score`` is its scores as well."""
    if column is not None:
        inputs = state.inputs
        for name in dict.fromkeys((column, column_of(column))):
            inputs = dataset.accept(inputs, name, at)
        return replace(state, inputs=inputs)
    fresh = start(state.subject)
    inputs = replace(fresh.inputs, watermark=state.inputs.watermark, pinned_until=state.pinned_until)
    serving = replace(fresh.serving, watermark=state.serving.watermark, pinned_until=state.pinned_until)
    return replace(state, inputs=inputs, serving=serving, performance=accept_outcomes(state.performance))


def pin(state: ModelState, until: Micros) -> ModelState:
    """Declare predictions up to event time ``until`` to be the reference: they teach and never alarm."""
    return replace(
        state,
        inputs=dataset.pin(state.inputs, until),
        serving=dataset.pin(state.serving, until),
        pinned_until=until,
    )


def statistics(state: ModelState) -> int:
    """Live statistics, each of which takes its share of the false-alarm budget."""
    return count_statistics(state.inputs, state.serving, state.performance)
