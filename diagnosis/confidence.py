"""How sure a cause is: the odds of the rule that named it, sharpened until they came true on simulated lives.

Source: C. Guo et al., "On calibration of modern neural networks" (2017), temperature scaling. The one parameter is the
likeliest on the causes of simulated lives that rules were developed on as well, so it may flatter itself: what it is
held against are the reliability table of ``python -m benchmarks.diagnosis``, its expected calibration error, and what
would be likeliest on the lives that it lives.
"""

from collections.abc import Iterable
from dataclasses import replace

from diagnosis.alert import Cause

SHARPNESS = 2.0  # of 75 causes in weak lives 73 were right: likeliest at 1.9, half a nat less so at 1.5 and 2.4


def calibrated(support: float) -> float:
    """Return the chance that a cause with this support, in (0, 1), is right in kind and place.

    >>> [round(calibrated(support), 2) for support in (0.5, 0.75, 0.85, 0.95)]
    [0.5, 0.9, 0.97, 1.0]
    """
    odds: float = (support / (1.0 - support)) ** SHARPNESS
    return odds / (1.0 + odds)


def sharing(rest: float, alternatives: Iterable[Cause]) -> tuple[Cause, ...]:
    """Return the alternatives with confidences that together are no more than ``rest``, what the cause leaves."""
    found = tuple(alternatives)
    total = sum(one.confidence for one in found)
    share = min(1.0, rest / total) if total else 1.0
    return tuple(replace(one, confidence=round(share * one.confidence, 3)) for one in found)
