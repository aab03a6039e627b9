"""Serving skew: the features a model is served against the same columns of the batches its predictions name.

Their standardised difference is learnt per column (a model may well score only part of a batch); what counts is that it
changes. Drift that the batch shows as well moves both and leaves the difference alone.
"""

from dataclasses import replace
from math import isfinite, sqrt

import numpy as np
from detectors.finding import Finding

from diagnosis.lineage import Lineage
from diagnosis.state import Batch, Node, PipelineState, Skew

_HISTORY = 10  # windows before a difference is judged
_FAR = 6.0  # standard errors, twice in a row,
_ABSURD = 15.0  # or once
_SIZE = 0.1  # standard deviations of one row: less is of no interest
_COLUMNS = 512


def note_skew(state: PipelineState, window: Batch) -> tuple[PipelineState, tuple[Finding, ...]]:
    """Compare a window's features with its batches, learn, and return a finding per column that is far off; pure."""
    node = state.nodes[window.node]
    if window.late or not len(window.moments):
        return state, ()
    served = _columns(node, window)
    skews = dict(node.skew)
    findings: list[Finding] = []
    for column, batched in _batched(state, window).items():
        if column not in served or (column not in skews and len(skews) >= _COLUMNS):
            continue
        skew, finding = _judge(node, skews.get(column, Skew()), column, served[column], batched, window)
        skews[column] = skew
        findings.extend(finding)
    return replace(state, nodes={**state.nodes, node.key: replace(node, skew=skews)}), tuple(findings)


def _columns(node: Node, batch: Batch) -> dict[str, tuple[float, float, float]]:
    """Return rows present, mean and standard deviation of every numeric column of a batch."""
    names = node.layouts[batch.layout].profile
    return {
        name: (float(row[0]), float(row[2]), float(row[3]))
        for name, row in zip(names, batch.moments, strict=True)
        if isfinite(row[2]) and isfinite(row[3]) and row[3] > 0 and row[0] > 0
    }


def _batched(state: PipelineState, window: Batch) -> dict[str, tuple[float, float, float]]:
    """Return the same of all batches that the window was made from, pooled."""
    node = state.nodes[window.node]
    lineage = Lineage(nodes={key: state.nodes[key] for key in (node.key, *node.parents) if key in state.nodes})
    found: dict[str, list[tuple[float, float, float]]] = {}
    for parentage in lineage.parents(window):
        for batch in parentage.batches:
            for name, moments in _columns(state.nodes[batch.node], batch).items():
                found.setdefault(name, []).append(moments)
    return {name: _pooled(parts) for name, parts in found.items()}


def _pooled(parts: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    rows = np.array([part[0] for part in parts])
    means, spreads = np.array([part[1] for part in parts]), np.array([part[2] for part in parts])
    mean = float(np.average(means, weights=rows))
    return float(rows.sum()), mean, sqrt(float(np.average(spreads**2 + (means - mean) ** 2, weights=rows)))


def _judge(
    node: Node,
    skew: Skew,
    column: str,
    served: tuple[float, float, float],
    batched: tuple[float, float, float],
    window: Batch,
) -> tuple[Skew, tuple[Finding, ...]]:
    difference = (served[1] - batched[1]) / batched[2]
    change = difference - skew.mean
    variance = skew.squares / max(skew.count - 1, 1)
    error = sqrt(variance * (1 + 1 / max(skew.count, 1)) + 1 / served[0] + 1 / batched[0])
    far = skew.count >= _HISTORY and abs(change) > max(_FAR * error, _SIZE)
    if not far:
        count = skew.count + 1
        mean = skew.mean + change / count
        squares = skew.squares + change * (difference - mean)
        return Skew(count=count, mean=mean, squares=squares), ()
    if skew.run == 0:
        before = node.ring[-2].at if len(node.ring) > 1 else window.at
        skew = replace(skew, earliest=before, latest=window.at, first_batch_id=window.batch_id)
    skew = replace(skew, run=skew.run + 1)
    if skew.run < 2 and abs(change) < _ABSURD * error:
        return skew, ()
    if skew.alarm_batch_id is None:
        skew = replace(skew, alarm_batch_id=window.batch_id, alarm_at=window.at)
    return skew, (_finding(node, skew, column, served[1], batched[1] + skew.mean * batched[2], change, error),)


def _finding(
    node: Node, skew: Skew, column: str, observed: float, expected: float, change: float, error: float
) -> Finding:
    return Finding(
        subject=f"{node.pipeline}/{node.name}",
        statistic="serving_skew",
        column=column,
        observed=observed,
        expected=expected,
        effect=change,
        evidence_nats=(change / error) ** 2 / 2,
        alarm_batch_id=skew.alarm_batch_id or "",
        alarm_at=skew.alarm_at,
        onset_earliest=skew.earliest,
        onset_latest=skew.latest,
        onset_batch_id=skew.first_batch_id,
        sentence=f"{node.name} is served {column} with mean {observed:.4g} where its batches hold {expected:.4g} "
        f"({abs(change):.2f} standard deviations apart)",
    )
