"""The judgement of one whole batch: place it in time, pool it if it is small, weigh it, tell what was found."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from detectors.checks import Claim
from detectors.judgement import Judgement, Readings
from detectors.life import exact_findings, standing
from detectors.points import pointwise
from detectors.pooling import emptied, pooled, startles
from detectors.portrait import gauges, profiles
from detectors.state import RECENT, Attendance, BatchSummary, DatasetState, Policy, Recent

LATE_GAPS = 3.0  # usual gaps by which a batch may be behind and still count
USUAL_GAP_S = 60.0  # until a gap was seen


def judge(
    state: DatasetState, batch: BatchSummary, claims: Sequence[Claim], fingerprint: int, policy: Policy
) -> tuple[DatasetState, Judgement]:
    """Fold one whole batch, with what the exact checks claim of it."""
    late = is_late(state, batch)
    gap_s = _gap_s(state, batch, policy)
    usable = not late and batch.rows > 0 and not any(claim.statistic == "duplicate_batch" for claim in claims)
    waits = usable and batch.rows < policy.pool_rows and not pointwise(state, usual_gap_s(state), policy)
    alone = waits and startles(state, batch, policy)
    state = emptied(state, usual_gap_s(state), policy) if alone else state
    state = exact_findings(state, batch, claims)
    state = remember(state, batch, fingerprint, state.steps + 1 if usable else -1, policy)
    state = _attendance(state, batch, policy) if usable else state
    weighed = Readings()
    if usable:
        state, weighed = pooled(state, batch, gap_s, usual_gap_s(state), policy, alone)
    return state, Judgement(
        findings=standing(state),
        readings=weighed,
        profiles=profiles(state, batch),
        gauges=gauges(state, batch),
        warming_up=state.steps <= policy.warm_up(state.pooled),
        late=late,
    )


def is_late(state: DatasetState, batch: BatchSummary) -> bool:
    """Whether a batch is too old to be compared with its predecessors: a backfill, or history."""
    if state.watermark is None or batch.at >= state.watermark:
        return False
    return batch.backfill or (state.watermark - batch.at) / 1e6 > LATE_GAPS * usual_gap_s(state)


def usual_gap_s(state: DatasetState) -> float:
    """Median seconds of event time between batches."""
    if len(state.recent.at) < 2:
        return USUAL_GAP_S
    at = np.sort(state.recent.at)
    gaps = np.sort(at[1:] - at[:-1])
    half = len(gaps) // 2
    return max((int(gaps[half]) + int(gaps[-half - 1])) / 2 / 1e6, 1e-3)


def _gap_s(state: DatasetState, batch: BatchSummary, policy: Policy) -> float | None:
    """Seconds since the batch before, ``None`` where the clock, the order or a re-run makes that meaningless."""
    if state.watermark is None or batch.replaces is not None or not _trusted(batch, policy):
        return None
    return (batch.at - state.watermark) / 1e6 if batch.at > state.watermark else None


def _trusted(batch: BatchSummary, policy: Policy) -> bool:
    return (batch.at - batch.arrived_at) / 1e6 <= policy.clock_s


def remember(state: DatasetState, batch: BatchSummary, fingerprint: int, step: int, policy: Policy) -> DatasetState:
    """Note the batch's id, time and content; move the watermark and the window, unless it is from the future."""
    recent = state.recent
    trusted, newest = _trusted(batch, policy), batch.at if state.watermark is None else max(state.watermark, batch.at)
    behind = trusted and batch.at < newest
    state = replace(
        state,
        batches=state.batches + 1,
        rows=state.rows + batch.rows,
        recent=Recent(
            ids=(*recent.ids, batch.batch_id)[-RECENT:],
            at=np.append(recent.at, batch.at)[-RECENT:],
            digest=np.append(recent.digest, np.uint64(fingerprint))[-RECENT:],
            step=np.append(recent.step, np.int32(step))[-RECENT:],
        ),
        disordered=state.disordered + (behind and not batch.backfill and batch.replaces is None),
        watermark=newest if trusted else state.watermark,
    )
    if not trusted:
        return state
    if batch.window_start is None or batch.window_end is None or behind:
        return state
    return replace(
        state,
        window_end=batch.window_end,
        windows=state.windows + 1,
        joined_windows=state.joined_windows + (batch.window_start == state.window_end),
    )


def _attendance(state: DatasetState, batch: BatchSummary, policy: Policy) -> DatasetState:
    """Note which columns were there, and which held infinities or extremes while the custom was being learnt."""
    held = [batch.columns.get(name) for name in state.columns]
    there = np.array([one is not None for one in held], np.bool_)
    known = state.attendance
    infinite, extreme = known.infinite, known.extreme
    if state.batches <= policy.warm_up_batches:
        infinite = infinite | np.array([one is not None and one.non_finite > 0 for one in held], np.bool_)
        extreme = extreme | np.array([one is not None and one.extreme > 0 for one in held], np.bool_)
    attendance = Attendance(batches=known.batches + there, infinite=infinite, extreme=extreme)
    return replace(state, attendance=attendance)
