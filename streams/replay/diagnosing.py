"""A log through diagnosis in this process: the alerts that folding it gives, in order."""

import logging
from collections import deque
from collections.abc import Iterator

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.policy import Policy
from diagnosis.provenance import ObservationKind
from diagnosis.state import PipelineState
from streams.diagnose.folding import addressees, advance
from streams.topics import partition_of

OWN_ALERTS = frozenset({ObservationKind.FAULT, ObservationKind.REACHED})
LETTERS = OWN_ALERTS | {ObservationKind.REQUEST, ObservationKind.IMPORTED, ObservationKind.CHANGE}
AS_RECORDED = frozenset[ObservationKind]()

logger = logging.getLogger(__name__)


class Diagnosis:
    """The pipelines of all partitions.

    afresh: kinds of letters between pipelines that are written and delivered anew, at once, instead of being taken from
    the log: none where the log is folded as it was, what is told of alerts where other alerts may come out of it.
    """

    def __init__(self, policy: Policy, partitions: int, *, afresh: frozenset[ObservationKind]) -> None:
        self._policy = policy
        self._afresh = afresh
        self._partitions: list[dict[str, PipelineState]] = [{} for _ in range(partitions)]
        self.defects = 0

    def fold(self, partition: int, seen: Observation) -> Iterator[Alert]:
        """The alerts that a record of a partition leads to, those of the letters that follow from it included."""
        if seen.reader is not None and seen.kind in self._afresh:
            return
        waiting = deque([(partition, seen)])
        while waiting:
            partition, seen = waiting.popleft()
            for name in addressees(seen, self._partitions[partition]):
                alerts, letters = self._advance(partition, name, seen)
                yield from alerts
                waiting += [(self._home(one), one) for one in letters if one.kind in self._afresh]

    def _advance(
        self, partition: int, name: str, seen: Observation
    ) -> tuple[tuple[Alert, ...], tuple[Observation, ...]]:
        try:
            return advance(self._partitions[partition], name, seen, self._policy)
        except Exception:  # as in the agent: a defect of ours costs one observation
            logger.exception("an observation of %s could not be folded", name)
            self.defects += 1
            return (), ()

    def _home(self, letter: Observation) -> int:
        return partition_of(letter.addressee.encode(), len(self._partitions))
