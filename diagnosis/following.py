"""Following findings: repeated while they last, over when their subject has long enough been without them."""

from collections.abc import Iterable
from dataclasses import replace
from math import isfinite

from detectors.finding import Finding

from diagnosis.identity import finding_key
from diagnosis.observation import Micros
from diagnosis.policy import Policy
from diagnosis.state import Active, Batch, NodeKind, PipelineState

_LISTENED = 4
OF_OUTCOMES = frozenset({"calibration", "residual_bias", "residual_scale", "interval_coverage"})


def follow(state: PipelineState, batch: Batch, findings: Iterable[Finding], policy: Policy) -> PipelineState:
    """Note what one observation of a node repeats, adds and no longer says; pure.

    Windows and outcomes of a model both repeat all that is known of the model: each node follows what is its own.
    A late batch (older than the watermark) neither opens nor ends a finding. A silence ends when its node speaks.
    """
    active = dict(state.active)
    said = set()
    refused = 0
    outcomes = state.nodes[batch.node].kind is NodeKind.OUTCOMES
    for finding in findings:
        if (finding.statistic in OF_OUTCOMES) != outcomes:
            continue
        key = finding_key(batch.node, finding)
        said.add(key)
        if key not in active and (batch.late or len(active) >= policy.max_findings):
            refused += not batch.late
            continue
        known = _repeated(active.get(key), key, batch, finding, state.sequence)
        active[key] = _heard(known, state, batch)
    if not batch.late:
        for key, one in active.items():
            if one.node == batch.node and key not in said and not one.over:
                clean = one.clean + 1
                over = clean >= policy.resolve_batches or _about_absence(state, one)
                active[key] = replace(one, clean=clean, over=over)
    return replace(state, active=active, findings_refused=state.findings_refused + refused)


def _about_absence(state: PipelineState, one: Active) -> bool:
    """Tell whether a finding is about nothing coming: it ends when something does."""
    dataset = state.nodes[one.node].kind is NodeKind.DATASET
    return one.finding.statistic == "silence" or (dataset and one.finding.statistic == "feature_age")


def follow_absence(state: PipelineState, node: str, finding: Finding, policy: Policy) -> PipelineState:
    """Note that a node is silent or stale, or still is."""
    key = finding_key(node, finding)
    known = state.active.get(key)
    if known is None and len(state.active) >= policy.max_findings:
        return replace(state, findings_refused=state.findings_refused + 1)
    active = Active(
        key=key,
        node=node,
        finding=finding,
        opened=known.opened if known else state.sequence,
        last_at=finding.onset_earliest,
        last_batch_id=finding.alarm_batch_id,
    )
    return replace(state, active={**state.active, key: active})


def _repeated(known: Active | None, key: str, batch: Batch, finding: Finding, sequence: int) -> Active:
    if known is None:
        return Active(
            key=key, node=batch.node, finding=finding, opened=sequence, last_at=batch.at, last_batch_id=batch.batch_id
        )
    last_at: Micros = max(known.last_at, batch.at)
    last = batch.batch_id if batch.at >= known.last_at else known.last_batch_id
    return replace(known, finding=finding, last_at=last_at, last_batch_id=last, clean=0, over=False)


def _heard(active: Active, state: PipelineState, batch: Batch) -> Active:
    """Learn how loud a finding is from the first batches that repeat it."""
    if active.heard >= _LISTENED:
        return active
    layout = state.nodes[batch.node].layouts[batch.layout]
    column, statistic = active.finding.column or "", active.finding.statistic
    for place, name in enumerate(zip(layout.column, layout.statistic, strict=True)):
        if name == (column, statistic) and isfinite(batch.z[place]):
            heard = active.heard + 1
            level = active.level + (abs(float(batch.z[place])) - active.level) / heard
            return replace(active, heard=heard, level=level)
    return active
