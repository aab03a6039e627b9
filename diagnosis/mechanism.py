"""What a stage usually does to a statistic: a child's reading regressed on its parents', over healthy matched batches.

Sampling noise passes through a stage with the rows, so healthy batches already tell which parent statistic a child's
follows. Learnt from the rings when it is needed: nothing to keep, and the order of arrival does not matter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from diagnosis.lineage import Lineage
from diagnosis.policy import Policy
from diagnosis.remembered import Remembered
from diagnosis.retest import series
from diagnosis.ring import Floats
from diagnosis.state import Batch, Layout

_PAIRS_USED = 64
_REGRESSORS = 3
_FULL = 0.8
_CORRELATION = 0.6
_ALIKE = 0.95
_VARIED = 0.3  # of the spread it should have by its own baseline: below, it hardly ever happened, as 0 missing of 1,000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Healthy batches of a node, and their parents' readings side by side: what a mechanism is learnt from.

    parents: float64 of shape ``(len(batches), len(names))``. names: parent node, column and statistic of each reading.
    """

    batches: tuple[Batch, ...]
    parents: Floats
    names: tuple[tuple[str, str, str], ...]


_PAIRS = Remembered[Pairs | None]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressor:
    """One parent statistic that a child's statistic follows."""

    parent: str
    column: str
    statistic: str
    slope: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """``child z ≈ Σ slope * parent z``; ``explained`` is R² over the pairs.

    considered: parent, column and statistic of every reading that varied enough to be a regressor, without those that
    went with one so closely that either may be what the child follows.
    """

    regressors: tuple[Regressor, ...]
    explained: float
    pairs: int
    considered: frozenset[tuple[str, str, str]] = frozenset()


def learn(lineage: Lineage, pairs: Pairs | None, column: str, statistic: str, policy: Policy) -> Mechanism | None:
    """Return what a node's statistic follows in healthy batches, None if that cannot be told."""
    if pairs is None or len(pairs.batches) < policy.pairs:
        return None
    read = series(lineage, pairs.batches[0].node, pairs.batches, column, statistic)
    known = np.isfinite(read)
    if known.sum() < policy.pairs:
        return None
    child = read[known] - read[known].mean()
    parents = pairs.parents[known] - pairs.parents[known].mean(0)
    if child @ child < 1e-6 * len(child):
        return None
    chosen = _select(child, parents)
    if not chosen:
        return None
    design = parents[:, chosen]
    slopes, *_ = np.linalg.lstsq(design, child, rcond=None)
    residual = child - design @ slopes
    return Mechanism(
        regressors=tuple(
            Regressor(parent=pairs.names[i][0], column=pairs.names[i][1], statistic=pairs.names[i][2], slope=float(b))
            for i, b in zip(chosen, slopes, strict=True)
        ),
        explained=float(1 - residual @ residual / (child @ child)),
        pairs=len(child),
        considered=frozenset(
            name for name, alike in zip(pairs.names, _alike(parents, chosen), strict=True) if not alike
        ),
    )


def predict(lineage: Lineage, mechanism: Mechanism, batches: tuple[Batch, ...]) -> Floats:
    """Return the z that the parents' readings make of each batch, NaN where a parent is missing."""
    total = np.zeros(len(batches))
    for regressor in mechanism.regressors:
        matched = [lineage.made_from((batch,), regressor.parent)[0] for batch in batches]
        values = [
            series(lineage, regressor.parent, (lineage.read(found[-1]),), regressor.column, regressor.statistic)[0]
            if found
            else np.nan
            for found in matched
        ]
        total += regressor.slope * np.array(values)
    return total


def _select(child: Floats, parents: Floats) -> list[int]:
    """Choose up to three regressors, one after the other, each far above the best of as many noises."""
    count, candidates = parents.shape
    if not candidates:
        return []
    least = max(_CORRELATION, (sqrt(2 * log(max(candidates, 2))) + 2.0) / sqrt(count))
    chosen: list[int] = []
    residual = child
    spread = np.sqrt((parents**2).sum(0))
    while len(chosen) < _REGRESSORS and residual @ residual > 0.05 * (child @ child):
        correlation = np.abs(parents.T @ residual) / np.maximum(spread * sqrt(residual @ residual), 1e-12)
        correlation[chosen] = 0.0
        best = int(np.argmax(correlation))
        if correlation[best] < least:
            break
        chosen.append(best)
        slopes, *_ = np.linalg.lstsq(parents[:, chosen], child, rcond=None)
        residual = child - parents[:, chosen] @ slopes
    return chosen


def _alike(parents: Floats, chosen: list[int]) -> list[bool]:
    """Tell which candidates cannot be told from a chosen one: empty columns are all missing as often, for example."""
    unit = parents / np.maximum(np.sqrt((parents**2).sum(0)), 1e-12)
    together = np.abs(unit.T @ unit[:, chosen]) > _ALIKE
    together[chosen] = False
    alike: list[bool] = together.any(1).tolist()
    return alike


def pairs_before(lineage: Lineage, first: Batch) -> Pairs | None:
    """Gather a node's batches before ``first`` (its first bad one), each beside the readings of all its parents."""
    keys = [key for key in lineage.parent_keys(first.node) if lineage.ring(key)]
    above = lineage.numbers(keys)
    return _PAIRS.get(lineage.of(first.node), first.sequence, above, lambda: _gathered(lineage, first, keys))


def _gathered(lineage: Lineage, first: Batch, keys: Sequence[str]) -> Pairs | None:
    key, place = first.node, lineage.place(first)
    layouts = {parent: lineage.of(parent).usual_layout for parent in keys}
    rows, batches = [], []
    for batch in lineage.ring(key)[max(place - _PAIRS_USED, 0) : place] if keys else ():
        found = {one.link.parent: lineage.read(one.batches[-1]) for one in lineage.parents(batch) if one.batches}
        if all(parent in found and found[parent].layout == layouts[parent] for parent in keys):
            rows.append(np.concatenate([found[parent].z for parent in keys]))
            batches.append(batch)
    if not rows:
        return None
    x = np.stack(rows).astype(np.float64)
    read = np.isfinite(x).sum(1)
    full = read >= _FULL * read.max()  # while it warms up, a node reads little or nothing
    x, batches = x[full], [batch for batch, keep in zip(batches, full, strict=True) if keep]
    names = [
        (parent, column, statistic)
        for parent in keys
        for column, statistic in _names(lineage.nodes[parent].layouts[layouts[parent]])
    ]
    good = np.isfinite(x).all(0) & (x.std(0) > _VARIED)
    kept = tuple(name for name, keep in zip(names, good, strict=True) if keep)
    return Pairs(batches=tuple(batches), parents=x[:, good], names=kept)


def _names(layout: Layout) -> Iterable[tuple[str, str]]:
    return zip(layout.column, layout.statistic, strict=True)
