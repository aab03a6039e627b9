"""Evidence against "nothing changed", in nats: a bank of CUSUMs over many statistics at once.

Each statistic has one CUSUM per direction and size of change (Page 1954; .25 to 5 standard deviations: no change within
loses more than an eighth of its information). The alarm threshold comes from the requested rate (Lorden 1971: a CUSUM
of log-likelihood ratios crosses ``h`` about every ``exp(h)`` steps) and from the tail of the excursions that this
statistic really makes (peaks over threshold, Pickands 1975). The last zero of the crossing CUSUM is when the change
began (Page; Hinkley 1970): the likeliest onset. Any at which it stood below two nats is nearly as likely.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats

SIZES = np.geomspace(0.25, 5.0, 5)
TINY = 1e-9  # the least rate
PEAK = 3.0  # nats above which an excursion counts for the tail fit
PRIOR = 20.0  # pseudo-excursions at the theoretical tail rate of one per nat
SHAPE = 0.05  # of the tail where the law is unknown: two strange batches may prove one in a million, not in a billion
MOST = 1e4  # nats: more is not more certain
VAGUE = 2.0  # nats by which a less likely onset is still in the interval: 95 % of a likelihood ratio with one parameter
OLDEST = 65_535  # steps that are told apart


@dataclass(slots=True, eq=False)
class Bank:
    """The state of ``m`` statistics: 118 bytes each, as stored.

    level: float64 ``(m, 2, 5)``, upward and downward CUSUMs. since: uint16 ``(m, 2, 5)``, steps since each was last
    zero. clear: uint16 ``(m,)``, steps since the highest was last below ``VAGUE``. steps, peaks, excess, top: ``(m,)``,
    stored as float32, steps taken, excursions above 3 nats, their summed height above it, and the height of the running
    one.
    """

    level: Floats
    since: NDArray[np.uint16]
    clear: NDArray[np.uint16]
    steps: Floats
    peaks: Floats
    excess: Floats
    top: Floats


def empty_bank(m: int) -> Bank:
    """A bank for ``m`` statistics without any evidence."""
    zeros = np.zeros(m)
    return Bank(
        np.zeros((m, 2, 5)),
        np.zeros((m, 2, 5), np.uint16),
        np.zeros(m, np.uint16),
        zeros,
        zeros.copy(),
        zeros.copy(),
        zeros.copy(),
    )


def normal_steps(z: Floats, tolerance: Floats, clip: Floats | float) -> Floats:
    """Log-likelihood ratios of shifts by ``±SIZES`` against none, shape ``(m, 2, 5)``.

    z: standardised, shape ``(m,)``. tolerance: the shift nobody cares about, in the same unit; clip: the largest
    deviation believed.
    """
    sides = np.stack([z, -z], axis=1) - tolerance[:, None]
    most = np.broadcast_to(clip, z.shape)[:, None]
    steps: Floats = sides.clip(-most, most)[:, :, None] * SIZES - SIZES**2 / 2
    return steps


def rare_steps(
    held: Floats, rows: Floats, root: tuple[Floats, Floats], deviation: Floats, dispersion: Floats
) -> Floats:
    """Log-likelihood ratios of a rate whose arcsine root moved by ``±SIZES`` deviations, shape ``(m, 2, 5)``.

    Binomial: a normal approximation breaks on rare counts. held: rows counted, of ``rows``. root: the most and the
    least that is expected. dispersion: at least one, of the counts, which counts for as many rows less (McCullagh and
    Nelder 1989, quasi-likelihood).
    """
    sides = []
    for expected, sign in zip(root, (1.0, -1.0), strict=True):
        none, moved = _rate(expected)[:, None], _rate(expected[:, None] + sign * SIZES * deviation[:, None])
        ratio = held[:, None] * np.log(moved / none) + (rows - held)[:, None] * (np.log1p(-moved) - np.log1p(-none))
        sides.append(ratio / dispersion[:, None])
    return np.stack(sides, axis=1)


def _rate(root: Floats) -> Floats:
    rate: Floats = (np.sin(root.clip(0, np.pi / 2)) ** 2).clip(TINY, 1 - TINY)
    return rate


def accumulate(bank: Bank, steps: Floats, live: NDArray[np.bool_]) -> Bank:
    """Add one step to the CUSUMs of the statistics that are ``live``, bool ``(m,)``."""
    mask = live[:, None, None]
    level = np.where(mask, (bank.level + steps).clip(0.0, MOST), bank.level)
    height = level.max(axis=(1, 2))
    over = live & (bank.top > PEAK) & (height < PEAK / 2)
    return Bank(
        level=level,
        since=_older(bank.since, mask & (level == 0.0)),
        clear=_older(bank.clear, live & (height < VAGUE)),
        steps=bank.steps + live,
        peaks=bank.peaks + over,
        excess=bank.excess + np.where(over, bank.top - PEAK, 0.0),
        top=np.where(over, 0.0, np.where(live, np.maximum(bank.top, height), bank.top)),
    )


def _older(age: NDArray[np.uint16], now: NDArray[np.bool_]) -> NDArray[np.uint16]:
    older: NDArray[np.uint16] = np.where(now, 0, np.minimum(age, OLDEST - 1) + 1).astype(np.uint16)
    return older


def thresholds(bank: Bank, run_length: float, unknown: Floats | float = 0.0) -> Floats:
    """The height at which each statistic alarms once in ``run_length`` steps of no change, shape ``(m,)``.

    A tail is fitted to the excursions seen, with 20 pseudo-excursions at the theoretical rate; the threshold is never
    below the theoretical one. The running excursion is left out: it would flee from a true change. The tail is
    exponential where the law of single batches is known, and generalised Pareto by as much as it is ``unknown``, from 0
    to 1: the rarer the alarms that are asked for, the less what was seen says of them.
    """
    tail = (PRIOR + bank.peaks) / (PRIOR + bank.excess)
    frequency = (PRIOR + bank.peaks) / (PRIOR * np.exp(PEAK) + bank.steps)
    shape = np.maximum(SHAPE * unknown, TINY)
    fitted = PEAK + np.expm1(shape * np.log(np.maximum(run_length * frequency, 1.0))) / shape / tail
    limit: Floats = np.maximum(np.log(run_length), fitted)
    return limit


def height(bank: Bank) -> Floats:
    """Evidence of each statistic: its highest CUSUM, shape ``(m,)``."""
    highest: Floats = bank.level.max(axis=(1, 2), initial=0.0)
    return highest


def onsets(bank: Bank) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For how many steps each statistic has likeliest been changed, and for how many at least.

    Then which CUSUM says so, the highest: ``divmod(index, 5)``.
    """
    flat = bank.level.reshape(len(bank.level), -1)
    highest = flat.argmax(axis=1)
    likeliest = bank.since.reshape(flat.shape)[np.arange(len(flat)), highest].astype(np.int64)
    return likeliest, np.minimum(likeliest, bank.clear), highest


def forget(bank: Bank, chosen: NDArray[np.bool_]) -> Bank:
    """Set the evidence of the ``chosen`` statistics to zero; what was learnt of their tails stays."""
    if not chosen.any():
        return bank
    mask = chosen[:, None, None]
    return replace(
        bank,
        level=np.where(mask, 0.0, bank.level),
        since=np.where(mask, np.uint16(0), bank.since),
        clear=np.where(chosen, np.uint16(0), bank.clear),
        top=np.where(chosen, 0.0, bank.top),
    )


def learn_peaks(bank: Bank, rows: NDArray[np.int64], heights: Floats) -> Bank:
    """Count alarms of ``rows`` that turned out to be no change among the excursions."""
    peaks, excess = bank.peaks.copy(), bank.excess.copy()
    np.add.at(peaks, rows, 1.0)
    np.add.at(excess, rows, np.maximum(heights - PEAK, 0))
    return replace(bank, peaks=peaks, excess=excess)
