"""Results that stand for as long as all that they were made from stays the same."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from diagnosis.ring import Ring

Result = TypeVar("Result")


class Remembered(Generic[Result]):
    """Results of a pure function by ring and name; each is forgotten with its ring."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Ring, dict[Hashable, tuple[object, Result]]] = WeakKeyDictionary()

    def get(self, ring: Ring, name: Hashable, made_from: object, work: Callable[[], Result]) -> Result:
        """Return what is known, or what ``work`` returns if that was made from something else.

        made_from: everything that ``work`` looks at, rings by their numbers: one that is held is never forgotten.
        """
        if not ring.batches:
            return work()
        known = self._known.setdefault(ring, {})
        if name not in known or known[name][0] != made_from:
            known[name] = made_from, work()
        return known[name][1]
