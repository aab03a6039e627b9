"""The subgroup that holds all of a column's shift: rows of one category moved, and those of the others did not.

Rows of the batch are compared with rows of calm batches, inside a category of another column and outside. A category is
named where it is shown that a row outside moved less than half as far as one inside, for whichever of the two signs: an
intersection-union test (Berger 1982), which needs no correction for having two parts. Over all categories asked and all
batches since the alarm (the k-th is given 1 / k(k + 1) of the error), a shift of which others hold as much as that is
told as one subgroup's at most once in a hundred times; nor is one named while the others show anything at all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from detectors.polynomials import polynomials
from detectors.reference import CUTS, RANGE, Floats, Reference
from detectors.sampled import ABSENT, INFINITE, MISSING, NEW, Codes

ERROR = 0.01
OTHERS = 0.5  # of the shift of a row inside: what a row outside must be shown not to reach
NOTHING = 2.0  # standard errors within which the others show nothing
LEAST = 20  # rows inside and outside, of the batch and of the calm: fewer are no normal mean
CATEGORIES = 12  # of a column that divides rows into subgroups, at most
CELLS = CATEGORIES + 1  # the last one for all other rows
SHAPES = ("location", "scale", "skew", "tail")
RATED = ("category_rate", "category_mix", "new_category")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Divided:
    """``k`` columns whose categories, at most 12 of each, are subgroups.

    calm, now: uint8 ``(rows, k)``, the place of each row's category among those of its column, or any code beyond.
    """

    columns: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    calm: Codes
    now: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """``column = category`` of the rows that moved, and the share of the whole shift that they hold."""

    name: str
    share: float


def find(calm: Floats, now: Floats, divided: Divided, look: int, known: Subgroup | None) -> Subgroup | None:
    """Return the subgroup that holds all of a shift, the clearest if there are several; None if there is none.

    calm, now: what each row contributes to the statistic, NaN where nothing. look: number of the batch since the alarm,
    from 1. known: the subgroup named before, which stands until others are shown to have moved as far.
    """
    if not divided.columns:
        return known
    then, today = _sums(calm, divided.calm), _sums(now, divided.now)
    inside, error_inside, enough = _shift(then, today)
    outside, error_outside, others = _shift(_rest(then), _rest(today))
    names = _names(divided)
    asked = [place for place, name in enumerate(names) if name and enough[place] and others[place]]
    former = next((place for place in asked if known is not None and names[place] == known.name), None)
    if not asked or (known is not None and former is None):
        return known
    critical = -float(ndtri(ERROR / look / (look + 1) / 2 / len(asked)))
    apart = OTHERS * np.abs(inside) - np.abs(outside)
    strength = apart / np.hypot(OTHERS * error_inside, error_outside)
    quiet = np.abs(outside) <= NOTHING * error_outside
    moved = (np.abs(outside) > critical * error_outside) & (apart < 0)
    stands = [former] if former is not None and not moved[former] else []
    clear = [place for place in asked if quiet[place] and strength[place] >= critical]
    if not stands and not clear:
        return None
    place = max(stands or clear, key=lambda place: float(strength[place]))
    rows = today[0].ravel()[place] / today[0].sum(axis=1).repeat(CELLS)[place]
    held = rows * inside[place]
    return Subgroup(name=names[place], share=float(np.clip(held / (held + (1 - rows) * outside[place]), 0.0, 1.0)))


def _names(divided: Divided) -> list[str]:
    """Return ``column = category`` of every cell, empty where a cell is none of the categories."""
    return [
        f"{column} = {name}" if name else ""
        for column, categories in zip(divided.columns, divided.categories, strict=True)
        for name in (*categories, *[""] * (CELLS - len(categories)))
    ]


def _sums(values: Floats, codes: Codes) -> Floats:
    """Count, sum and sum of squares of the rows in each cell, shape ``(3, k, 13)``; rows without a value are left out.

    The last cell holds the rows that are in none of the categories.
    """
    told = np.isfinite(values)
    held, of = values[told][:, None], codes[told].astype(np.int64)
    cell = np.minimum(of, CELLS - 1) + CELLS * np.arange(codes.shape[1])
    weights = (held ** np.arange(3))[:, :, None] * (of != ABSENT)[:, None, :]
    size = codes.shape[1] * CELLS
    counted = [np.bincount(cell.ravel(), weights=weights[:, power].ravel(), minlength=size) for power in range(3)]
    sums: Floats = np.stack(counted).reshape(3, codes.shape[1], CELLS).astype(np.float64)
    return sums


def _rest(sums: Floats) -> Floats:
    """The sums of all other cells of the same column."""
    rest: Floats = sums.sum(axis=2, keepdims=True) - sums
    return rest


def _shift(before: Floats, after: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The difference of two means, its standard error, and whether there are rows enough for it; one per cell.

    Each mean is as uncertain as if one more row lay a standard deviation off: a rate of none shows no variance.
    """
    counts = np.stack([before[0], after[0]]).reshape(2, -1)
    sums, squares = (np.stack([before[power], after[power]]).reshape(2, -1) for power in (1, 2))
    enough: NDArray[np.bool_] = np.all(counts >= LEAST, axis=0)
    rows = np.maximum(counts, 1.0)
    means = sums / rows
    variance = np.maximum(squares / rows - means**2, 0.0) + 1.0 / rows
    error: Floats = np.sqrt((variance / rows).sum(axis=0))
    return means[1] - means[0], error, enough


def contributions(statistic: str, reference: Reference, calm: Codes, now: Codes, rank: int) -> tuple[Floats, Floats]:
    """What each row adds to a statistic of its column, NaN where nothing; all NaN of one that rows do not add up to.

    rank: of the category that it is about.
    """
    weight = np.full(256, np.nan)
    if statistic == "missing_rate":
        weight[:ABSENT] = 0.0
        weight[MISSING] = 1.0
    elif reference.kind == "number" and statistic in SHAPES:
        weight[: CUTS + 1] = polynomials([reference])[0, :, SHAPES.index(statistic)]
    elif statistic == "out_of_range":
        weight[: CUTS + 1] = 1.0
        weight[RANGE] = 0.0
        weight[INFINITE] = 1.0
    elif statistic in RATED:
        weight[: NEW + 1] = 0.0
        weight[_about(statistic, calm, now, rank)] = 1.0
    return weight[calm], weight[now]


def _about(statistic: str, calm: Codes, now: Codes, rank: int) -> int:
    """Which category a rate is about: of a mixture, the one that moved most."""
    if statistic == "new_category":
        return NEW
    if statistic == "category_rate":
        return rank
    moved = np.abs(_shares(now) - _shares(calm))
    return int(moved.argmax())


def _shares(codes: Codes) -> Floats:
    held = np.bincount(codes[codes <= NEW], minlength=NEW + 1).astype(np.float64)
    shares: Floats = held / max(1.0, held.sum())
    return shares
