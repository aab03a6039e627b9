"""How surprising single batches really are: clustering of volatility, and the tail of the surprises themselves.

A batch may prove a change alone only as far as the tail that this statistic has shown allows. The tail of z²/2 above 2
is taken as generalised Pareto (Pickands 1975) with scale one: shape 0 is the normal law, two thirds Student's t with
three degrees of freedom. Means of rows drawn at random have a thin tail; what differs between batches by more than that
is believed heavy until seen to be thin.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.reference import Floats

OVER = 2.0  # nats of a single batch above which it counts for the tail: |z| > 2
NORMAL_SHARE = 0.0455  # of batches beyond them, of a normal law
NORMAL_LOG = 0.5963  # mean of ln(1 + y) for a normal tail (y exponential): e * E1(1)
HEAVY_LOG = 0.77  # believed at first: shape one half
HEAVY_PEAKS = 8.0  # surprises' worth of that belief
SLOPE = 2.7  # of the shape on the mean of ln(1 + y), between shapes 0 and 1
SELDOM = 3000.0  # batches among which one must be the most surprising while its statistic has shown no tail
MOST = 9.0  # times as large as usual that z² counts, or as large as it lately was: one batch is no cluster
RECENT = 0.05  # share of the latest batch in the recent volatility
CALMER = (RECENT / (2 - RECENT)) ** 0.5  # by how much that varies less than single batches, where nothing clusters


@dataclass(slots=True, eq=False)
class Surprises:
    """Arrays of shape ``(m,)``, stored as float32: 28 bytes a statistic.

    recent: mean z² of about the last 20 batches. usual: of all. cross, energy: how z² goes together with the recent
    mean before it, and how much it varies. peaks, logs: batches beyond two nats at the volatility of their time, and
    their summed ln(1 + excess). batches: learnt.
    """

    recent: Floats
    usual: Floats
    cross: Floats
    energy: Floats
    peaks: Floats
    logs: Floats
    batches: Floats


def empty_surprises(m: int) -> Surprises:
    """Nothing known of ``m`` statistics."""
    return Surprises(np.ones(m), np.ones(m), *(np.zeros(m) for _ in range(5)))


def volatility(surprises: Surprises) -> Floats:
    """The factor by which deviations are wider now than usual, never below one; one unless volatility clusters.

    It does where z² goes with its recent mean (Engle 1982) by more than three standard errors.
    """
    energy = CALMER * surprises.energy
    raw = np.divide(surprises.cross, energy, out=np.zeros_like(surprises.cross), where=energy > 0)
    chance = 3 / np.sqrt(np.maximum(surprises.batches, 1))
    believed = ((raw - chance) / 0.1).clip(0, 1)
    wider: Floats = np.sqrt(np.maximum(1 + believed * (surprises.recent - 1), 1))
    return wider


def learn_surprises(surprises: Surprises, z: Floats, calm: NDArray[np.bool_]) -> Surprises:
    """With one more healthy batch. z: standardised, not yet divided by the volatility.

    calm: not under suspicion. Whether volatility clusters is learnt from calm batches only: a lasting shift looks as if
    it did.
    """
    nats = (z / volatility(surprises)) ** 2 / 2
    off, before = (np.minimum(square, MOST) - surprises.usual for square in (z**2, surprises.recent))
    latest = np.minimum(z**2, MOST * np.maximum(surprises.recent, 1))
    gain = calm / np.minimum(surprises.batches + 1, 4096)
    over = nats > OVER
    return Surprises(
        recent=surprises.recent + RECENT * (latest - surprises.recent),
        usual=surprises.usual + gain * off,
        cross=surprises.cross + gain * (off * before - surprises.cross),
        energy=surprises.energy + gain * (off**2 - surprises.energy),
        peaks=surprises.peaks + over,
        logs=surprises.logs + np.where(over, np.log1p(np.maximum(nats - OVER, 0)), 0),
        batches=surprises.batches + 1,
    )


LARGEST_EXPONENT = 80.0  # e^80 nats are beyond anything, and still a 32-bit float


def tail_shape(surprises: Surprises, unexplained: Floats | float = 1.0) -> Floats:
    """Shape of the generalised Pareto tail: 0 normal, growing with heaviness.

    unexplained: share of the variance that drawing rows does not explain, in [0, 1].
    """
    prior = NORMAL_LOG + unexplained * (HEAVY_LOG - NORMAL_LOG)
    mean = (HEAVY_PEAKS * prior + surprises.logs) / (HEAVY_PEAKS + surprises.peaks)
    return np.maximum(SLOPE * (mean - NORMAL_LOG), 1e-3)


def single_limit(surprises: Surprises, run_length: float, unexplained: Floats | float = 1.0) -> Floats:
    """Nats (z²/2) that one batch alone exceeds once in ``run_length`` batches of no change.

    How rare the rarest are is told by a tail that was seen: before, once in 3,000 is all that can be asked.
    """
    shape = tail_shape(surprises, unexplained)
    seen = surprises.peaks / (HEAVY_PEAKS + surprises.peaks)
    length = SELDOM * (run_length / SELDOM) ** seen
    growth = np.minimum(shape * np.log(np.maximum(length * _frequency(surprises), 1)), LARGEST_EXPONENT)
    return OVER + np.expm1(growth) / shape


def believed_nats(surprises: Surprises, nats: Floats, unexplained: Floats) -> Floats:
    """Nats by which a normal law would be surprised as rarely as this statistic is by ``nats`` (z²/2)."""
    shape = tail_shape(surprises, unexplained)
    beyond = np.log1p(shape * np.maximum(nats - OVER, 0)) / shape
    believed: Floats = OVER + beyond - np.log(np.maximum(_frequency(surprises) / NORMAL_SHARE, 1))
    return np.where(nats > OVER, np.maximum(believed, OVER), nats)


def _frequency(surprises: Surprises) -> Floats:
    """Share of batches beyond two nats."""
    return (HEAVY_PEAKS + surprises.peaks) / (HEAVY_PEAKS / NORMAL_SHARE + surprises.batches)


def learn_spikes(surprises: Surprises, rows: NDArray[np.int64], z: Floats) -> Surprises:
    """Count single batches of ``rows`` that alarmed and were over at once: they belong to the tail."""
    peaks, logs = surprises.peaks.copy(), surprises.logs.copy()
    nats = z**2 / 2
    np.add.at(peaks, rows, (nats > OVER).astype(np.float64))
    np.add.at(logs, rows, np.log1p(np.maximum(nats - OVER, 0)))
    return replace(surprises, peaks=peaks, logs=logs)
