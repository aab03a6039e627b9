"""What one batch says about every statistic of its subject: values, and the variance that drawing rows gives them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.distinct import VARIANCE
from detectors.mixture import dissimilarity
from detectors.polynomials import polynomials
from detectors.reference import BINS, RANGE, TOP, Floats, Reference
from detectors.summary import ColumnSummary
from detectors.table import CATEGORY, RATED, rated
from detectors.tilt import shapes_given, tilted

ENOUGH = 30  # present rows below which the shape of a column says nothing
LEAST = 0.1  # variance of a row's scale, skew or tail, of which there is none where all rows are in one bin
STEEP = np.array([12.0, 60.0, 168.0, 360.0])  # mean squared slopes of Legendre polynomials, which the shapes are near
FARTHEST = 1e9  # standard deviations of a row by which a mean may be off: squares are still numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One batch's values, arrays of shape ``(m,)``, meaningless where not ``live``.

    value: what is standardised (a rate by the arcsine of its root; scale, skew and tail less what the reference would
    have at this location). sampling: the variance that drawing rows alone gives it. held, rows: the counts behind a
    rate, or of different values and of values.
    """

    value: Floats
    sampling: Floats
    held: Floats
    rows: Floats
    live: NDArray[np.bool_]


def measure(
    size: int,
    summaries: Mapping[str, ColumnSummary],
    references: Mapping[str, Reference],
    offsets: Mapping[str, int],
    usual: Mapping[str, tuple[Floats, float]],
    rows: int,
    batches: int,
    gap_s: float | None,
) -> Measured:
    """The values of all ``size`` statistics in one batch, column by column of arrays.

    summaries: the batch's columns, each counted against its entry in ``references``; ``offsets``: the first row of each
    column in the table; ``usual``: the usual share of each bin of categorical ones, and from how many batches that is
    known. rows: of all ``batches`` that were pooled; what counts is how many one has. gap_s: seconds since the batch
    before, ``None`` if unknown.
    """
    measured = Measured(
        value=np.zeros(size),
        sampling=np.ones(size),
        held=np.zeros(size),
        rows=np.zeros(size),
        live=np.zeros(size, np.bool_),
    )
    if rows > 0:
        measured.value[0], measured.sampling[0], measured.live[0] = np.log(rows / batches), 1 / rows, True
    if gap_s is not None and gap_s > 0:
        measured.value[1], measured.sampling[1], measured.live[1] = np.log(gap_s), 0.01, True
    numbers = [name for name, one in summaries.items() if one.kind == "number" and not references[name].shapeless]
    means = [name for name, one in summaries.items() if one.kind == "number" and references[name].shapeless]
    categories = [name for name, one in summaries.items() if one.kind == "category"]
    mixed = [name for name in categories if rated(references[name]) < len(references[name].categories)]
    for names, fill in ((numbers, _fill_numbers), (means, _fill_means), (categories, _fill_categories)):
        if names:
            base = np.array([offsets[name] for name in names])
            fill(measured, base, [summaries[name] for name in names], [references[name] for name in names])
    if mixed:
        base = np.array([offsets[name] for name in mixed])
        _fill_mixtures(measured, base, [summaries[name] for name in mixed], [usual[name] for name in mixed])
    return measured


def _fill_numbers(measured: Measured, base: NDArray[np.int64], of: list[ColumnSummary], to: list[Reference]) -> None:
    counts = np.array([summary.counts for summary in of])
    basics = np.array([(s.count, s.missing, s.non_finite, s.different or 0, s.error) for s in of], np.float64)
    count, missing, non_finite, distinct, error = basics.T
    present = counts.sum(axis=1)
    enough = present >= ENOUGH
    scores, share = polynomials(to), np.array([reference.share for reference in to]).astype(np.float64)
    rows = np.maximum(present, 1)[:, None]
    shape = np.einsum("cb,cbk->ck", counts, scores) / rows
    due, variance = shapes_given(tilted(share, scores[:, :, 0], shape[:, 0]), scores)
    shape[:, 1:] -= due
    of_row = np.concatenate([np.ones_like(rows), np.maximum(variance, LEAST)], axis=1)
    at = base[:, None] + np.arange(1, 5)
    measured.value[at] = shape
    measured.sampling[at] = of_row / rows + STEEP * _unlike(error, to)[:, None]
    measured.live[at] = enough[:, None]
    _fill_rate(measured, base, missing, count)
    smooth = share.max(axis=1) < 2 / BINS  # no value has a bin of its own
    _fill_distinct(measured, base + 5, of, distinct, present, enough, unique=smooth)
    outside = present - counts[:, RANGE].sum(axis=1) + non_finite  # infinity is out of every range
    _fill_rate(measured, base + 6, outside, present + non_finite)


def _unlike(error: Floats, to: list[Reference]) -> Floats:
    """Variance of a mean rank that sketches add of another form than those their references are taken from.

    What all sketches of one form leave out of the same shape is the same: the baseline knows it already.
    """
    known = np.array([reference.error for reference in to])
    return np.asarray(1e-6 * np.abs(error * error - known * known))


def _fill_means(measured: Measured, base: NDArray[np.int64], of: list[ColumnSummary], to: list[Reference]) -> None:
    """Means in standard deviations of a row, by the variance that drawing rows would give them."""
    count, missing, present, mean = np.array([(s.count, s.missing, s.present, s.mean) for s in of], np.float64).T
    middle, spread = np.array([(reference.middle, reference.spread) for reference in to]).T
    told = np.isfinite(mean) & (present > 0)
    _fill_rate(measured, base, missing, count)
    with np.errstate(over="ignore"):
        away = (np.where(told, mean, middle) - middle) / spread
    measured.value[base + 1] = np.clip(away, -FARTHEST, FARTHEST)
    measured.sampling[base + 1] = 1 / np.maximum(present, 1)
    measured.live[base + 1] = told


def _fill_categories(measured: Measured, base: NDArray[np.int64], of: list[ColumnSummary], to: list[Reference]) -> None:
    counts = np.array([summary.counts for summary in of])
    basics = np.array([(s.count, s.missing, s.different or 0, s.new) for s in of], np.float64)
    count, missing, distinct, new = basics.T
    present = count - missing
    enough = present >= ENOUGH
    _fill_rate(measured, base, missing, count)
    unique = np.array([reference.saturated for reference in to])
    _fill_distinct(measured, base + 1, of, distinct, present, enough, unique=unique)
    _fill_rate(measured, (base + 1)[~unique], new[~unique], present[~unique])
    rates = np.array([rated(reference) for reference in to])
    first = base + len(CATEGORY)
    for rank in range(int(rates.max())):
        there = rates > rank
        _fill_rate(measured, (first + rank)[there], counts[there, rank], present[there])


def _fill_mixtures(
    measured: Measured, base: NDArray[np.int64], of: list[ColumnSummary], usual: list[tuple[Floats, float]]
) -> None:
    """The mixture of the categories without a rate, and of those beyond the top ones, by what they usually share."""
    counts = np.array([summary.counts for summary in of])[:, RATED - 1 :]
    shares = np.array([share for share, _ in usual])[:, RATED - 1 : TOP + 1]
    batches = np.array([learnt for _, learnt in usual])
    at = base + len(CATEGORY) + RATED - 1
    measured.value[at], measured.sampling[at], measured.live[at] = dissimilarity(counts, shares, batches)
    measured.live[at] &= counts.sum(axis=1) >= ENOUGH


def _fill_rate(measured: Measured, at: NDArray[np.int64], held: Floats, rows: Floats) -> None:
    """A rate, arcsine-transformed (Anscombe 1948): its variance is then 1/4n whatever the rate."""
    measured.value[at] = np.arcsin(np.sqrt(((held + 0.375) / (rows + 0.75)).clip(0, 1)))
    measured.sampling[at] = 1 / (4 * rows + 2)
    measured.held[at] = held
    measured.rows[at] = rows
    measured.live[at] = rows > 0


def _fill_distinct(
    measured: Measured,
    at: NDArray[np.int64],
    of: list[ColumnSummary],
    distinct: Floats,
    present: Floats,
    enough: NDArray[np.bool_],
    unique: NDArray[np.bool_],
) -> None:
    """Logarithm of the different values; of their share, where the reference says that nearly all differ.

    The reference decides, not the batch: a statistic that changes its unit jumps where nothing happened.
    """
    measured.held[at] = distinct
    measured.rows[at] = present
    measured.value[at] = np.log(np.maximum(distinct, 1) / np.where(unique, np.maximum(present, 1), 1))
    estimated = np.array([summary.distinct is None for summary in of])
    measured.sampling[at] = 4e-4 + estimated * VARIANCE
    measured.live[at] = enough & (distinct > 0)
