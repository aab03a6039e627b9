"""Whether outcomes still happen as often as the scores say: a bank of likelihood-ratio e-detectors.

Every member of the bank bets on one way to be miscalibrated, ``logit q = a + b * logit p``, against the healthy map
``p`` (``detectors.recalibration``); its stake grows by the likelihood ratio of each outcome. An e-process that is
started once is useless after a million good outcomes, because it has lost its stake by then. So each member is an
e-detector of Shiryaev-Roberts form, ``M <- (M + 1) * ratio``: the sum of the e-processes started at every outcome
so far. While nothing changed, ``M - n`` is a martingale, hence alarming when the mean of ``M`` over the bank reaches
``A`` gives fewer than ``n / A`` alarms in ``n`` outcomes, whatever the distribution of the scores, and covariate shift
is no evidence at all. CUSUMs of the same ratios run beside it for their last zero: the onset.

Source: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors" (2022), Def. 2.2 and §2.4; M. Pollak, "Optimal detection of a
change in distribution" (1985); the mixture: T. L. Lai, "Information bounds" (1998).
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.bank import LEARN_EVERY, Calibration, CalibrationAlarm, terms
from detectors.bets import SHARES, SLOPES, intercepts, live_members, log_ratios, nats, shiryaev_roberts
from detectors.recalibration import Floats, count, fit, tally
from detectors.recovery import watch_recovery

QUIET_NATS: Final = 2.0  # outcomes that may belong to a change wait until it turns out that they do not
YOUNG_NATS: Final = 4.0  # more, while the map is young: else its early errors would lock it in
YOUNG_ROWS: Final = 15_000
FIRST_ROWS: Final = 2_000  # these teach the map whatever they say of it: it is too rough to be held against them
ONSET_NATS: Final = 3.0
LATE_NATS: Final = 1.0  # predictions count as affected from the last time on that is no worse a start by more
RIVAL_NATS: Final = 5.0
LARGEST_EXPONENT: Final = 300.0


def fold_outcomes(
    bank: Calibration,
    score_logit: Floats,
    outcomes: Floats,
    at: NDArray[np.int64],
    *,
    threshold_nats: float,
    baseline_rows: int,
) -> Calibration:
    """Fold outcomes (0 or 1) in prediction order; all arrays have shape ``(n,)``, ``at`` is the prediction's time.

    The result does not depend on how outcomes are cut into calls.

    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(0, 1.5, 12_000)
    >>> shift = np.where(np.arange(12_000) < 8_000, 0.0, 0.7)
    >>> y = (rng.random(12_000) < 1 / (1 + np.exp(-x - shift))).astype(float)
    >>> bank = fold_outcomes(Calibration(), x, y, np.arange(12_000), threshold_nats=16.0, baseline_rows=500)
    >>> 8_000 < bank.alarm.at < 9_000
    True
    """
    start = 0
    while start < score_logit.size:
        end = min(score_logit.size, start + LEARN_EVERY - bank.rows % LEARN_EVERY)
        part = slice(start, end)
        if bank.alarm is not None:
            bank, used = watch_recovery(bank, score_logit[part], outcomes[part], at[part])
        else:
            bank, used = _bet(bank, score_logit[part], outcomes[part], at[part], threshold_nats, baseline_rows)
        start += used
    return bank


def _bet(
    bank: Calibration,
    score_logit: Floats,
    outcomes: Floats,
    at: NDArray[np.int64],
    threshold_nats: float,
    baseline_rows: int,
) -> tuple[Calibration, int]:
    """Fold outcomes up to the first alarm; return how many were used."""
    log_odds = bank.healthy.log_odds(score_logit)
    live = np.flatnonzero(live_members(bank.healthy)) if bank.rows >= baseline_rows else np.empty(0, dtype=np.intp)
    running = bank.totals[:, None] + np.cumsum(terms(bank.healthy, log_odds, outcomes), axis=1)
    used = score_logit.size
    alarm: CalibrationAlarm | None = None
    if live.size:
        total = np.cumsum(log_ratios(log_odds, outcomes, intercepts(bank.healthy)[live], SLOPES[live]), axis=1)
        if used > 1 and float(np.abs(total).max()) > LARGEST_EXPONENT:
            half = slice(0, used // 2)
            return _bet(bank, score_logit[half], outcomes[half], at[half], threshold_nats, baseline_rows)
        stakes = shiryaev_roberts(bank.stake[live], total)
        evidence = nats(stakes, SHARES[live])
        crossed = np.flatnonzero(evidence >= threshold_nats)
        used = int(crossed[0]) + 1 if crossed.size else used
        bank = _advance(bank, live, stakes[:, used - 1], total[:, :used], at[:used], running[:, :used])
        if crossed.size:
            alarm = _alarm(bank, live, bank.rows + used, int(at[used - 1]), float(evidence[used - 1]))
    bank = replace(bank, rows=bank.rows + used, at=int(at[used - 1]), totals=running[:, used - 1], alarm=alarm)
    return _learn(bank, score_logit[:used], outcomes[:used]), used


def _learn(bank: Calibration, score_logit: Floats, outcomes: Floats) -> Calibration:
    """Let outcomes wait; at the end of every 500 the map learns all that do, unless there is evidence against it."""
    waiting = bank.waiting + tally(score_logit, outcomes)
    if bank.rows % LEARN_EVERY or not _quiet(bank):
        return replace(bank, waiting=waiting)
    return replace(bank, healthy=fit(count(bank.healthy, waiting)), waiting=np.zeros_like(bank.waiting))


def _quiet(bank: Calibration) -> bool:
    margin = YOUNG_NATS if bank.healthy.rows < YOUNG_ROWS else 0.0
    return bank.healthy.rows < FIRST_ROWS or float(bank.cusum.max()) < QUIET_NATS + margin


def _advance(
    bank: Calibration, live: NDArray[np.intp], stakes: Floats, total: Floats, at: NDArray[np.int64], running: Floats
) -> Calibration:
    """Fold outcomes into stakes and CUSUMs; a change comes with a prediction time, so that it begins between two."""
    lowest = np.maximum(-total.min(axis=1), bank.cusum[live])
    previous, before = np.concatenate([[bank.at], at[:-1]]), _shifted(np.zeros(live.size), total)
    between = np.broadcast_to(at != previous, total.shape)
    level = total + np.maximum(
        np.maximum.accumulate(np.where(between, -before, -np.inf), axis=1), bank.level[live][:, None]
    )
    earlier = _shifted(bank.level[live], level)
    anew, begun = _last(between & (earlier <= 0.0))
    late, doubtful = _last(between & (earlier <= LATE_NATS))
    stake, cusum, levels = bank.stake.copy(), bank.cusum.copy(), bank.level.copy()
    zero_at, late_at, zero_totals = bank.zero_at.copy(), bank.late_at.copy(), bank.zero_totals.copy()
    stake[live], cusum[live], levels[live] = stakes, total[:, -1] + lowest, level[:, -1]
    zero_at[live[begun]], late_at[live[doubtful]] = previous[anew], at[late]
    zero_totals[live[begun]] = _shifted(bank.totals, running)[:, anew].T
    return replace(
        bank, stake=stake, cusum=cusum, level=levels, zero_at=zero_at, late_at=late_at, zero_totals=zero_totals
    )


def _shifted(first: Floats, values: Floats) -> Floats:
    """What was there before each column of ``values``."""
    return np.column_stack([first, values[:, :-1]])


def _last(held: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The last column that holds in each row that has one, and which rows do."""
    some: NDArray[np.bool_] = np.any(held, axis=1)
    return held.shape[1] - 1 - np.argmax(held[some, ::-1], axis=1), some


def _alarm(bank: Calibration, live: NDArray[np.intp], rows: int, at: int, evidence: float) -> CalibrationAlarm:
    """The winner's last zero, give or take 3 nats, and those of bets that are about as good."""
    member = int(live[np.argmax(bank.cusum[live])])
    zero = int(bank.zero_at[member])
    rivals = bank.zero_at[live[bank.cusum[live] >= bank.cusum[member] - RIVAL_NATS]]
    reach = round(ONSET_NATS / float(bank.cusum[member]) * (at - zero))
    return CalibrationAlarm(
        member=member,
        rows=rows,
        at=at,
        evidence_nats=evidence,
        onset_earliest=min(zero - reach, int(rivals.min())),
        onset_latest=max(int(bank.late_at[member]), int(rivals.max())),
        before=bank.zero_totals[member].copy(),
    )
