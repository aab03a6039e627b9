"""What a fault does to a model's estimated accuracy, from the gauges of its windows before and since the onset."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from diagnosis.alert import Impact, Interval
from diagnosis.intake import model_key
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.state import Batch

_ESTIMATE = "estimated_accuracy_ratio"
_LOWER = "estimated_accuracy_lower_ratio"
_UPPER = "estimated_accuracy_upper_ratio"
_WINDOWS = 32


def with_performance(lineage: Lineage, impact: Impact, since: Micros, known: Impact | None) -> Impact:
    """Add the change of estimated accuracy with its interval; what is already known stays once windows are forgotten.

    The model hit most speaks where several are. The interval is that of the estimate since the onset.
    """
    for name in impact.models:
        ring = lineage.ring(model_key(name))
        split = lineage.until(model_key(name), since - 1)
        before = _mean(ring[max(split - _WINDOWS, 0) : split], _ESTIMATE)
        after = ring[split:][-_WINDOWS:]
        estimate, lower, upper = (_mean(after, gauge) for gauge in (_ESTIMATE, _LOWER, _UPPER))
        if before is None or estimate is None or lower is None or upper is None:
            continue
        interval = Interval(lower=lower - before, upper=upper - before)
        return replace(impact, performance_change=estimate - before, interval=interval)
    if known is None:
        return impact
    return replace(impact, performance_change=known.performance_change, interval=known.interval)


def _mean(windows: Iterable[Batch], gauge: str) -> float | None:
    values = [window.gauges[gauge] for window in windows if np.isfinite(window.gauges.get(gauge, np.nan))]
    return float(np.mean(values)) if values else None
