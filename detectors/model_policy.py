"""How a model is watched."""

from dataclasses import dataclass, replace
from typing import Final

from detectors import state

MONTH_S: Final = 30 * 86_400.0
DAY_US: Final = 86_400_000_000
SERVING_ROWS: Final = 100  # scoring calls, or reads, that make one value of latency or age


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How detection is set. One number matters to people: ``false_alarms_per_month``, over all that is watched.

    monitored, tolerance, second_detector: as for datasets.
    window_rows, window_s: a window of predictions closes at so many rows, or when so many seconds of event time have
    passed. stale_s: seconds of arrival time after which an open window closes, and outcomes are judged, all the same.
    pending_bytes: memory of predictions that wait for outcomes, and a quarter again of outcomes that wait for
    predictions; pending_days, orphan_days: how long each waits, in event time.
    outcome_delay_s: what people know of the usual delay of outcomes; longer delays are learnt. baseline_rows: outcomes
    before calibration is tested. max_segments: segments beyond these are watched as part of the whole only.
    calibration_run_length: outcomes between false alarms of calibration; None derives it from the budget.
    """

    false_alarms_per_month: float = 1.0
    monitored: int = 1
    tolerance: float = 0.05
    second_detector: str = "none"
    window_rows: int = 500
    window_s: float = 900.0
    stale_s: float = 60.0
    pending_bytes: int = 16_000_000
    pending_days: float = 60.0
    orphan_days: float = 7.0
    outcome_delay_s: float = 0.0
    baseline_rows: int = 500
    max_segments: int = 16
    calibration_run_length: float | None = None

    @property
    def columns(self) -> state.Policy:
        """How the columns of a window are judged: windows of one batch are alike, so pools of them tell no more.

        A window that its time closed, not its rows, waits for no other: where calls are few, all of them would.
        """
        return state.Policy(
            false_alarms_per_month=self.false_alarms_per_month,
            monitored=self.monitored,
            tolerance=self.tolerance,
            pool_rows=self.window_rows,
            pool_s=self.window_s,
            warm_up_pools=state.WARM_UP,
            second_detector=self.second_detector,
        )

    @property
    def serving(self) -> state.Policy:
        """How latency, errors and feature reads are judged."""
        return replace(self.columns, pool_rows=SERVING_ROWS)
