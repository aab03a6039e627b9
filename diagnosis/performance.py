"""What a fault does to a model's accuracy, from the gauges of its windows before and since the onset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from detectors.estimated import SUPPORTED, TWO_SIDED_95

from diagnosis.alert import Impact, Interval
from diagnosis.intake import model_key
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros

_ESTIMATE = ("estimated_accuracy_lower_ratio", "estimated_accuracy_ratio", "estimated_accuracy_upper_ratio")
_SUPPORT = "estimated_support_ratio"
_OBSERVED, _OUTCOMES = "changed_accuracy_ratio", "changed_outcomes"
_WINDOWS = 32

Gauges = Sequence[Mapping[str, float]]


def with_performance(lineage: Lineage, impact: Impact, since: Micros, known: Impact | None) -> Impact:
    """Add the change of estimated accuracy with its interval; what is already known stays once windows are forgotten.

    The model hit most speaks where several are.
    """
    for before, after in _gauges(lineage, impact, since):
        if found := change(before, after):
            return replace(impact, performance_change=found[0], interval=found[1])
    if known is None:
        return impact
    return replace(impact, performance_change=known.performance_change, interval=known.interval)


def with_outcomes(lineage: Lineage, impact: Impact, since: Micros) -> Impact:
    """Add the change of accuracy that outcomes show, where they no longer follow the scores."""
    for before, after in _gauges(lineage, impact, since):
        if found := observed_change(before, after):
            return replace(impact, performance_change=found[0], interval=found[1])
    return impact


def _gauges(lineage: Lineage, impact: Impact, since: Micros) -> Iterator[tuple[Gauges, Gauges]]:
    """Of each model's last windows before the onset, and since."""
    for name in impact.models:
        ring = lineage.ring(model_key(name))
        split = lineage.until(model_key(name), since - 1)
        before, after = ring[max(split - _WINDOWS, 0) : split], ring[split:][-_WINDOWS:]
        yield [window.gauges for window in before], [window.gauges for window in after]


def change(before: Gauges, after: Gauges) -> tuple[float, Interval] | None:
    """Mean estimated accuracy of windows after less that before, and its interval; None where either has no estimate.

    The chance in the outcomes of different windows is independent, so that of their mean shrinks with their number. The
    error of the map that all estimates share is the same on both sides.
    """
    was, now = _mean(before), _mean(after)
    if was is None or now is None:
        return None
    return _difference(was, now)


def observed_change(before: Gauges, after: Gauges) -> tuple[float, Interval] | None:
    """Accuracy of the outcomes since calibration changed less that of windows before, and its interval."""
    was, told = _mean(before), next((gauges for gauges in reversed(after) if _OUTCOMES in gauges), None)
    if was is None or told is None:
        return None
    accuracy, outcomes = told[_OBSERVED], max(told[_OUTCOMES], 1.0)
    return _difference(was, (accuracy, TWO_SIDED_95 * float(np.sqrt(accuracy * (1.0 - accuracy) / outcomes))))


def _difference(was: tuple[float, float], now: tuple[float, float]) -> tuple[float, Interval]:
    moved, reach = now[0] - was[0], float(np.hypot(was[1], now[1]))
    return moved, Interval(lower=moved - reach, upper=moved + reach)


def _mean(windows: Gauges) -> tuple[float, float] | None:
    """The mean estimate of windows whose scores mean something known, and half the width of its interval."""
    known = [gauges for gauges in windows if gauges.get(_SUPPORT, 1.0) >= SUPPORTED]
    held = np.array([[gauges.get(name, np.nan) for name in _ESTIMATE] for gauges in known]).reshape(-1, 3)
    held = held[np.isfinite(held).all(axis=1)]
    if not len(held):
        return None
    reach = np.sqrt(((held[:, 2] - held[:, 0]) ** 2).sum()) / 2.0 / len(held)
    return float(held[:, 1].mean()), float(reach)
