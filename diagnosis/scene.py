"""What is known where a fault began, when its kind is decided, and the decision."""

from dataclasses import dataclass

from diagnosis.alert import CauseKind
from diagnosis.balance import Balance
from diagnosis.changes import Act
from diagnosis.lineage import Lineage
from diagnosis.retest import Deviation
from diagnosis.state import Node
from diagnosis.steps import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is known of the origin when its kind is decided; ``acts`` are those in time there, most telling first.

    disproved: of a model, that what its outcomes say of it changed at that time too. balance: of rows with its parents,
    where it is not what it was.
    """

    lineage: Lineage
    trace: Trace
    deviations: tuple[Deviation, ...]
    acts: tuple[Act, ...]
    disproved: bool
    balance: Balance | None

    @property
    def node(self) -> Node:
        """Return the node of the origin."""
        return self.lineage.nodes[self.trace.origin.node]

    @property
    def statistics(self) -> frozenset[str]:
        """Return the statistics that alarmed at the origin, or that the retest found if none did."""
        alarmed = {one.statistic for one in self.deviations if one.finding is not None}
        return frozenset(alarmed or {one.statistic for one in self.deviations})

    @property
    def root(self) -> bool:
        """Tell whether nothing is upstream."""
        return not self.lineage.parent_keys(self.trace.origin.node)

    def strongest(self, *statistics: str) -> Deviation | None:
        """Return the strongest deviation, of these statistics if any are given; alarms before weak ones."""
        found = [one for one in self.deviations if not statistics or one.statistic in statistics]
        return max(found, key=lambda one: (one.finding is not None, one.size), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A decision: the kind, how sure it makes us, the column it is about, the act behind it, and why."""

    kind: CauseKind
    confidence: float
    why: str
    column: str | None = None
    act: Act | None = None
    mechanism: bool = True


def act_of(scene: Scene, *kinds: str) -> Act | None:
    """Return the most telling act in time, of these kinds if any are given."""
    return next((act for act in scene.acts if not kinds or act.kind in kinds), None)


def column_of(deviation: Deviation | None) -> str | None:
    """Return the column that deviates, None if it is the whole batch."""
    return deviation.column or None if deviation is not None else None
