"""Reads of a feature store, as the gauges of a model's windows count them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from detectors.finding import Finding

from diagnosis.observation import Micros
from diagnosis.silence import with_pause
from diagnosis.state import Batch, Node, PipelineState
from diagnosis.wording import span

_AGE = "feature_age_seconds/"
_VIEW = "view:"  # among a node's ages, apart from its datasets
_KEPT = 16
_HISTORY = 8
_OLD = 2.5  # times the oldest that a view has lately been before it was renewed: it may be late once, not twice
_OLDEST = 1.5  # times the oldest that is remembered, where a view is not renewed at night
_IN_A_ROW = 3  # windows: the reads of one may happen to be of old rows
_MORE = 0.01  # of the reads: fewer are not what features are missing for


def missed_more(before: Sequence[Batch], since: Sequence[Batch]) -> str | None:
    """Return the first feature view of which more reads find nothing in ``since`` than in ``before``, None if of none.

    The reads of a window are too few to alarm by themselves as soon as the features they leave missing do.
    """
    usual, now = _missed(before), _missed(since)
    return next((view for view in sorted(now) if now[view] - usual.get(view, 0.0) > _MORE), None)


def _missed(windows: Sequence[Batch]) -> Mapping[str, float]:
    """Return, per feature view, the share of reads in these windows that found nothing."""
    reads: dict[str, dict[str, float]] = {}
    for window in windows:
        for name, value in window.gauges.items():
            kind, _, rest = name.partition("/")
            view, _, result = rest.rpartition("/")
            if kind == "feature_reads":
                counts = reads.setdefault(view, {})
                counts[result] = counts.get(result, 0.0) + value
    return {view: counts.get("miss", 0.0) / max(sum(counts.values()), 1.0) for view, counts in reads.items()}


def note_reads(state: PipelineState, window: Batch) -> tuple[PipelineState, tuple[Finding, ...]]:
    """Learn how old each feature view becomes before it is renewed, and say which are far older now; pure."""
    node = state.nodes[window.node]
    if window.late or len(node.ring) < _IN_A_ROW:
        return state, ()
    recent = [_ages_of(one) for one in node.ring[-_IN_A_ROW:]]
    ages, worn, found = dict(node.ages), dict(node.worn), []
    for view in sorted(set(recent[0]).intersection(*recent)):
        known, (*_, last, age) = ages.get(_VIEW + view, ()), [one[view] for one in recent]
        longest = max((length for length, _ in worn.get(view, ())), default=0)
        oldest = max(_OLD * max(known), _OLDEST * longest) if len(known) >= _HISTORY else inf
        if min(one[view] for one in recent) > oldest:
            found.append(_stale(state, node, view, window, age, max(*known, longest)))
        elif window.at - age > node.ring[-2].at - last:
            worn[view] = with_pause(worn.get(view, ()), last, window.at)
            ages[_VIEW + view] = (*known, last)[-_KEPT:] if last <= oldest else known
    node = replace(node, ages=ages, worn=worn)
    return replace(state, nodes={**state.nodes, node.key: node}), tuple(found)


def _ages_of(window: Batch) -> dict[str, Micros]:
    gauges = window.gauges.items()
    return {name.removeprefix(_AGE): round(value * 1e6) for name, value in gauges if name.startswith(_AGE)}


def _stale(state: PipelineState, node: Node, view: str, window: Batch, age: Micros, usual: Micros) -> Finding:
    sentence = f"{node.name} reads {view} {span(age)} old; it used to be renewed after {span(usual)} at most"
    for one in state.active.values():
        known = one.finding
        if (one.node, known.column, known.evidence_nats) == (node.key, view, inf) and not one.over:
            return replace(known, observed=age / 1e6, sentence=sentence)
    sound = [one.at for one in node.ring if _ages_of(one).get(view, usual) <= usual]
    due = next((one for one in node.ring if one.at > max(sound, default=0)), window)
    return Finding(
        subject=f"{node.pipeline}/{node.name}",
        statistic="feature_age",
        column=view,
        observed=age / 1e6,
        expected=usual / 1e6,
        evidence_nats=inf,
        alarm_batch_id=window.batch_id,
        alarm_at=window.at,
        onset_earliest=max(sound, default=due.at),
        onset_latest=due.at,
        onset_batch_id=due.batch_id,
        sentence=sentence,
    )
