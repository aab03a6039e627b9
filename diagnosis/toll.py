"""Where a fault began, told to those who read of it, so that each finds what it reached among its own predictions.

A pipeline that reads another one's dataset knows that dataset's batches up to their source. It tells of its own models
only: whoever reads further down is told of the fault as well and answers for itself, so that nothing is counted twice,
in a circle neither.
"""

from dataclasses import replace

from diagnosis.identity import ABSENCE, finding_name, key_at, subject_of
from diagnosis.intake import dataset_key
from diagnosis.observation import Root, Told
from diagnosis.state import Fault, Guest, NodeKind, PipelineState, Toll

FINDINGS_TOLD = 64


def root_of(state: PipelineState, fault: Fault) -> Root | None:
    """Return where a fault began and which findings show it, those of the origin if there are any.

    None where it began in no dataset: nobody else reads of it.
    """
    origin = state.nodes.get(fault.origin)
    if origin is None or origin.kind is not NodeKind.DATASET:
        return None
    followed = [state.active[key] for key in fault.members if key in state.active]
    seen = [one for one in followed if state.nodes[one.node].kind is NodeKind.DATASET]
    here = [one for one in seen if one.node == fault.origin]
    shown = seen if not here or any(one.finding.statistic in ABSENCE for one in here) else here
    return Root(
        pipeline=origin.pipeline,
        dataset=origin.name,
        since=fault.alert.onset.latest,
        deliberate=fault.alert.cause.change_id is not None,
        findings=tuple(finding_name(one.finding) for one in shown[:FINDINGS_TOLD]),
    )


def toll_told(state: PipelineState, known: Toll | None, told: Told) -> Toll | None:
    """Return the toll of an alert as it is told now; what was counted stands unless it began elsewhere after all."""
    root, now = told.root, state.arrived_at
    if root is None or (told.resolved_at is not None and known is not None):
        return known
    toll = Toll(
        origin=dataset_key(state.pipeline, root.pipeline, root.dataset),
        since=root.since,
        deliberate=root.deliberate,
        findings=_keys(state, root),
        opened_arrival=known.opened_arrival if known else now,
        changed_arrival=now,
    )
    if known is None:
        return toll
    if (toll.origin, toll.since, toll.deliberate) != (known.origin, known.since, known.deliberate):
        return replace(toll, told=known.told, draft=known.draft, told_arrival=known.told_arrival)
    if toll.findings == known.findings:
        return known
    return replace(known, findings=toll.findings, changed_arrival=now, observed=0)


def _keys(state: PipelineState, root: Root) -> tuple[str, ...]:
    """Return the keys that the findings told have here, without those of datasets that are not read here."""
    datasets = (node for node in state.nodes.values() if node.kind is NodeKind.DATASET)
    keys = {f"{node.pipeline}/{node.name}": node.key for node in datasets}
    return tuple(key_at(keys[subject_of(name)], name) for name in root.findings if subject_of(name) in keys)


def may_rise(state: PipelineState, guest: Guest, touched: str | None) -> bool:
    """Tell whether a fault may have reached what was observed of a node, or it is time to look again."""
    toll = guest.toll
    if toll is None:
        return False
    if touched is None:
        return bool(toll.findings) or toll.draft is not None
    return bool({touched, *state.nodes[touched].parents} & {toll.origin, *toll.tainted})
