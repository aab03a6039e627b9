"""Rows across a hop: how many a stage makes of each row it is given, and whether that is what it used to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

from diagnosis.lineage import Lineage
from diagnosis.remembered import Remembered
from diagnosis.state import Batch
from diagnosis.steps import Step

_REMEMBERED = 64  # batches before the first bad one,
_HISTORY = 16  # and how many of them must be matched before anything is said
_RETESTED = 16
_FAR = 5.0  # standard errors,
_STEADY = 0.01  # where no logarithm is taken to vary less,
_SIZE = 0.03  # and at least so much


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Rows that a node makes of each row of ``parent`` (a node's key): as a rule, and since a fault began."""

    parent: str
    usual: float
    now: float

    @property
    def change(self) -> float:
        """Return how many times the usual rows there are."""
        return self.now / self.usual


_BALANCES = Remembered[Balance | None]()


def broken_balance(lineage: Lineage, origin: Step) -> Balance | None:
    """Return the balance with the parent that rows follow best if it is not what it was, else None.

    Rows may swing by the hour: what a stage makes of them does not.
    """
    if not origin.batches:
        return None
    seen = origin.batches, lineage.numbers(lineage.parent_keys(origin.node))
    first = origin.batches[0].sequence
    return _BALANCES.get(lineage.of(origin.node), first, seen, lambda: _broken_balance(lineage, origin))


def _broken_balance(lineage: Lineage, origin: Step) -> Balance | None:
    before = lineage.ring(origin.node)[: lineage.place(origin.batches[0])][-_REMEMBERED:]
    learnt = {key: _logarithms(lineage, before, key) for key in lineage.parent_keys(origin.node)}
    steady = {key: float(np.std(usual)) for key, usual in learnt.items() if len(usual) >= _HISTORY}
    if not steady:
        return None
    parent = min(sorted(steady), key=steady.__getitem__)
    usual, now = learnt[parent], _logarithms(lineage, origin.batches[:_RETESTED], parent)
    if not now:
        return None
    error = max(steady[parent], _STEADY) * sqrt(1 / len(usual) + 1 / len(now))
    shift = float(np.mean(now) - np.mean(usual))
    if abs(shift) < max(_FAR * error, _SIZE):
        return None
    return Balance(parent=parent, usual=exp(float(np.mean(usual))), now=exp(float(np.mean(now))))


def _logarithms(lineage: Lineage, batches: Sequence[Batch], parent: str) -> list[float]:
    """Return the logarithm of rows per row of a parent, of each batch whose parents have been seen."""
    found = []
    for batch in batches:
        given = [one for one in lineage.parents(batch) if one.link.parent == parent]
        rows = sum(each.rows for one in given for each in one.batches)
        if batch.rows and rows and all(one.batches for one in given):
            found.append(log(batch.rows / rows))
    return found
