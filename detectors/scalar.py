"""The detector of a series of single numbers, with River's two-method interface."""

from math import isfinite, log

import numpy as np

from detectors.finding import Micros
from detectors.habits import no_habits, take


class ScalarDetector:
    """One series of single numbers, a row at a time, with River's two-method interface.

    Parameters
    ----------
    run_length
        Rows between false alarms, on average, while nothing changes.
    rest
        Rows for which one alarm speaks.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> detector = ScalarDetector(run_length=100_000)
    >>> for i, x in enumerate(np.concatenate([rng.lognormal(0, 1, 2000), rng.lognormal(4, 1, 50)])):
    ...     detector.update(x)
    ...     if detector.drift_detected:
    ...         print(f"alarm at {i}")
    alarm at 2004

    References
    ----------
    Laxhammar and Falkman (2015), Inductive conformal anomaly detection for sequential detection of anomalous
    sub-trajectories. Brown (1975), A method for combining non-independent, one-sided tests of significance. Hill
    (1975), A simple general approach to inference about the tail of a distribution.
    """

    def __init__(self, run_length: float = 43_200.0, rest: int = 144) -> None:
        self.run_length = run_length
        self.rest = rest
        self.drift_detected = False
        self.evidence = 0.0
        self.ignored = 0
        self._left = 0
        self._habits = no_habits(1)

    def update(self, x: float, at: Micros = 0) -> None:
        """Judge one value, and learn it; one that is not finite is counted as ``ignored``.

        at: event time; without it no season is known.
        """
        self.drift_detected = False
        if not isfinite(x):
            self.ignored += 1
            return
        self._habits, nats = take(self._habits, np.array([x]), at)
        self.evidence = float(nats[0])
        self.drift_detected = self._left == 0 and self.evidence > log(self.run_length)
        self._left = self.rest if self.drift_detected else max(0, self._left - 1)
