"""Walking upstream from many findings at the price of few: the strongest of each column speaks for the others."""

from dataclasses import replace
from math import isinf

from diagnosis.onset import SHARP, bad_batches, interval_of, slack
from diagnosis.remembered import Remembered
from diagnosis.retest import Retest
from diagnosis.state import Active, Batch
from diagnosis.steps import Trace
from diagnosis.verdict import trace

_COLUMNS = 8  # walked per node; further columns follow the strongest that began with them
_TRACES = Remembered[Trace]()


def walk_all(retest: Retest, findings: tuple[Active, ...]) -> dict[str, Trace]:
    """Return a walk for every finding; those of one column share theirs, and so do columns beyond the first eight."""
    walks: dict[str, Trace] = {}
    spokesmen: dict[str, dict[tuple[str, str], Active]] = {}
    for one in sorted(findings, key=lambda one: (-one.finding.evidence_nats, one.opened, one.key)):
        known = spokesmen.setdefault(one.node, {})
        about = _about(one)
        speaker = known.get(about)
        if speaker is None and len(known) >= _COLUMNS:
            speaker = _beside(retest, one, tuple(known.values()))
        if speaker is None or not _met(retest, one, speaker):
            walks[one.key] = _walked(retest, one)
            known.setdefault(about, one)
        else:
            walks[one.key] = replace(walks[speaker.key], key=one.key)
    return walks


def _walked(retest: Retest, one: Active) -> Trace:
    return _TRACES.get(retest.lineage.of(one.node), one.key, retest.upstream(one.node), lambda: trace(retest, one))


def _about(one: Active) -> tuple[str, str]:
    finding = one.finding
    return (finding.column, "") if finding.column else ("", finding.statistic)


def _met(retest: Retest, one: Active, other: Active) -> bool:
    """Tell whether two findings of a node began together: near each other, unless both dates are beyond doubt."""
    near = slack(retest.lineage, one.node, retest.policy)
    if not interval_of(one.finding).meets(interval_of(other.finding), near):
        return False
    first, second = (_sudden(retest, each) for each in (one, other))
    return first is None or second is None or first.at == second.at


def _sudden(retest: Retest, one: Active) -> Batch | None:
    """Return a finding's first batch if it stands out by itself, None if others were needed to see it."""
    finding, lineage = one.finding, retest.lineage
    first = bad_batches(lineage, one.node, finding, one.last_at)[:1]
    if not first or isinf(finding.evidence_nats):
        return next(iter(first), None)
    shown = retest.strength(one.node, first, finding.column or "", finding.statistic)
    return first[0] if shown is not None and abs(shown) >= SHARP else None


def _beside(retest: Retest, one: Active, speakers: tuple[Active, ...]) -> Active | None:
    return next((speaker for speaker in speakers if _met(retest, one, speaker)), None)
