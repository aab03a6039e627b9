"""Second opinions: River's ADWIN and Page-Hinkley, fed with standardised statistics only.

On raw values their false-alarm rates depend on the data's unit, tail and correlation, and a single NaN silences them
for ever; on standardised batch statistics they behave.
"""

from math import isfinite, log

from river.drift import ADWIN, PageHinkley


class StandardisedAdwin:
    """ADWIN that checks at every update and never sees a value that is not finite.

    Parameters
    ----------
    delta
        Significance of each of ADWIN's tests.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.random.default_rng(3).normal(0, 1, 120)
    >>> z[100:] += 3
    >>> detector = StandardisedAdwin()
    >>> [i for i, value in enumerate(z) if detector.update(value) or detector.drift_detected][0]
    109

    References
    ----------
    Bifet and Gavaldà (2007), Learning from time-changing data with adaptive windowing.
    """

    def __init__(self, delta: float = 0.002) -> None:
        self._adwin = ADWIN(delta=delta, clock=1)
        self.drift_detected = False

    def update(self, x: float) -> None:
        """Take one standardised value, clipped at ±10; one that is not finite is passed over."""
        self.drift_detected = False
        if isfinite(x):
            self._adwin.update(max(-10.0, min(10.0, x)))
            self.drift_detected = bool(self._adwin.drift_detected)


class StandardisedPageHinkley:
    """Page-Hinkley with a threshold in nats.

    Parameters
    ----------
    run_length
        Updates between false alarms, about.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.random.default_rng(3).normal(0, 1, 120)
    >>> z[100:] += 3
    >>> detector = StandardisedPageHinkley()
    >>> [i for i, value in enumerate(z) if detector.update(value) or detector.drift_detected][0]
    103

    References
    ----------
    Page (1954), Continuous inspection schemes.
    """

    def __init__(self, run_length: float = 43_200.0) -> None:
        self._test = PageHinkley(delta=0.5, alpha=1.0, threshold=log(run_length), min_instances=1)
        self.drift_detected = False

    def update(self, x: float) -> None:
        """Take one standardised value, clipped at ±10; one that is not finite is passed over."""
        self.drift_detected = False
        if isfinite(x):
            self._test.update(max(-10.0, min(10.0, x)))
            self.drift_detected = bool(self._test.drift_detected)
