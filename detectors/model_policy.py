"""How a model is watched."""

from dataclasses import dataclass, field
from typing import Final

from detectors.state import Policy

MONTH_S: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPolicy:
    """Settings of a model's detectors; ``statistics`` holds the one that matters, the false-alarm budget.

    window_rows, window_s: a window of predictions closes at so many rows, or when so many seconds of event time have
    passed. stale_s: seconds of arrival time after which an open window is closed all the same. pending_bytes: memory
    of predictions that wait for outcomes, of which a quarter again is set aside for outcomes without a prediction.
    pending_ttl_s, orphan_ttl_s: how long each is waited for, in event time. outcome_delay_s: what people know of the
    usual delay of outcomes; longer delays are learnt. baseline_rows: outcomes before calibration is tested.
    max_segments: segments beyond these are watched as part of the whole only. calibration_run_length: outcomes
    between false alarms of calibration; None derives it from the budget.
    """

    statistics: Policy = field(default_factory=Policy)
    window_rows: int = 500
    window_s: float = 3_600.0
    stale_s: float = 60.0
    pending_bytes: int = 8_000_000
    pending_ttl_s: float = 90 * 86_400.0
    orphan_ttl_s: float = 7 * 86_400.0
    outcome_delay_s: float = 0.0
    baseline_rows: int = 500
    max_segments: int = 16
    calibration_run_length: float | None = None
