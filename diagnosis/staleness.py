"""Stale features: a model that goes on reading a batch which should long have been renewed."""

from dataclasses import dataclass, replace
from math import inf

from detectors.finding import Finding

from diagnosis.alert import Match
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.state import Batch, Node, PipelineState
from diagnosis.wording import span

_KEPT = 16
_HISTORY = 8
_GAPS = 2.5  # a feature batch may be late once, not twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """A finding about features that are too old, and the node it belongs to: their dataset, or the model."""

    node: str
    finding: Finding


def note_ages(state: PipelineState, window: Batch) -> tuple[PipelineState, tuple[Stale, ...]]:
    """Learn how old a model's feature batches usually are, and say which are far too old now; pure.

    Where the dataset has nothing newer, it is the dataset that is stale; else the model keeps reading an old batch.
    """
    node = state.nodes[window.node]
    lineage = Lineage(nodes={key: state.nodes[key] for key in (window.node, *node.parents) if key in state.nodes})
    ages, found = dict(node.ages), []
    for key in node.parents:
        named = [one for one in lineage.parents(window) if one.link.parent == key]
        read = [batch for one in named for batch in one.batches]
        on_their_way = any(one.link.match is Match.EXACT and not one.batches for one in named)
        if not read or on_their_way or window.late:
            continue
        newest = max(read, key=lambda batch: (batch.at, batch.batch_id))
        age = window.at - newest.at
        known = ages.get(key, ())
        usual = _usual(lineage, key, known)
        if usual is None or age <= usual:
            ages[key] = (*known, age)[-_KEPT:]
        else:
            found.append(_stale(lineage, node, key, newest, window, sorted(known)[len(known) // 2]))
    return replace(state, nodes={**state.nodes, node.key: replace(node, ages=ages)}), tuple(found)


def _usual(lineage: Lineage, key: str, ages: tuple[int, ...]) -> Micros | None:
    """Return the age that features hardly ever exceed, None while too little is known."""
    if len(ages) < _HISTORY or len(lineage.ring(key)) <= _HISTORY:
        return None
    return round(sorted(ages)[len(ages) // 2] + _GAPS * lineage.usual_gap(key))


def _stale(lineage: Lineage, model: Node, key: str, newest: Batch, window: Batch, usual: Micros) -> Stale:
    features = lineage.nodes[key]
    renewed = any(batch.at > newest.at for batch in lineage.ring(key))
    about = model if renewed else features
    at = newest.at + lineage.usual_gap(key)
    age = window.at - newest.at
    return Stale(
        node=about.key,
        finding=Finding(
            subject=f"{about.pipeline}/{about.name}",
            statistic="feature_age",
            observed=age / 1e6,
            expected=usual / 1e6,
            evidence_nats=inf,
            alarm_batch_id=newest.batch_id,
            alarm_at=window.at,
            onset_earliest=newest.at,
            onset_latest=at,
            onset_batch_id=None if renewed else newest.batch_id,
            sentence=f"{model.name} still reads batch {newest.batch_id} of {features.name}, {span(age)} old; "
            f"usually it is {span(usual)} old",
        ),
    )
