"""A second opinion on all statistics of a subject, selectable: Page-Hinkley or ADWIN beside the evidence bank."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors import adwin, page_hinkley
from detectors.adwin import Adwin, empty_adwin
from detectors.page_hinkley import PageHinkley, empty_page_hinkley
from detectors.reference import Floats

NONE, PAGE_HINKLEY, ADWIN = "none", "page_hinkley", "adwin"
SHARE = 2.0  # two detectors share the budget: each alarms half as often

Test = TypeVar("Test", PageHinkley, Adwin)
Change: TypeAlias = Callable[[Any], Any]  # of an array of whatever type


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opinion:
    """The state of whichever detector is selected, 16 or 214 bytes a statistic."""

    page_hinkley: PageHinkley | None = None
    adwin: Adwin | None = None


def share(name: str) -> float:
    """How much rarer each detector must alarm where ``name`` is the second."""
    return 1.0 if name == NONE else SHARE


def heard(
    opinion: Opinion | None, name: str, z: Floats, tolerance: Floats, live: NDArray[np.bool_], clip: float
) -> Opinion | None:
    """With one more standardised value of each statistic that is ``live``; None where ``name`` is ``none``.

    Raises ``ValueError`` where there is no such detector.
    """
    if name == NONE:
        return None
    held = opinion or Opinion()
    if name == PAGE_HINKLEY:
        test = held.page_hinkley or empty_page_hinkley(len(z))
        return Opinion(page_hinkley=page_hinkley.take(test, z, tolerance, live, clip))
    if name == ADWIN:
        return Opinion(adwin=adwin.take(held.adwin or empty_adwin(len(z)), z, live, clip))
    raise ValueError(f"no second detector is called {name!r}: there are {NONE}, {PAGE_HINKLEY} and {ADWIN}")


def alarmed(opinion: Opinion, limit: Floats, tolerance: Floats, run_length: float) -> NDArray[np.bool_]:
    """Which statistics have drifted; ``limit`` in nats and ``run_length`` in batches mean the same rate."""
    if opinion.page_hinkley is not None:
        return page_hinkley.crossed(opinion.page_hinkley, limit)
    if opinion.adwin is not None:
        return adwin.crossed(opinion.adwin, tolerance, run_length)
    return np.zeros(len(limit), np.bool_)


def restarted(opinion: Opinion | None, chosen: NDArray[np.bool_]) -> Opinion | None:
    """Without what speaks against the ``chosen`` statistics."""
    if opinion is not None and opinion.page_hinkley is not None:
        return Opinion(page_hinkley=page_hinkley.restart(opinion.page_hinkley, chosen))
    return blanked(opinion, chosen)


def blanked(opinion: Opinion | None, chosen: NDArray[np.bool_]) -> Opinion | None:
    """Without anything known of the ``chosen`` statistics: all that is known of one is zero at first."""
    return _each(opinion, lambda a: np.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), np.zeros((), a.dtype), a))


def extended(opinion: Opinion | None, more: int) -> Opinion | None:
    """With ``more`` statistics at the end, of which nothing is known."""
    return _each(opinion, lambda a: np.concatenate([a, np.zeros((more, *a.shape[1:]), a.dtype)]))


def kept(opinion: Opinion | None, rows: NDArray[np.bool_]) -> Opinion | None:
    """Of the statistics ``rows`` alone."""
    return _each(opinion, lambda a: a[rows])


def _each(opinion: Opinion | None, change: Change) -> Opinion | None:
    """The same change in every array."""
    if opinion is None:
        return None
    return Opinion(
        page_hinkley=None if opinion.page_hinkley is None else _changed(opinion.page_hinkley, change),
        adwin=None if opinion.adwin is None else _changed(opinion.adwin, change),
    )


def _changed(test: Test, change: Change) -> Test:
    return type(test)(*(change(getattr(test, field.name)) for field in fields(test)))
