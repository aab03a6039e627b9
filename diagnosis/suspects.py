"""Which deliberate acts could be guilty, and why the others are not: path, time, mechanism, in this order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diagnosis.alert import Rejected, Rejection
from diagnosis.changes import KINDS, Act, announced_acts, header_acts
from diagnosis.observation import Micros
from diagnosis.onset import SHARP, Interval
from diagnosis.retest import Retest
from diagnosis.state import Announced
from diagnosis.steps import Trace

_NEAR_GAPS = 10  # acts further from the onset than this many usual gaps are not worth a word
_MOST_REJECTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """Acts that could be the cause, most telling first, and those that are ruled out."""

    acts: tuple[Act, ...] = ()
    rejected: tuple[Rejected, ...] = ()


def sift(retest: Retest, traces: Sequence[Trace], onset: Interval, announced: tuple[Announced, ...]) -> Sifted:
    """Hold every act near the onset against the origin that the walks of one fault found."""
    lineage, trace = retest.lineage, traces[0]
    wrong = frozenset(step.node for walk in traces for step in walk.steps)
    near = _near(retest, trace, onset)
    acts: list[Act] = []
    rejected: list[Rejected] = []
    candidates: list[Act] = []
    for key in sorted(lineage.nodes):
        if not key.startswith("outcomes:"):
            candidates.extend(header_acts(lineage, key, near.earliest, near.latest))
    for change, places in announced_acts(lineage, announced):
        if near.earliest <= change.at <= near.latest:
            candidates.extend(places)
            rejected.extend([] if places else [_nowhere(change)])
    for told in _told_together(candidates):
        reasons = [_why_not(retest, trace, wrong, onset, act) for act in told]
        if None in reasons:
            acts.append(told[0])
        elif reasons[-1] is not None:
            rejected.append(_reject(retest, told[0], *reasons[-1]))
    acts.sort(key=lambda act: act.rank)
    return Sifted(acts=tuple(acts), rejected=_nearest(rejected))


def _told_together(candidates: Iterable[Act]) -> list[list[Act]]:
    """An announced change that headers show as well is one act; the announcement comes first in its list."""
    found: dict[tuple[str, str, str | None], list[Act]] = {}
    for act in sorted(candidates, key=lambda act: not act.announced):
        found.setdefault((act.node, act.kind, act.after), []).append(act)
    return list(found.values())


def _near(retest: Retest, trace: Trace, onset: Interval) -> Interval:
    gap = max((retest.lineage.usual_gap(step.node) for step in trace.steps), default=0)
    return Interval(earliest=onset.earliest - _NEAR_GAPS * gap, latest=onset.latest + _NEAR_GAPS * gap)


def _nowhere(change: Announced) -> Rejected:
    return Rejected(
        kind=KINDS.get(change.kind.lower(), KINDS["config"]),
        component=change.component,
        change_id=change.change_id,
        reason=Rejection.NO_PATH,
        detail="nothing in this pipeline's lineage has that name",
    )


def _reject(retest: Retest, act: Act, reason: Rejection, detail: str) -> Rejected:
    return Rejected(
        kind=KINDS[act.kind],
        component=retest.lineage.nodes[act.node].name,
        change_id=act.change_id,
        reason=reason,
        detail=detail,
    )


def _nearest(rejected: list[Rejected]) -> tuple[Rejected, ...]:
    order = list(Rejection)
    ranked = sorted(
        dict.fromkeys(rejected),
        key=lambda one: (-order.index(one.reason), one.component, one.change_id or "", one.kind),
    )
    return tuple(ranked[:_MOST_REJECTED])


def _why_not(
    retest: Retest, trace: Trace, wrong: frozenset[str], onset: Interval, act: Act
) -> tuple[Rejection, str] | None:
    """Return why an act is not guilty, None if it may be; ``wrong`` are the nodes on the fault's paths."""
    lineage, origin = retest.lineage, trace.origin.node
    home = origin.replace("outcomes:", "model:", 1)
    upstream = lineage.ancestors(origin)
    if act.node not in wrong | upstream | {home}:
        return Rejection.NO_PATH, "nothing that went wrong was made from it"
    if act.node in wrong and act.node != home:
        return Rejection.EXPLAINED_BY_PARENT, "what it does was already wrong in what it was made from"
    allowed = _allowed(retest, trace, onset, act)
    if act.at > allowed.latest:
        return Rejection.AFTER_ONSET, "it came after the first bad batch"
    if act.at < allowed.earliest:
        return Rejection.BEFORE_ONSET, "batches made after it were still good"
    if act.node == home:
        return None
    if any(child not in wrong | upstream for child in lineage.children(act.node)):
        return Rejection.SIBLING_UNAFFECTED, "its output, and what else is made from it, stayed healthy"
    return Rejection.NO_MECHANISM, "its output stayed healthy"


def _allowed(retest: Retest, trace: Trace, onset: Interval, act: Act) -> Interval:
    """Return when an act at the origin must have come: exact where the first bad batch stands out by itself.

    An announced deploy may come while the last good batch is still being made: one usual gap is granted.
    """
    gap: Micros = retest.lineage.usual_gap(act.node)
    slack = 0 if _sharp(retest, trace) else round(retest.policy.onset_tolerance_gaps * gap)
    before = max(slack, gap if act.announced else 0)
    return Interval(earliest=onset.earliest + 1 - before, latest=onset.latest + min(slack, gap))


def _sharp(retest: Retest, trace: Trace) -> bool:
    origin = trace.origin
    for one in trace.deviations:
        if one.finding is not None and one.finding.evidence_nats == float("inf"):
            return True
        first = retest.strength(origin.node, origin.batches[:1], one.column, one.statistic)
        if first is not None and abs(first) >= SHARP:
            return True
    return False
