"""The life of a finding: it opens at an alarm, is repeated while it lasts, and ends when the statistic is back."""

from collections.abc import Sequence
from dataclasses import replace

from detectors.checks import Claim
from detectors.finding import Finding
from detectors.state import Active, BatchSummary, DatasetState


def exact_findings(state: DatasetState, batch: BatchSummary, claims: Sequence[Claim]) -> DatasetState:
    """Open the findings of exact checks; one that the batch before had too goes on under its first batch's name."""
    lasting = {(a.column, a.statistic): a for a in state.active if a.row < 0}
    if not lasting and not claims:
        return state
    opened = {(claim.column, claim.statistic): claim for claim in claims}
    active = tuple(
        replace(
            lasting.get(key) or _open(state, batch, claim),
            observed=claim.observed,
            expected=claim.expected,
            sentence=claim.sentence,
        )
        for key, claim in opened.items()
    )
    return replace(state, active=tuple(a for a in state.active if a.row >= 0) + active)


def _open(state: DatasetState, batch: BatchSummary, claim: Claim) -> Active:
    before = int(state.recent.at[-1]) if len(state.recent.at) else batch.at
    return Active(
        column=claim.column,
        statistic=claim.statistic,
        evidence=float("inf"),
        alarm_batch_id=batch.batch_id,
        alarm_at=batch.at,
        onset_earliest=min(before, batch.at),
        onset_latest=batch.at,
        onset_batch_id=batch.batch_id,
    )


def standing(state: DatasetState, *, exact: bool = True) -> tuple[Finding, ...]:
    """All findings that last, one per column and statistic: the strongest of a column's categories speaks for it."""
    strongest: dict[tuple[str, str], Active] = {}
    for active in state.active:
        if active.row < 0 and not exact:
            continue
        key = (active.column, active.statistic)
        held = strongest.get(key)
        if held is None or abs(active.effect or 0.0) > abs(held.effect or 0.0):
            strongest[key] = active
    return tuple(_finding(state.subject, active) for active in strongest.values())


def _finding(subject: str, active: Active) -> Finding:
    return Finding(
        subject=subject,
        statistic=active.statistic,
        column=active.column or None,
        observed=active.observed,
        expected=active.expected,
        effect=active.effect,
        evidence_nats=active.evidence,
        alarm_batch_id=active.alarm_batch_id,
        alarm_at=active.alarm_at,
        onset_earliest=active.onset_earliest,
        onset_latest=active.onset_latest,
        onset_batch_id=active.onset_batch_id,
        sentence=active.sentence,
        held_by=active.held.name if active.held else None,
        held_share=active.held.share if active.held else None,
    )
