"""The subjects of one partition: held, taken back where folding failed, their share of the budget reported."""

from collections.abc import Iterator

from streams.detect.budget import Budget, Share
from streams.detect.subject import Subject


class Subjects:
    """Datasets and models by name, each with the digests of the events it has seen lately.

    What is put since ``begin`` can be taken back; ``share`` is what they take of the budget together.
    """

    def __init__(self, partition: int, budget: Budget) -> None:
        self._partition = partition
        self._budget = budget
        self._held: dict[str, Subject] = {}
        self._seen: dict[str, set[int]] = {}
        self._shares: dict[str, Share] = {}
        self._undo: list[tuple[str, Subject | None]] = []
        self.share = Share()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._held)

    def __contains__(self, name: str) -> bool:
        """Whether anything is known of one."""
        return name in self._held

    def __getitem__(self, name: str) -> Subject:
        """One of which something is known; raises ``KeyError``."""
        return self._held[name]

    def get(self, name: str) -> Subject:
        """One as it is now, an empty one if nothing is known of it."""
        return self._held.get(name) or Subject(name=name)

    def items(self) -> Iterator[tuple[str, Subject]]:
        """All of them as they are now."""
        return iter(list(self._held.items()))

    def seen(self, name: str) -> set[int]:
        """The digests of the events that one has seen lately, to be added to."""
        kept = self._held[name].digests if name in self._held else ()
        seen = self._seen.get(name)
        if seen is None or len(seen) > 2 * len(kept) + 4096:
            seen = self._seen[name] = {int(one) for one in kept}
        return seen

    def hold(self, name: str, subject: Subject | None) -> None:
        """Hold one as it is now; None: not at all."""
        self.share -= self._shares.pop(name, Share())
        if subject is None:
            self._held.pop(name, None)
        else:
            self._held[name] = subject
            self._shares[name] = subject.share
            self.share += subject.share
        self._budget.report(self._partition, self.share)

    def begin(self) -> None:
        """From here on ``take_back`` leads back to here."""
        self._undo.clear()

    def put(self, name: str, subject: Subject) -> None:
        """Hold one as it is now, until it is taken back."""
        self._undo.append((name, self._held.get(name)))
        self.hold(name, subject)

    def take_back(self) -> None:
        """Hold all as they were when it was begun."""
        while self._undo:
            self.hold(*self._undo.pop())

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()
        self._seen.clear()
        self._shares.clear()
        self._undo.clear()
        self.share = Share()
        self._budget.report(self._partition, self.share)

    def withdraw(self) -> None:
        """Take their share out of the budget: the partition goes elsewhere."""
        self._budget.withdraw(self._partition)
