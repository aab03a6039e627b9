"""What a stage usually does to a statistic: a child's reading regressed on its parents', over healthy matched batches.

Sampling noise passes through a stage with the rows, so healthy batches already tell which parent statistic a child's
follows. Learnt from the rings when it is needed: nothing to keep, and the order of arrival does not matter.
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from diagnosis.lineage import Lineage
from diagnosis.policy import Policy
from diagnosis.retest import Floats, series
from diagnosis.state import Batch

_PAIRS_USED = 96
_REGRESSORS = 3
_CORRELATION = 0.6


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

    considered: parent, column and statistic of every reading that varied enough to be a regressor.
    """

    regressors: tuple[Regressor, ...]
    explained: float
    pairs: int
    considered: frozenset[tuple[str, str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pairs:
    child: Floats
    parents: Floats
    names: list[tuple[str, str, str]]


def learn(lineage: Lineage, first: Batch, column: str, statistic: str, policy: Policy) -> Mechanism | None:
    """Return what a node's statistic followed before ``first`` (the first bad batch), None if that cannot be told."""
    pairs = _pairs(lineage, first, column, statistic)
    if pairs is None or len(pairs.child) < policy.pairs:
        return None
    child = pairs.child - pairs.child.mean()
    parents = pairs.parents - pairs.parents.mean(0)
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
        considered=frozenset(pairs.names),
    )


def predict(lineage: Lineage, mechanism: Mechanism, batches: tuple[Batch, ...]) -> Floats:
    """Return the z that the parents' readings make of each batch, NaN where a parent is missing."""
    total = np.zeros(len(batches))
    for regressor in mechanism.regressors:
        matched = [lineage.made_from((batch,), regressor.parent)[0] for batch in batches]
        values = [
            series(lineage, regressor.parent, found[-1:], regressor.column, regressor.statistic)[0] if found else np.nan
            for found in matched
        ]
        total += regressor.slope * np.array(values)
    return total


def _select(child: Floats, parents: Floats) -> list[int]:
    """Choose up to three regressors, one after the other, each far above the best of as many noises."""
    count, candidates = parents.shape
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


def _pairs(lineage: Lineage, first: Batch, column: str, statistic: str) -> _Pairs | None:
    """Gather healthy matched batches: the child's readings and, side by side, those of all its parents."""
    key = first.node
    place = lineage.place(first)
    before = lineage.ring(key)[max(place - _PAIRS_USED, 0) : place]
    keys = [parent for parent in lineage.parent_keys(key) if lineage.ring(parent)]
    y = series(lineage, key, before, column, statistic)
    layouts = {parent: _usual_layout(lineage, parent) for parent in keys}
    rows, child = [], []
    for batch, value in zip(before, y, strict=True):
        found = [lineage.made_from((batch,), parent)[0][-1:] for parent in keys]
        usable = all(one and one[0].layout == layouts[parent] for one, parent in zip(found, keys, strict=True))
        if usable and keys and np.isfinite(value):
            rows.append(np.concatenate([one[0].z for one in found]))
            child.append(value)
    if not rows:
        return None
    x = np.stack(rows).astype(np.float64)
    names = [
        (parent, c, s)
        for parent in keys
        for c, s in zip(
            lineage.nodes[parent].layouts[layouts[parent]].column,
            lineage.nodes[parent].layouts[layouts[parent]].statistic,
            strict=True,
        )
    ]
    good = np.isfinite(x).all(0) & (x.std(0) > 1e-3)
    return _Pairs(
        child=np.array(child), parents=x[:, good], names=[n for n, keep in zip(names, good, strict=True) if keep]
    )


def _usual_layout(lineage: Lineage, key: str) -> int:
    ring = lineage.ring(key)
    numbers = [batch.layout for batch in ring]
    return max(sorted(set(numbers)), key=numbers.count) if numbers else -1
