"""How a model is served: latency, errors and feature reads, as columns with a row per event or per read.

A rate is a column of zeros with a missing value for each failure, so that the missing rate, with its exact treatment of
rare counts, is the rate.
"""

from collections.abc import Mapping

import numpy as np

from detectors.batch import ColumnInput, NumberColumn
from detectors.recalibration import Floats
from detectors.summary import ColumnSummary
from detectors.window import PredictionsInput

MILLISECONDS = 1e-3


def serving_columns(predictions: PredictionsInput) -> dict[str, ColumnInput]:
    """Columns ``latency``, ``error`` and, per view, ``feature_age/view``, ``feature_latency/…``, ``feature_miss/…``."""
    columns: dict[str, ColumnInput] = {}
    if predictions.error.size:
        columns["error"] = NumberColumn(values=_failures(predictions.error))
    _put(columns, "latency", predictions.latency_ms * MILLISECONDS)
    for code, view in enumerate(predictions.views):
        mine = predictions.read_view == code
        _put(columns, f"feature_age/{view}", predictions.read_age_s[mine])
        _put(columns, f"feature_latency/{view}", predictions.read_latency_ms[mine] * MILLISECONDS)
        hit = predictions.read_hit[mine]
        if (hit >= 0).any():
            columns[f"feature_miss/{view}"] = NumberColumn(values=_failures(hit[hit >= 0] == 0))
    return columns


def _put(columns: dict[str, ColumnInput], name: str, values: Floats) -> None:
    known = values[np.isfinite(values)]
    if known.size:
        columns[name] = NumberColumn(values=known)


def _failures(failed: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    return np.where(failed, np.nan, 0.0)


def serving_gauges(serving: Mapping[str, ColumnSummary]) -> dict[str, float]:
    """Means of a window by name; reads of a view are counted by result."""
    shown: dict[str, float] = {}
    for column, summary in serving.items():
        name, _, view = column.partition("/")
        if name in ("latency", "feature_age", "feature_latency"):
            public = {"latency": "latency_seconds", "feature_age": "feature_age_seconds"}
            key = public.get(name, "feature_read_latency_seconds")
            shown[f"{key}/{view}" if view else key] = summary.mean
        elif name == "error":
            shown["error_ratio"] = summary.missing / max(1, summary.count)
        else:
            shown[f"feature_reads/{view}/hit"] = float(summary.present)
            shown[f"feature_reads/{view}/miss"] = float(summary.missing)
    return shown
