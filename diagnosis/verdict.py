"""Walking upstream from a finding: is each hop's shift what its parents' shift explains, or was it added here?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from diagnosis.alert import Match, Verdict
from diagnosis.explaining import FOLLOWS, HEALTH, Seen, columns_of, explanations, has_column, mechanism_of
from diagnosis.identity import ABSENCE, concern
from diagnosis.lineage import Lineage
from diagnosis.onset import Interval, bad_batches, interval_at, interval_of, slack
from diagnosis.precedence import first_sharp, precedence, surely_bad
from diagnosis.renewal import absence
from diagnosis.retest import Deviation, Retest
from diagnosis.state import Active, Batch, Link, NodeKind
from diagnosis.steps import Step, Trace, changed_here, of_scores

_AWAITED = 16  # bad batches whose parents are looked for,
_FEW = 2  # one on its way counts as much as so many that came: the last of few often decides


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What looking at a step's parents gave: the next steps upstream (nearest first), if any."""

    upstream: tuple[Step, ...] = ()
    healthy: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()
    proven: bool = False


def trace(retest: Retest, active: Active) -> Trace:
    """Walk from one finding upstream to the first node whose deviation its parents do not explain."""
    finding, lineage = active.finding, retest.lineage
    batches = bad_batches(lineage, active.node, finding, active.last_at)
    focus = Deviation(
        column=finding.column or "",
        statistic=finding.statistic,
        strength=sqrt(2 * min(max(finding.evidence_nats, 0.0), 5_000.0)),
        finding=finding,
    )
    steps = [Step(node=active.node, batches=batches, when=interval_of(finding), focus=focus)]
    looked = _Looked()
    while len(steps) < retest.policy.max_hops:
        looked = _look(retest, steps[-1])
        if not looked.upstream:
            break
        steps[-1] = replace(steps[-1], verdict=Verdict.INHERITED)
        steps.extend(looked.upstream)
    origin = replace(steps[-1], verdict=Verdict.UNKNOWN if looked.unseen or looked.awaited else Verdict.INTRODUCED)
    return Trace(
        key=active.key,
        steps=(origin, *reversed(steps[:-1])),
        healthy=looked.healthy,
        unseen=looked.unseen,
        awaited=looked.awaited,
        deviations=retest.deviations(origin.node, origin.batches, origin.when),
        proven=looked.proven,
    )


def _look(retest: Retest, step: Step) -> _Looked:
    """Look for the parent that explains a step."""
    lineage, focus = retest.lineage, step.focus
    assert focus is not None  # every step that is looked from has one
    parents, unseen = [], []
    for key in lineage.parent_keys(step.node):
        parent = _parent_step(lineage, step, key)
        if parent is not None:
            parents.append(parent)
        elif any(link.parent == key for batch in step.batches for link in batch.links) or not step.batches:
            unseen.append(key)
    seen = _seen(retest, step, parents)
    mechanism = mechanism_of(retest, step)
    ranked = [
        (rank, deviation.size, parent.node, _dated(retest, parent, deviation))
        for parent in parents
        for rank, deviation in explanations(retest, step, parent, seen[parent.node], mechanism)
    ]
    healthy = tuple(parent.node for parent in parents if not seen[parent.node].deviations)
    if ranked:
        best = max(ranked, key=lambda one: (one[0], one[1], one[2]))
        return _Looked(upstream=(best[3],), healthy=healthy, unseen=tuple(unseen))
    masked = _behind(retest, step, [parent for parent in parents if parent.node in healthy])
    proven = mechanism is not None or (bool(parents) and not unseen)
    awaited = () if masked else _awaited(retest, step)
    return _Looked(upstream=masked, healthy=healthy, unseen=tuple(unseen), awaited=awaited, proven=proven)


def _seen(retest: Retest, step: Step, parents: Sequence[Step]) -> dict[str, Seen]:
    """Return how each parent deviates; that nothing new of it came shows in who goes on reading it.

    A child may be slow to alarm about what has long been wrong, and scores about any column that they are made from,
    unless the child was changed itself just then.
    """
    if not parents:
        return {}
    assert step.focus is not None
    lineage, found = retest.lineage, {}
    about = concern(step.focus.column, step.focus.statistic)
    changed = changed_here(lineage, step, slack(lineage, step.node, retest.policy))
    bad = first_sharp(retest, step)
    for parent in parents:
        older = columns_of(lineage, parent.node) if of_scores(step) else frozenset({about})
        deviations = retest.deviations(parent.node, parent.batches, parent.when, frozenset() if changed else older)
        before = precedence(retest, step, (parent,), deviations)
        deviations = tuple(filter(before.admits, deviations))
        silent = None if bad is None else absence(lineage, bad, step.focus, parent.batches)
        if silent is not None and all(one.statistic not in ABSENCE for one in deviations):
            deviations = (silent, *deviations)
        found[parent.node] = Seen(deviations, before)
    return found


def _awaited(retest: Retest, step: Step) -> tuple[str, ...]:
    """Return the parents of which many batches that the surely bad ones name are still on their way, or not read yet.

    Each dataset's batches arrive in order: one that is older than the last of its dataset will not come any more.
    """
    lineage = retest.lineage
    here: Counter[str] = Counter()
    away: Counter[str] = Counter()
    for batch in surely_bad(step)[:_AWAITED]:
        for parentage in lineage.parents(batch):
            key = parentage.link.parent
            if any(not _unread(lineage, one) for one in parentage.batches):
                here[key] += 1
            elif parentage.batches or key in retest.new or _behind_child(lineage, parentage.link, batch):
                away[key] += 1
    return tuple(sorted(key for key in away if away[key] and _FEW * away[key] >= here[key]))


def _unread(lineage: Lineage, batch: Batch) -> bool:
    """Tell whether a batch waits for others to be read together with them; where nothing is ever read, none does."""
    return not len(lineage.read(batch).z) and any(len(one.z) for one in lineage.ring(batch.node))


def _behind_child(lineage: Lineage, link: Link, child: Batch) -> bool:
    """Tell whether a parent's newest batch is older than the one that a child names."""
    ring = lineage.ring(link.parent)
    named = {Match.EXACT: child.at, Match.WINDOW: link.window_start}.get(link.match)
    return named is not None and bool(ring) and ring[-1].at < named


def _parent_step(lineage: Lineage, step: Step, key: str) -> Step | None:
    """Return a parent's batches that the suspected ones were made from, without those that made good ones too."""
    made, match, _ = lineage.made_from(step.batches, key)
    if not made:
        return None
    if lineage.nodes[step.node].kind is NodeKind.OUTCOMES:  # dated by when predictions were made, as their windows are
        since = tuple(batch for batch in made if batch.at > step.when.earliest) or made[-1:]
        return Step(node=key, batches=since, when=step.when, match=match)
    good = lineage.ring(step.node)[: lineage.until(step.node, min(step.when.earliest, step.batches[0].at - 1))][-1:]
    innocent = lineage.made_from(good, key)[0]
    fresh = tuple(batch for batch in made if batch not in innocent) or made
    certain = [batch for batch in step.batches if batch.at >= step.when.latest][:1]
    last = lineage.made_from(certain, key)[0][-1:]
    when = interval_at(lineage, fresh[0])
    return Step(
        node=key,
        batches=fresh,
        when=Interval(
            earliest=min([when.earliest, *(batch.at for batch in innocent[-1:])]),
            latest=max([when.latest, *(batch.at for batch in last)]),
        ),
        match=match,
    )


def _dated(retest: Retest, parent: Step, deviation: Deviation) -> Step:
    """Return a parent's step about a deviation: from its own onset on if that alarmed long before its child's did."""
    finding, lineage = deviation.finding, retest.lineage
    if finding is not None and parent.when.earliest - slack(lineage, parent.node, retest.policy) > finding.onset_latest:
        since = bad_batches(lineage, parent.node, finding, parent.batches[-1].at)
        return replace(parent, batches=since, when=interval_of(finding), focus=deviation)
    return replace(parent, focus=deviation)


def _behind(retest: Retest, step: Step, parents: Sequence[Step]) -> tuple[Step, ...]:
    """Look behind healthy parents for an alarmed grandparent with the same column: then the parent masked it."""
    focus, lineage = step.focus, retest.lineage
    assert focus is not None
    if changed_here(lineage, step) or focus.statistic in FOLLOWS:
        return ()
    ranked = []
    for parent in parents:
        for key in lineage.parent_keys(parent.node):
            behind = _parent_step(lineage, parent, key)
            if behind is None:
                continue
            deviations = retest.deviations(key, behind.batches, behind.when)
            for one in filter(precedence(retest, step, (parent, behind), deviations).admits, deviations):
                same = one.column == focus.column if focus.column and has_column(lineage, key, focus.column) else True
                if one.finding is not None and same and one.statistic not in HEALTH:
                    masked = replace(parent, verdict=Verdict.MASKED)
                    ranked.append((one.size, key, (masked, replace(behind, focus=one))))
    return max(ranked, key=lambda one: (one[0], one[1]))[2] if ranked else ()
