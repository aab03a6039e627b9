"""From the walks of one fault's findings to what is said of it: origin, kind, cause, suspects, path and context."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from detectors.finding import Finding

from diagnosis.alert import Cause, CauseKind, Context, Grounding, Hop, LastGood, Match, Onset, Rejected, Verdict
from diagnosis.changes import KINDS
from diagnosis.confidence import calibrated, sharing
from diagnosis.identity import ABSENCE, concern
from diagnosis.kinds import Kind, Scene, kind_of
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.onset import Interval, first_bad, interval_of
from diagnosis.retest import Deviation, Retest
from diagnosis.segments import held_by, segment_of
from diagnosis.state import Announced, Batch, NodeKind
from diagnosis.steps import Step, Trace
from diagnosis.suspects import sift

_MOST_SUSPECTS = 5
_LATE_BY = 64
"""Batches of a child that are looked through for the one made from a given parent."""
_WEAK = 0.85
_LOOSE = 0.9
_UNSEEN = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What the evidence says of one fault now. supported: a cause is named and everything upstream was seen.

    awaited: batches that could show another origin are on their way. missed: parents of the origin that were not seen.
    """

    origin: str
    columns: tuple[str, ...]
    first: Batch | None
    onset: Onset
    last_good: LastGood | None
    cause: Cause
    suspects: tuple[Cause, ...]
    rejected: tuple[Rejected, ...]
    path: tuple[Hop, ...]
    context: Context
    change_url: str | None
    supported: bool
    awaited: bool = False
    missed: tuple[str, ...] = ()


def diagnose(
    retest: Retest, traces: Sequence[Trace], announced: tuple[Announced, ...], shared: str | None = None
) -> Diagnosis:
    """Say what is known of a fault; ``traces`` share their origin, the opening finding's first.

    shared: name of the unseen parent or source system that several origins have in common, which is then the cause.
    """
    lineage, home = retest.lineage, traces[0]
    deviations = _merge(traces)
    interval, first = _onset(retest, traces, deviations)
    sifted = sift(retest, traces, interval, announced)
    scene = Scene(lineage=lineage, trace=home, deviations=deviations, acts=sifted.acts)
    kind = kind_of(scene)
    if shared is not None:
        why = "several datasets that come from it moved together"
        kind = Kind(kind=CauseKind.SOURCE_DATA, confidence=0.8, why=why, column=kind.column)
    path = _longest(lineage, traces)
    segment = None if shared else _segment(lineage, home.origin.node, first, deviations, kind.column)
    cause = _cause(scene, kind, path, shared, segment)
    pending = bool(home.unseen or home.awaited) and shared is None
    alternatives = (*_other_acts(scene, kind), *_along(lineage, path, cause))
    return Diagnosis(
        origin=home.origin.node,
        columns=tuple(sorted({one.column for one in deviations})),
        first=first,
        onset=Onset(earliest=interval.earliest, latest=interval.latest, batch_id=first.batch_id if first else None),
        last_good=_last_good(lineage, first),
        cause=cause,
        suspects=sharing(1.0 - cause.confidence, alternatives[:_MOST_SUSPECTS]),
        rejected=sifted.rejected,
        path=_hops(lineage, path, first, interval.latest if _unrenewed(lineage, home) else None),
        context=_context(lineage, first),
        change_url=kind.act.url if kind.act else None,
        supported=kind.kind is not CauseKind.UNKNOWN and not pending,
        awaited=bool(home.awaited) and shared is None,
        missed=tuple(sorted({*home.unseen, *home.awaited})),
    )


def _merge(traces: Sequence[Trace]) -> tuple[Deviation, ...]:
    """Gather what deviates at the shared origin, strongest first; one entry per column and statistic."""
    found: dict[tuple[str, str], Deviation] = {}
    for one in _deviations(traces):
        known = found.get((one.column, one.statistic))
        if known is None or (one.finding is not None, one.size) > (known.finding is not None, known.size):
            found[one.column, one.statistic] = one
    return tuple(sorted(found.values(), key=lambda one: (-one.size, one.column, one.statistic)))


def _deviations(traces: Sequence[Trace]) -> Iterator[Deviation]:
    """What deviates at the origin; traces share it, and of 10,000 columns it is walked through once."""
    walked: set[int] = set()
    for trace in traces:
        if id(trace.deviations) not in walked:
            walked.add(id(trace.deviations))
            yield from trace.deviations
        if trace.origin.focus is not None:
            yield trace.origin.focus


def _earliest(traces: Sequence[Trace], strongest: Deviation) -> Finding:
    """Return the first of the findings about the same: statistics of a column alarm one after another."""
    name = concern(strongest.column, strongest.statistic)
    findings = [
        one.finding
        for one in (strongest, *_deviations(traces))
        if one.finding is not None and concern(one.column, one.statistic) == name
    ]
    return min(findings, key=lambda one: (one.onset_latest, one.onset_earliest))


def _onset(retest: Retest, traces: Sequence[Trace], deviations: tuple[Deviation, ...]) -> tuple[Interval, Batch | None]:
    """Return the onset at the origin: the detector's own where it alarmed there, else carried up along the lineage."""
    lineage, origin = retest.lineage, traces[0].origin
    alarmed = [one for one in deviations if one.finding is not None]
    if alarmed and alarmed[0].finding is not None:
        finding = _earliest(traces, alarmed[0])
        ring = lineage.ring(origin.node)
        first = ring[first_bad(lineage, origin.node, finding)] if ring else None
        return interval_of(finding), first
    first = origin.batches[0] if origin.batches else None
    if first is None or (origin.focus is not None and origin.focus.statistic in ABSENCE):
        return origin.when, first
    place = lineage.place(first)
    before = lineage.ring(origin.node)[place - 1].at if place else first.at
    return Interval(earliest=before, latest=first.at), first


def _last_good(lineage: Lineage, first: Batch | None) -> LastGood | None:
    if first is None or not lineage.place(first):
        return None
    before = [batch for batch in lineage.ring(first.node)[: lineage.place(first)] if batch.batch_id != first.batch_id]
    return LastGood(batch_id=before[-1].batch_id, at=before[-1].at) if before else None


def _longest(lineage: Lineage, traces: Sequence[Trace]) -> tuple[Step, ...]:
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


def _segment(
    lineage: Lineage, node: str, first: Batch | None, deviations: tuple[Deviation, ...], column: str | None
) -> str | None:
    """Return the rows that hold all of what alarmed in the cause's column, else the batches that hold the strongest."""
    held = held_by(one.finding for one in deviations if one.finding is not None and one.column == column)
    told = next((one for one in deviations if one.finding is not None), None)
    if held is not None:
        return held
    if first is None or told is None or first.node != node:
        return None
    return segment_of(lineage, node, first.at, told.column, told.statistic)


def _cause(scene: Scene, kind: Kind, path: tuple[Step, ...], shared: str | None, segment: str | None) -> Cause:
    weak = all(one.finding is None for one in scene.deviations)
    loose = any(step.match not in (Match.EXACT, Match.PARTITION) for step in path[:-1])
    confidence = kind.confidence * (_WEAK if weak else 1.0) * (_LOOSE if loose else 1.0)
    unseen = bool(scene.trace.unseen or scene.trace.awaited) and shared is None
    act = kind.act
    return Cause(
        kind=kind.kind,
        component=shared or scene.node.name,
        column=kind.column,
        segment=segment,
        change_id=act.change_id if act else None,
        before=_version(act.name, act.before) if act else None,
        after=_version(act.name, act.after) if act else None,
        confidence=round(calibrated(confidence * (_UNSEEN if unseen else 1.0)), 3),
        grounding=_grounding(kind, loose or unseen),
        evidence=_evidence(scene, kind),
    )


def _version(name: str | None, value: str | None) -> str | None:
    return f"{name}={value}" if name is not None and value is not None else value


def _grounding(kind: Kind, loose: bool) -> Grounding:
    if kind.kind is CauseKind.UNKNOWN:
        return Grounding.UNGROUNDED
    return Grounding.PATH_AND_MECHANISM if kind.mechanism and not loose else Grounding.PATH_ONLY


def _evidence(scene: Scene, kind: Kind) -> tuple[str, ...]:
    names = scene.lineage.nodes
    lines = [f"{scene.node.name}: {kind.why}."]
    if kind.act is not None:
        lines.append(_act_sentence(scene, kind))
    if scene.trace.healthy:
        healthy = ", ".join(sorted({names[key].name for key in scene.trace.healthy}))
        lines.append(f"Checked since the onset and healthy: {healthy}.")
    if scene.trace.unseen:
        unseen = ", ".join(sorted({names[key].name for key in scene.trace.unseen}))
        lines.append(f"Not observed: {unseen}.")
    lines.extend(one.finding.sentence for one in scene.deviations[:3] if one.finding is not None)
    if any(one.finding is None and one.statistic in ABSENCE for one in scene.deviations):
        lines.append("What reads it went on with a batch that it had read before.")
    elif all(one.finding is None for one in scene.deviations):
        lines.extend(
            f"{one.column or 'the whole batch'}: {one.statistic} is {one.size:.1f} standard errors off, tested alone."
            for one in scene.deviations[:3]
        )
    return tuple(lines)


def _act_sentence(scene: Scene, kind: Kind) -> str:
    act = kind.act
    assert act is not None  # asked for only where there is one
    what = f"{act.name} ({act.kind})" if act.name else f"{act.kind} version"
    told = "announced" if act.announced else "seen in the batch headers"
    return f"The {what} of {scene.lineage.nodes[act.node].name} went from {act.before} to {act.after} ({told})."


def _other_acts(scene: Scene, kind: Kind) -> tuple[Cause, ...]:
    return tuple(
        Cause(
            kind=KINDS[act.kind],
            component=scene.lineage.nodes[act.node].name,
            change_id=act.change_id,
            before=_version(act.name, act.before),
            after=_version(act.name, act.after),
            confidence=0.3,
            grounding=Grounding.PATH_ONLY,
            evidence=("It came at the same time.",),
        )
        for act in scene.acts
        if act is not kind.act
    )


def _along(lineage: Lineage, path: tuple[Step, ...], cause: Cause) -> tuple[Cause, ...]:
    """The next stages of the path, in case the origin only coincides."""
    found: list[Cause] = []
    for step in path[1:-1] if len(path) > 2 else path[1:]:
        name = lineage.nodes[step.node].name
        if name != cause.component:
            found.append(
                Cause(
                    kind=CauseKind.UNKNOWN,
                    component=name,
                    column=step.focus.column or None if step.focus else None,
                    confidence=round(0.1 / (len(found) + 1), 3),
                    grounding=Grounding.PATH_ONLY,
                    evidence=("It deviates too, as what it was made from explains.",),
                )
            )
    return tuple(found)


def _unrenewed(lineage: Lineage, home: Trace) -> bool:
    """Tell whether the fault is that nothing new came: the origin's last batch was sound."""
    focus = home.origin.focus
    return focus is not None and focus.statistic in ABSENCE and lineage.nodes[home.origin.node].kind is NodeKind.DATASET


def _hops(lineage: Lineage, path: tuple[Step, ...], first: Batch | None, due: Micros | None) -> tuple[Hop, ...]:
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


def _context(lineage: Lineage, first: Batch | None) -> Context:
    if first is None:
        return Context(toggles={}, parameters={})
    version = first.versions.get
    return Context(
        source=lineage.nodes[first.node].source,
        data_version=version("data"),
        schema_version=version("schema"),
        feature_version=version("feature"),
        model_version=version("model"),
        code_version=version("code"),
        config_version=version("config"),
        run_id=first.run_id,
        host=first.host,
        toggles=dict(first.toggles),
        parameters=dict(first.parameters),
    )
