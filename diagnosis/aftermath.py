"""What a resolved fault still turns out to have reached: topics are read at their own pace, and windows close late."""

from dataclasses import replace

from diagnosis.alert import Impact, Status
from diagnosis.compose import worded
from diagnosis.harm import at_home, with_harms, worst
from diagnosis.measuring import NEWEST, counted, known_of
from diagnosis.observation import Micros
from diagnosis.review import Review
from diagnosis.revising import tell
from diagnosis.state import Fault, PipelineState


def may_add(state: PipelineState, fault: Fault, touched: str | None) -> bool:
    """Tell whether a resolved fault may have reached what was observed of a node, or a tick is to tell what it did."""
    if fault.alert.status is not Status.RESOLVED:
        return False
    if touched is None:
        return fault.draft is not None
    return bool({touched, *state.nodes[touched].parents} & set(fault.tainted))


def follow_on(look: Review, fault: Fault) -> Fault:
    """Count what a resolved fault reached by now, here and as others tell; it is told as of a firing one."""
    known, over = fault.draft or fault.alert, fault.alert.resolved_at or 0
    if look.touched is None and not fault.harms:
        return tell(look, fault, known)
    if look.touched is not None and not may_still_reach(look, fault.origin, over):
        return fault
    measured = counted(look.lineage, look.policy, known_of(fault), (), fault.origin, known.onset.latest, NEWEST)
    impact = with_harms(with_former(measured.impact, known.impact), measured.totals, fault.harms)
    severity = worst(known.severity, fault.harms)
    fault = replace(fault, tainted=measured.tainted, reached=measured.reached)
    return tell(look, fault, worded(replace(known, impact=impact, severity=severity)))


def with_former(impact: Impact, known: Impact) -> Impact:
    """Return an impact with what ``known`` says beyond counts: once it is over there is no more to learn of that."""
    before = at_home(known)
    return replace(
        impact,
        performance_change=before.performance_change,
        interval=before.interval,
        attribution=before.attribution,
    )


def may_still_reach(look: Review, origin: str, over: Micros) -> bool:
    """Tell whether anything made from ``origin`` was not yet seen beyond a fault's end."""
    return any(_is_behind(look, over, key) for key in look.lineage.descendants(origin))


def _is_behind(look: Review, over: Micros, key: str) -> bool:
    """Tell whether a node that has not stopped was not yet seen beyond a fault's end.

    Its last batch may hold what was made before that, so that it is the one before that tells.
    """
    node = look.lineage.nodes[key]
    waited = look.state.arrived_at - (node.last_arrived_at or 0)
    stopped = waited > look.policy.patience(look.lineage.usual_gap(key))
    return bool(node.ring) and not stopped and node.ring[-2:][0].at <= over
