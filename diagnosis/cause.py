"""From the walks of one fault's findings to what is said of it: origin, kind, cause, suspects, path and context."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detectors.finding import Finding

from diagnosis.alert import Cause, CauseKind, Context, Hop, LastGood, Onset, Rejected
from diagnosis.balance import broken_balance
from diagnosis.changes import Act
from diagnosis.confidence import sharing
from diagnosis.identity import ABSENCE, concern
from diagnosis.intake import outcomes_key
from diagnosis.kinds import kind_of
from diagnosis.lineage import Lineage
from diagnosis.naming import along, named, other_acts
from diagnosis.onset import Interval, first_bad, interval_of
from diagnosis.path import hops_of, longest
from diagnosis.retest import Deviation, Retest
from diagnosis.scene import Kind, Scene
from diagnosis.segments import held_by, segment_of
from diagnosis.state import Announced, Batch, NodeKind
from diagnosis.steps import Trace
from diagnosis.suspects import sift

_MOST_SUSPECTS = 5


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
    disproved = bool(retest.deviations(outcomes_key(lineage.nodes[home.origin.node].name), (), interval))
    scene = Scene(
        lineage=lineage,
        trace=home,
        deviations=deviations,
        acts=sifted.acts,
        disproved=disproved,
        balance=broken_balance(lineage, home.origin),
    )
    kind = kind_of(scene)
    if shared is not None:
        why = "several datasets that come from it moved together"
        kind = Kind(kind=CauseKind.SOURCE_DATA, confidence=0.8, why=why, column=kind.column)
    interval, first = _since_act(lineage, interval, first, kind.act)
    path = longest(lineage, traces)
    segment = None if shared else _segment(lineage, home.origin.node, first, deviations, kind.column)
    cause = named(scene, kind, path, shared, segment)
    awaited = bool(home.awaited)
    pending = awaited or (bool(home.unseen) and shared is None)
    alternatives = (*other_acts(scene, kind), *along(lineage, path, cause))
    return Diagnosis(
        origin=home.origin.node,
        columns=tuple(sorted({one.column for one in deviations})),
        first=first,
        onset=Onset(earliest=interval.earliest, latest=interval.latest, batch_id=first.batch_id if first else None),
        last_good=_last_good(lineage, first),
        cause=cause,
        suspects=sharing(1.0 - cause.confidence, alternatives[:_MOST_SUSPECTS]),
        rejected=sifted.rejected,
        path=hops_of(lineage, path, first, interval.latest if _unrenewed(lineage, home) else None),
        context=_context(lineage, first),
        change_url=kind.act.url if kind.act else None,
        supported=kind.kind is not CauseKind.UNKNOWN and not pending,
        awaited=awaited,
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
    by_outcomes = any(lineage.nodes[step.node].kind is NodeKind.OUTCOMES for step in traces[0].steps[1:2])
    if first is None or by_outcomes or (origin.focus is not None and origin.focus.statistic in ABSENCE):
        return origin.when, first
    place = lineage.place(first)
    before = lineage.ring(origin.node)[place - 1].at if place else first.at
    return Interval(earliest=before, latest=first.at), first


def _since_act(
    lineage: Lineage, interval: Interval, first: Batch | None, act: Act | None
) -> tuple[Interval, Batch | None]:
    """Date an onset by the change behind it where readings leave open with which of some batches it came."""
    if act is None or first is None or first.node != act.node or not first.at < act.at <= interval.latest:
        return interval, first
    ring, place = lineage.ring(act.node), lineage.until(act.node, act.at - 1)
    if place == len(ring):
        return interval, first
    return Interval(earliest=ring[place - 1].at, latest=ring[place].at), ring[place]


def _last_good(lineage: Lineage, first: Batch | None) -> LastGood | None:
    if first is None or not lineage.place(first):
        return None
    before = [batch for batch in lineage.ring(first.node)[: lineage.place(first)] if batch.batch_id != first.batch_id]
    return LastGood(batch_id=before[-1].batch_id, at=before[-1].at) if before else None


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


def _unrenewed(lineage: Lineage, home: Trace) -> bool:
    """Tell whether the fault is that nothing new came: the origin's last batch was sound."""
    focus = home.origin.focus
    return focus is not None and focus.statistic in ABSENCE and lineage.nodes[home.origin.node].kind is NodeKind.DATASET


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
