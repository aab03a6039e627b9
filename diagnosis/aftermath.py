"""What a resolved fault still turns out to have reached: topics are read at their own pace, and windows close late."""

from dataclasses import replace

from diagnosis.alert import Status
from diagnosis.compose import NEWEST, counted, worded
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
    """Count what a resolved fault reached by now; it is told as of a firing one."""
    known = fault.draft or fault.alert
    if look.touched is None:
        return tell(look, fault, known)
    if not any(_is_behind(look, fault, key) for key in look.lineage.descendants(fault.origin)):
        return fault
    measured = counted(look.lineage, look.policy, fault, (), fault.origin, known.onset.latest, NEWEST)
    reached = measured.impact
    impact = replace(
        known.impact,
        models=reached.models,
        predictions_affected=reached.predictions_affected,
        share_of_predictions=reached.share_of_predictions,
        first_prediction_id=reached.first_prediction_id,
        match=reached.match,
    )
    fault = replace(fault, tainted=measured.tainted, reached=measured.reached)
    return tell(look, fault, worded(replace(known, impact=impact)))


def _is_behind(look: Review, fault: Fault, key: str) -> bool:
    """Tell whether a node that has not stopped was not yet seen beyond the fault's end.

    Its last batch may hold what was made before that, so that it is the one before that tells.
    """
    node = look.lineage.nodes[key]
    waited = look.state.arrived_at - (node.last_arrived_at or 0)
    stopped = waited > look.policy.patience(look.lineage.usual_gap(key))
    return bool(node.ring) and not stopped and node.ring[-2:][0].at <= (fault.alert.resolved_at or 0)
