"""Walks upstream: their steps from cause to effect, and whether a node was itself changed at a step."""

from dataclasses import dataclass

from diagnosis.alert import Match, Verdict
from diagnosis.changes import header_acts
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.onset import Interval
from diagnosis.retest import Deviation
from diagnosis.state import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node on the way: its suspected batches, since when, how it was matched from its child, what deviates."""

    node: str
    batches: tuple[Batch, ...]
    when: Interval
    match: Match = Match.EXACT
    focus: Deviation | None = None
    verdict: Verdict = Verdict.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """From cause (first step) to effect (last step). healthy, unseen: parents of the origin. proven: by mechanism.

    awaited: parents of the origin whose batches are named but still on their way; where it began is not decided yet.
    """

    key: str
    steps: tuple[Step, ...]
    healthy: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    proven: bool = False

    @property
    def origin(self) -> Step:
        """Return where it began."""
        return self.steps[0]


def changed_here(lineage: Lineage, step: Step, near: Micros = 0) -> bool:
    """Tell whether versions of a node, or of the model whose outcomes it is, changed in the onset interval, or near."""
    node = step.node.replace("outcomes:", "model:", 1)
    latest = max(step.when.latest, step.batches[0].at) if step.batches else step.when.latest
    return bool(header_acts(lineage, node, step.when.earliest + 1 - near, latest))


def of_scores(step: Step) -> bool:
    """Tell whether a step is about what a model answers."""
    return step.focus is not None and step.focus.statistic.startswith("score_")
