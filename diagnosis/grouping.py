"""One fault, one alert: which findings began together at the same place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from diagnosis.alert import Status
from diagnosis.identity import concern, concerns
from diagnosis.lineage import Lineage
from diagnosis.onset import Interval, slack
from diagnosis.policy import Policy
from diagnosis.state import Fault
from diagnosis.steps import Trace, changed_here, of_scores


@dataclass(frozen=True, slots=True)
class Grouping:
    """Decides whether walks end in the same fault.

    shared: per origin, the name of the unseen parent or source system that it has in common with another origin that
    moved at the same time, be it that of a settled fault; both are then one fault. new: nodes that were named and not
    observed yet: nobody knows what is behind them.
    """

    lineage: Lineage
    policy: Policy
    shared: Mapping[str, str]
    new: frozenset[str] = frozenset()

    def together(self, first: Trace, second: Trace) -> bool:
        """Tell whether two walks began at one place, at one time or about one thing."""
        a, b = first.origin, second.origin
        if _place(a.node) != _place(b.node):
            common = self.shared.get(a.node)
            return common is not None and common == self.shared.get(b.node)
        if a.when.meets(b.when, slack(self.lineage, a.node, self.policy)):
            return True
        late = first if a.when.latest > b.when.latest else second
        return bool(about_origin(first) & about_origin(second)) or self._is_answer(late)

    def perhaps(self, first: Trace, second: Trace) -> bool:
        """Tell whether two walks may prove to be one once the batches that they wait for have come."""
        near = max(slack(self.lineage, one.origin.node, self.policy) for one in (first, second))
        return (
            bool(first.awaited or second.awaited)
            and bool(self._candidates(first) & self._candidates(second))
            and first.origin.when.meets(second.origin.when, near)
        )

    def perhaps_belongs(self, trace: Trace, fault: Fault) -> bool:
        """Tell whether a walk that waits for batches may prove to end where and when a settled fault began."""
        if not trace.awaited or fault.origin not in self._candidates(trace):
            return False
        near = max(slack(self.lineage, key, self.policy) for key in (trace.origin.node, fault.origin))
        return trace.origin.when.meets(span_of(fault), near)

    def _candidates(self, trace: Trace) -> frozenset[str]:
        """Return where a walk can end: where it stands, or anywhere behind what it waits for."""
        behind = frozenset(trace.awaited).union(*(self.lineage.ancestors(key) for key in trace.awaited))
        return frozenset(self.lineage.nodes) if behind & self.new else behind | {trace.origin.node}

    def belongs(self, trace: Trace, fault: Fault) -> bool:
        """Tell whether a walk ends where a settled fault began, and when, or is about the same."""
        if self.began_with(trace, fault):
            return True
        if not self._ends_at(trace, fault):
            return False
        node = self.lineage.nodes[trace.origin.node]
        known = concerns(f"{node.pipeline}/{node.name}", fault.signatures) | set(fault.columns) - {""}
        return bool(about_origin(trace) & known) or self._is_answer(trace)

    def began_with(self, trace: Trace, fault: Fault) -> bool:
        """Tell whether a walk ends where and when a fault began, be it over or not."""
        origin = trace.origin
        near = slack(self.lineage, origin.node, self.policy)
        return self._ends_at(trace, fault) and origin.when.meets(span_of(fault), near)

    def _ends_at(self, trace: Trace, fault: Fault) -> bool:
        """Tell whether a walk ends where a fault began, or behind what had not come when that was decided."""
        missed = frozenset(fault.missed).union(*(self.lineage.ancestors(key) for key in fault.missed))
        origin = trace.origin.node
        common = fault.alert.cause.component in common_names(self.lineage, origin, trace.unseen)
        system = self.shared.get(origin)
        common = common or (system is not None and system == self.shared.get(fault.origin))
        return common or _place(trace.origin.node) in {_place(key) for key in (fault.origin, *missed)}

    def _is_answer(self, trace: Trace) -> bool:
        """Tell whether a walk ends at the scores of a model that nothing was changed about when they moved.

        What is wrong with it was seen before, then: its answers need longer to show it.
        """
        origin = trace.origin
        return of_scores(origin) and not changed_here(
            self.lineage, origin, slack(self.lineage, origin.node, self.policy)
        )


def _place(node: str) -> str:
    """Return where a fault at a node is: at the model, if it is its outcomes that show it."""
    return node.replace("outcomes:", "model:", 1)


def span_of(fault: Fault) -> Interval:
    """Return from when to when a fault can have begun."""
    onset = fault.alert.onset
    return Interval(earliest=onset.earliest, latest=max(onset.latest, fault.alert.detected_at))


def about_origin(trace: Trace) -> set[str]:
    """Return what a walk finds wrong where it ends."""
    focus = trace.origin.focus
    return {concern(focus.column, focus.statistic)} if focus else set()


def common_names(lineage: Lineage, origin: str, unseen: Iterable[str]) -> tuple[str, ...]:
    """Return what an origin may have in common with others: unseen parents, and the system that it comes from."""
    node = lineage.nodes[origin]
    system = (node.source,) if node.source is not None and not node.parents else ()
    return (*(lineage.nodes[parent].name for parent in unseen if not lineage.ring(parent)), *system)


def shared_origins(
    lineage: Lineage, traces: Iterable[Trace], faults: Iterable[Fault], policy: Policy
) -> dict[str, str]:
    """Return origins that have an unseen parent, or a source system, in common with another that moved with them.

    Walks tell where they end now; of open faults that are settled, and not walked from again, it is known.
    """
    by_source: dict[str, dict[str, Interval]] = {}
    for trace in traces:
        for name in common_names(lineage, trace.origin.node, trace.unseen):
            by_source.setdefault(name, {}).setdefault(trace.origin.node, trace.origin.when)
    for fault in faults:
        if fault.settled and fault.alert.status is Status.FIRING and fault.origin in lineage.nodes:
            for name in common_names(lineage, fault.origin, fault.missed):
                by_source.setdefault(name, {}).setdefault(fault.origin, span_of(fault))
    found: dict[str, str] = {}
    for name, origins in sorted(by_source.items()):
        for key, when in origins.items():
            near = slack(lineage, key, policy)
            if any(when.meets(other, near) for another, other in origins.items() if another != key):
                found.setdefault(key, name)
    return found
