"""One step of outcomes: joined, and judged where their time is mature."""

from dataclasses import replace
from typing import Final

import numpy as np

from detectors import joining, recent
from detectors.model_policy import Policy
from detectors.model_state import ModelState
from detectors.performance import fold_probabilities, fold_values, forget_young
from detectors.runs import Run, chosen

REFERENCE_ROWS: Final = 2**62  # outcomes before calibration is tested: never


def read_step(state: ModelState, size: int, policy: Policy) -> tuple[ModelState, str, bool]:
    """Join and judge one step of outcomes; return its name and whether a finding began in it."""
    join, matured, premature = joining.read_step(state.join, size, policy)
    name = f"outcomes-{join.received}"
    if join.received == state.join.received and matured is not None:  # they came before what they are about
        name += f".{state.performance.rows + len(matured)}"
    performance, lately = state.performance, state.recent
    if premature:
        performance, lately = forget_young(performance, join.judged_delay or 0), recent.Recent()
    state = replace(state, join=join, performance=performance, recent=lately)
    if matured is None or not len(matured):
        return state, name, False
    state = replace(state, recent=recent.told(state.recent, matured))
    before = performance.standing
    for rows, rules in _reference_first(state, matured, policy):
        if _is_regression(state, rows):
            state = replace(state, task="REGRESSION")
            performance = fold_values(state.subject, performance, rows, name, rules)
        else:
            top = state.task == "MULTICLASS"
            performance = fold_probabilities(performance, rows, state.segments, rules, top_class=top)
    performance = performance.named(name)
    return replace(state, performance=performance), name, bool(performance.standing - before)


def _reference_first(state: ModelState, matured: Run, policy: Policy) -> list[tuple[Run, Policy]]:
    """Predictions of the pinned reference only teach; the others are judged."""
    if state.pinned_until is None:
        return [(matured, policy)]
    reference = matured.at <= state.pinned_until
    teaching = replace(policy, baseline_rows=REFERENCE_ROWS)
    parts = [(chosen(matured, reference), teaching), (chosen(matured, ~reference), policy)]
    return [(rows, rules) for rows, rules in parts if len(rows)]


def _is_regression(state: ModelState, rows: Run) -> bool:
    if state.task != "UNKNOWN":
        return state.task == "REGRESSION"
    probable = (rows.score >= 0.0) & (rows.score <= 1.0)
    return not bool((probable & np.isin(rows.outcome, (0.0, 1.0))).all())
