"""What a fault did to predictions, by what it spoilt: measured whole, or on top of what is known of it already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from diagnosis.alert import Impact
from diagnosis.attribution import with_attribution
from diagnosis.extent import spoilt
from diagnosis.harm import at_home, with_harms
from diagnosis.impact import ALWAYS, Reach, advance, count, descend, impact_of
from diagnosis.lineage import Lineage, weaker
from diagnosis.observation import Harm, Micros
from diagnosis.onset import Interval
from diagnosis.performance import with_outcomes, with_performance
from diagnosis.policy import Policy
from diagnosis.remembered import Remembered
from diagnosis.state import Active, Batch, Fault, NodeKind, Reached

NEWEST = 16  # batches per node that late parents may still change
BEYOND_ESTIMATES = "score_out_of_range"
"""Accuracy is estimated from the scores: not where they were never seen before."""
BORNE_OUT = "calibration"
"""Where scores no longer mean what they said, accuracy is what outcomes say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """When a fault began, and whether somebody's change is its cause: what was made before that is sound."""

    earliest: Micros
    latest: Micros
    deliberate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a fault already.

    tainted, reached: as of a ``Fault``. over: when it ended, None while it lasts. impact: what was told of it last.
    harms: what other pipelines told of it.
    """

    tainted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reached: Mapping[str, Reached] = field(default_factory=dict)
    over: Micros | None = None
    impact: Impact | None = None
    harms: Mapping[str, Harm] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The impact of a fault, its counts per model, and what is kept so that it need not be measured anew."""

    impact: Impact
    totals: dict[str, Reached]
    tainted: dict[str, tuple[str, ...]]
    reached: dict[str, Reached]


_MEASURED = Remembered[Measured]()


def known_of(fault: Fault | None) -> Known:
    """Return what is known of a fault, nothing of one that has no alert yet."""
    if fault is None:
        return Known()
    return Known(
        tainted=fault.tainted,
        reached=fault.reached,
        over=fault.alert.resolved_at,
        impact=fault.alert.impact,
        harms=fault.harms,
    )


def measure(
    lineage: Lineage,
    policy: Policy,
    members: Sequence[Active],
    origin: str,
    began: Began,
    known: Known,
    newest: int | None = None,
) -> Measured:
    """Return which predictions a fault reached that its findings ``members`` show.

    newest: look at only so many of each node's newest batches.
    """
    rings = lineage.numbers(_concerned(lineage, {origin, *known.tainted, *(member.node for member in members)}))
    seen = rings, policy, members, began, known, newest
    name = tuple(member.key for member in members)
    return _MEASURED.get(
        lineage.of(origin), name, seen, lambda: _measured(lineage, policy, members, origin, began, known, newest)
    )


def _concerned(lineage: Lineage, hit: set[str]) -> list[str]:
    """Return the nodes that a fault at these may reach, and whatever predicts: its share is of all predictions."""
    below = hit.union(*map(lineage.descendants, hit))
    return sorted(key for key, node in lineage.nodes.items() if key in below or node.kind is NodeKind.MODEL)


def _measured(
    lineage: Lineage,
    policy: Policy,
    members: Sequence[Active],
    origin: str,
    began: Began,
    known: Known,
    newest: int | None,
) -> Measured:
    since = began.latest
    seeds = spoilt(lineage, origin, members, newest)
    if began.deliberate:
        seeds = tuple(batch for batch in seeds if batch.node != origin or batch.at > began.earliest)
    measured = counted(lineage, policy, known, seeds, origin, since, newest)
    impact, before = measured.impact, at_home(known.impact) if known.impact else None
    told = {member.finding.statistic for member in members}
    if BORNE_OUT in told:
        impact = with_outcomes(lineage, impact, since)
    elif BEYOND_ESTIMATES not in told:
        impact = with_performance(lineage, impact, since, before)
    if any(statistic.startswith("score_") for statistic in told):
        impact = with_attribution(lineage, impact, since, before)
    return replace(measured, impact=with_harms(impact, measured.totals, known.harms))


def counted(
    lineage: Lineage,
    policy: Policy,
    known: Known,
    seeds: Sequence[Batch],
    origin: str,
    since: Micros,
    newest: int | None,
) -> Measured:
    """Return which predictions of this pipeline descend from these batches, and from what is known to be spoilt."""
    lasted = Interval(earliest=since, latest=known.over or ALWAYS)
    reach = descend(lineage, seeds, known.tainted, newest)
    totals = count(lineage, reach, lasted, known.reached)
    impact = impact_of(lineage, totals, reach.match)
    if known.tainted and known.impact is not None and known.impact.predictions_affected:
        impact = replace(impact, match=weaker(impact.match, known.impact.match))
    most = policy.ring_batches // 2
    return Measured(
        impact=impact,
        totals=totals,
        tainted={key: _latest(lineage, key, ids, known.tainted.get(key, ()), policy) for key, ids in _named(reach)},
        reached=advance(lineage, reach, lasted, known.reached, origin, min(NEWEST, most), most),
    )


def _named(reach: Reach) -> list[tuple[str, frozenset[str]]]:
    return sorted(reach.batches.items())


def _latest(lineage: Lineage, key: str, ids: frozenset[str], known: tuple[str, ...], policy: Policy) -> tuple[str, ...]:
    """Return a node's spoilt batches in order, forgetting the oldest beyond a ring's length."""
    added = [batch.batch_id for batch in lineage.ring(key) if batch.batch_id in ids]
    return tuple(dict.fromkeys((*known, *added)))[-policy.ring_batches :]
