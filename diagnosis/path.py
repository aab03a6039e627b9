"""The path of an alert: the walk to the furthest effect, one batch a hop."""

from collections.abc import Sequence
from dataclasses import replace

from diagnosis.alert import Hop, Verdict
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.state import Batch, NodeKind
from diagnosis.steps import Step, Trace

_LATE_BY = 64  # batches of a child that are looked through for the one made from a given parent


def longest(lineage: Lineage, traces: Sequence[Trace]) -> tuple[Step, ...]:
    """Return the walk to the furthest effect; one that ends at a model is worth more."""

    def worth(trace: Trace) -> tuple[bool, int, float]:
        last = trace.steps[-1]
        ends = lineage.nodes[last.node].kind is not NodeKind.DATASET
        return ends, len(trace.steps), last.focus.size if last.focus else 0.0

    best = max(sorted(traces, key=lambda trace: trace.key), key=worth)
    if len(best.steps) < 2 or not _of_outcomes(lineage, best.steps[-1]):
        return best.steps
    model = best.steps[-2]  # its outcomes show what its scores may hide: one hop for both
    shown = replace(model, verdict=Verdict.INHERITED) if model.verdict is Verdict.MASKED else model
    return (*best.steps[:-2], shown)


def _of_outcomes(lineage: Lineage, step: Step) -> bool:
    return lineage.nodes[step.node].kind is NodeKind.OUTCOMES


def hops_of(lineage: Lineage, path: tuple[Step, ...], first: Batch | None, due: Micros | None) -> tuple[Hop, ...]:
    """Return the path with one batch a hop: the first bad one of the origin, then what was made from it.

    due: when the origin's last batch should have been replaced; what read it before then did so rightly.
    """
    hops: list[Hop] = []
    above = first
    for step in path:
        if not step.batches:
            continue
        if first is not None and not hops and first.node == step.node:
            above = first
        else:
            above = _made_from(lineage, above, step.node, due) or step.batches[0]
        hops.append(_hop(lineage, step, above))
    return tuple(hops)


def _made_from(lineage: Lineage, above: Batch | None, node: str, due: Micros | None) -> Batch | None:
    """Return the node's first batch (after ``due``) made from ``above``; one that comes late is not sought."""
    if above is None:
        return None
    wanted = (above.node, above.sequence)
    for batch in lineage.ring(node)[lineage.until(node, above.at - 1 if due is None else due) :][:_LATE_BY]:
        parents = (one for parentage in lineage.parents(batch) for one in parentage.batches)
        if any((one.node, one.sequence) == wanted for one in parents):
            return batch
    return None


def _hop(lineage: Lineage, step: Step, batch: Batch) -> Hop:
    node = lineage.nodes[step.node]
    return Hop(
        pipeline=node.pipeline,
        stage="outcomes" if node.kind is NodeKind.OUTCOMES else batch.stage or node.stage,
        dataset=node.name,
        batch_id=batch.batch_id,
        match=step.match,
        topic=batch.topic,
        partition=batch.topic_partition,
        offset=batch.offset,
        verdict=step.verdict,
    )
