"""The evidence bank for one statistic, with River's two-method interface."""

from math import isfinite

import numpy as np

from detectors.baseline import empty_baseline, judge_values, learn
from detectors.evidence import accumulate, empty_bank, forget, height, normal_steps, onsets, thresholds
from detectors.reference import Floats

UNIT_FROM = 5  # values that the unit of the statistic is taken from
TINY = 1e-200
LARGEST = 1e100  # its square is still a number
QUIET = 1.0  # nats below which a value is above suspicion
ALL = np.ones(1, np.bool_)


class CusumBank:
    """A two-sided bank of CUSUMs over one self-standardised statistic, one value per batch.

    Parameters
    ----------
    run_length
        Updates between false alarms, on average, while nothing changes.
    warm_up
        Updates that only teach the baseline.
    tolerance
        The shift nobody cares about, in standard deviations of the statistic.
    clip
        The largest deviation a single update is believed, in standard deviations.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> bank = CusumBank(run_length=100_000)
    >>> for i, x in enumerate(np.concatenate([rng.normal(50, 2, 300), rng.normal(54, 2, 50)])):
    ...     bank.update(x)
    ...     if bank.drift_detected:
    ...         print(f"alarm at {i}, change between {bank.onset} and {bank.onset + 1}")
    ...         break
    alarm at 305, change between 299 and 300

    References
    ----------
    Page (1954), Continuous inspection schemes. Lorden (1971), Procedures for reacting to a change in distribution.
    Hawkins (1987), Self-starting CUSUM charts for location and scale.
    """

    def __init__(
        self, run_length: float = 43_200.0, warm_up: int = 20, tolerance: float = 0.0, clip: float = 5.0
    ) -> None:
        self.run_length = run_length
        self.warm_up = warm_up
        self.tolerance = np.array([tolerance])
        self.clip = clip
        self.drift_detected = False
        self.onset = -1
        self.ignored = 0
        self._step = 0
        self._first: list[float] = []
        self._unit = np.ones(1)
        self._bank = empty_bank(1)
        self._live = empty_baseline(1)
        self._safe = empty_baseline(1)

    @property
    def evidence(self) -> float:
        """Nats against "nothing changed"."""
        return float(height(self._bank)[0])

    def update(self, x: float) -> None:
        """Judge one value and learn it if it is healthy; a value that is not finite is counted as ``ignored``.

        After an alarm the evidence starts at zero again, against the baseline of before the change.
        """
        if not isfinite(x):
            self.ignored += 1
            self.drift_detected = False
            return
        x = max(-LARGEST, min(LARGEST, x))
        if len(self._first) < UNIT_FROM:
            self._first.append(x)
            if len(self._first) == UNIT_FROM:
                self._unit = np.array([max(float(np.var(self._first)), TINY)])
                for value in self._first:
                    self._judge(np.array([value]))
            return
        self._judge(np.array([x]))

    def _judge(self, value: Floats) -> None:
        judged = judge_values(self._live, value, self._live.mean, self._unit, np.zeros(1))
        if self._step >= UNIT_FROM:
            steps = normal_steps(judged.z, self.tolerance, self.clip)
            self._bank = accumulate(self._bank, steps, ALL)
        highest, limit = height(self._bank)[0], thresholds(self._bank, self.run_length)[0]
        self.drift_detected = self._step >= self.warm_up and bool(highest > limit)
        if self.drift_detected:
            self.onset = self._step - int(onsets(self._bank)[0][0])
            self._live = self._safe
            self._bank = forget(self._bank, ALL)
        else:
            self._live = learn(self._live, value, judged, self._unit, np.zeros(1), np.ones(1))
            if highest < QUIET:
                self._safe = self._live
        self._step += 1
