"""Series of single numbers: how a row ranks among all that its own series has shown.

Nothing is assumed of the law of a series, or of its scale. A row surprises twice: by how far rows have lately been from
their level, and by how far it is from the row before. Each is ranked among its past (conformal anomaly detection:
Laxhammar and Falkman 2015), beyond which a Pareto tail is fitted (Hill 1975). One far row is surprising both ways, so
their nats are added as Brown (1975) does where Fisher's method asks for independence. What is kept of the past are
counts by half octaves: one absurd row moves nothing.

Where the time of day brings rows four times nearer than the level does, it takes the place of the level.
"""

from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from detectors.finding import Micros
from detectors.reference import Floats

MEMORY = 4096.0  # rows
FINENESS = 2  # bins an octave
LOWEST = -64  # octaves; a deviation below is none, one of twice as many octaves more is the largest
BINS = 2 * FINENESS * -LOWEST
WIDTH = log(2) / FINENESS  # of a bin, in nats
DEVIATION, JUMP, LATELY = range(3)  # what is ranked: from the level, from the row before, and ranks of the latest rows
FRESH = 0.15  # share of the latest row in what is so lately
TAIL, LEAST = 0.05, 10.0  # share of the past that its tail is fitted to, and rows of it at least
PRIOR, SHAPE = 5.0, 1 / 3  # rows' worth of belief in a tail like Student's t with three degrees of freedom
COMMON = 0.5  # covariance of the nats of the two, on independent rows of any law (.4 to .5)
YOUNG = 20  # rows whose median is the first level; after them rows are ranked, and winsorised
SLOTS = 48  # of a day
DAY = 86_400_000_000
DAYS = 3  # seen before a season is believed
BELIEVED, DOUBTED = 2.0, 1.0  # octaves by which the time of day brings rows nearer: from, and down to
MOST_OCTAVES = 3.0  # that one row may say for it
COMPARED = 1440.0  # rows over which that is compared
SLOT_ROWS = 50.0  # rows that a slot remembers
LARGEST = 1e100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Habits:
    """What ``m`` series are used to: under 4 KB each.

    rows: learnt, at most 4,096. young: the first 20, ``(m, 20)``, NaN until they come. level: their median, later a
    winsorised mean. lag: how far the last row was from what was expected. lately:
    nats of the latest rows. counts: float32 ``(m, 3, 256)``, the past of each thing ranked, of ``ranked`` rows.
    profile, seen: ``(m, 48)``, mean of each half hour of the day and rows behind it. nearer: octaves by which it is
    nearer to rows than the level, over ``compared`` rows. seasonal: believed. began: event time of the first row.
    """

    rows: Floats
    young: Floats
    level: Floats
    lag: Floats
    lately: Floats
    ranked: Floats
    counts: NDArray[np.float32]
    profile: Floats
    seen: NDArray[np.float32]
    nearer: Floats
    compared: Floats
    seasonal: NDArray[np.bool_]
    began: NDArray[np.int64]


def no_habits(m: int) -> Habits:
    """Nothing known of ``m`` series."""
    zeros = np.zeros(m)
    return Habits(
        rows=zeros,
        young=np.full((m, YOUNG), np.nan),
        level=zeros,
        lag=zeros,
        lately=np.ones(m),
        ranked=zeros,
        counts=np.zeros((m, 3, BINS), np.float32),
        profile=np.zeros((m, SLOTS)),
        seen=np.zeros((m, SLOTS), np.float32),
        nearer=zeros,
        compared=zeros,
        seasonal=np.zeros(m, np.bool_),
        began=np.zeros(m, np.int64),
    )


def take(habits: Habits, value: Floats, at: NDArray[np.int64] | Micros) -> tuple[Habits, Floats]:
    """The habits with one more row of each series, and the nats by which it surprises.

    value: finite, shape ``(m,)``. at: event time of each row, or of all. A row is learnt whatever it is: a new habit is
    surprising once.
    """
    at = np.broadcast_to(np.asarray(at, np.int64), value.shape)
    value = np.clip(value, -LARGEST, LARGEST)
    first, old = habits.rows == 0, habits.rows >= YOUNG
    series, slot = np.arange(len(value)), (at % DAY) * SLOTS // DAY
    level = np.where(first, value, habits.level)
    usual = np.where(habits.seen[series, slot] > 0, habits.profile[series, slot], level)
    deviation = value - np.where(habits.seasonal, usual, level)
    beyond = np.cumsum(habits.counts[:, :, ::-1], axis=2)[:, :, ::-1]  # rows in a bin or a higher one
    places = np.stack([_place(deviation), _place(deviation - habits.lag), np.zeros_like(value)], axis=1)
    alone = tail_nats(habits, beyond, places)
    lately = habits.lately + old * FRESH * (alone[:, DEVIATION] - habits.lately)
    places[:, LATELY] = np.minimum(lately / WIDTH, BINS - 1)
    long = tail_nats(habits, beyond, places)
    both = np.where(old, long[:, JUMP] + long[:, LATELY], 0.0)
    known = replace(habits, level=level, lag=deviation, lately=lately, began=np.where(first, at, habits.began))
    limit = _winsor_limit(habits.ranked, beyond[:, DEVIATION])
    ranked = _ranked(known, places, old)
    learnt = _level_learnt(ranked, value, limit)
    return _season_learnt(learnt, value, usual, slot, at, limit), _combined(both)


def _combined(nats: Floats) -> Floats:
    """Nats of the sum of the nats of two ranks, taken as a gamma law of mean 2 and variance 2 + 2 ``COMMON``."""
    scale = 1 + COMMON
    combined: Floats = -np.log(np.maximum(gammaincc(2 / scale, nats / scale), 1e-300))
    return combined


def _place(distance: Floats) -> Floats:
    """Where a distance stands among the bins, continuous."""
    octaves = np.log2(np.maximum(np.abs(distance), 2.0**LOWEST))
    place: Floats = np.minimum((octaves - LOWEST) * FINENESS, BINS - 1e-9)
    return place


def tail_nats(habits: Habits, beyond: NDArray[np.float32], places: Floats) -> Floats:
    """Nats of ranking at ``places``, shape ``(m, 3)``, among the rows in the counts.

    Within what was seen it is the share of rows at least as far out, itself among them; beyond, a Pareto tail's.
    """
    bins = places.astype(np.int64)
    series, things = np.arange(len(places))[:, None], np.arange(3)
    held = habits.counts[series, things, bins]
    farther = np.maximum(beyond[series, things, bins] - held * (places - bins), 0)
    nats: Floats = np.log((habits.ranked[:, None] + 1) / (farther + 1))
    new = (farther < 1) & (habits.ranked >= LEAST)[:, None]
    if new.any():
        total = np.broadcast_to(habits.ranked[:, None], new.shape)[new]
        nats[new] = np.maximum(nats[new], _fitted_nats(habits.counts[new], beyond[new], total, places[new]))
    return nats


def _fitted_nats(counts: NDArray[np.float32], beyond: NDArray[np.float32], total: Floats, place: Floats) -> Floats:
    """Nats of ``place``, shape ``(k,)``, by a Pareto tail fitted to the farthest of the ``counts``, ``(k, bins)``."""
    begin = (beyond >= np.maximum(LEAST, TAIL * total)[:, None]).sum(axis=1) - 1
    held = beyond[np.arange(len(begin)), begin].astype(np.float64)
    apart = np.maximum(np.arange(BINS) - begin[:, None] + 0.5, 0.0)
    shape = ((counts * apart).sum(axis=1) * WIDTH + PRIOR * SHAPE) / (held + PRIOR)
    nats: Floats = np.log((total + 1) / (held + 1)) + (place - begin) * WIDTH / shape
    return nats


def _winsor_limit(ranked: Floats, beyond: NDArray[np.float32]) -> Floats:
    """The deviation that one row in twenty exceeds; nothing moves anything before the first was ranked."""
    top = (beyond >= TAIL * ranked[:, None]).sum(axis=1)
    return np.where(ranked > 0, 2.0 ** (top / FINENESS + LOWEST), 0.0)


def _ranked(habits: Habits, places: Floats, live: NDArray[np.bool_]) -> Habits:
    """With one more row in the counts of the series that are ``live``; what is older than the memory fades."""
    fade = np.where(habits.ranked >= MEMORY, 1 - 1 / MEMORY, 1.0)
    counts = habits.counts * fade.astype(np.float32)[:, None, None]
    series, things = np.arange(len(places))[:, None], np.arange(3)
    counts[series, things, places.astype(np.int64)] += live[:, None]
    return replace(habits, counts=counts, ranked=habits.ranked * fade + live)


def _level_learnt(habits: Habits, value: Floats, limit: Floats) -> Habits:
    rows = np.minimum(habits.rows + 1, MEMORY)
    level = habits.level + np.clip(value - habits.level, -limit, limit) / rows
    young = rows <= YOUNG
    if not young.any():
        return replace(habits, rows=rows, level=level)
    first = habits.young.copy()
    first[young, rows[young].astype(np.int64) - 1] = value[young]
    level[young] = np.nanmedian(first[young], axis=1)
    return replace(habits, rows=rows, young=first, level=level)


def _season_learnt(
    habits: Habits, value: Floats, usual: Floats, slot: NDArray[np.int64], at: NDArray[np.int64], limit: Floats
) -> Habits:
    """With one more row in the profile of the day, once the level is settled."""
    series, old = np.arange(len(value)), habits.rows > YOUNG
    seen = habits.seen[series, slot]
    octaves = (_place(value - habits.level) - _place(value - usual)) / FINENESS
    compared = np.where(seen > 0, np.minimum(habits.compared + 1, COMPARED), habits.compared)
    gained = np.clip(octaves, -MOST_OCTAVES, MOST_OCTAVES) - habits.nearer
    nearer = habits.nearer + np.where(seen > 0, gained / np.maximum(compared, 1), 0.0)
    profile, rows = habits.profile.copy(), habits.seen.copy()
    rows[series, slot] = np.minimum(seen + old, SLOT_ROWS)
    moved = usual + np.clip(value - usual, -limit, limit) / np.maximum(rows[series, slot], 1)
    profile[series, slot] = np.where(old, moved, usual)
    enough = at - habits.began > DAYS * DAY
    seasonal = np.where(habits.seasonal, nearer >= DOUBTED, enough & (nearer > BELIEVED))
    turned = seasonal != habits.seasonal
    expected = np.where(seasonal, profile[series, slot], habits.level)
    learnt = replace(habits, profile=profile, seen=rows, nearer=nearer, compared=compared, seasonal=seasonal)
    return _ranked_afresh(learnt, turned, value - expected) if turned.any() else learnt


def _ranked_afresh(habits: Habits, turned: NDArray[np.bool_], lag: Floats) -> Habits:
    """Without what was ranked by another expectation."""
    return replace(
        habits,
        lag=np.where(turned, lag, habits.lag),
        lately=np.where(turned, 1.0, habits.lately),
        ranked=np.where(turned, 0.0, habits.ranked),
        counts=np.where(turned[:, None, None], np.float32(0), habits.counts),
    )
