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

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.bets import MEMBERS, SHIFTS, SLOPES, live_members, log_ratios, shiryaev_roberts
from detectors.recalibration import SHELVES, Floats, Recalibration, count, fit, tally

LEARN_EVERY: Final = 500  # outcomes; the map changes at multiples of it, so that nothing depends on calls
QUIET_NATS: Final = 2.0  # outcomes that may belong to a change wait until it turns out that they do not
YOUNG_NATS: Final = 4.0  # more, while the map is young: else its early errors would lock it in
YOUNG_ROWS: Final = 15_000
FIRST_ROWS: Final = (
    2_000  # outcomes that teach the map whatever they say of it: it is too rough to be held against them
)
RECOVERY_NATS: Final = 8.0
ONSET_NATS: Final = 3.0
RIVAL_NATS: Final = 5.0
LARGEST_EXPONENT: Final = 300.0
SMALLEST_STAKE: Final = 1e-300


def _zeros() -> Floats:
    return np.zeros(MEMBERS)


def _totals() -> Floats:
    return np.zeros(TOTALS)


def _totals_by_member() -> Floats:
    return np.zeros((MEMBERS, TOTALS))


def _nothing() -> NDArray[np.float32]:
    return np.zeros((2, SHELVES), np.float32)


TOTALS: Final = 5  # outcomes, sum of outcomes, sum of probabilities, sum of hits, sum of confidences


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationAlarm:
    """A change of calibration that lasts.

    member: the bet that won. rows: outcomes seen when it rose, at: prediction time of the last of them.
    onset_earliest, onset_latest: the change lies between them. before: the totals at the onset. recovery_nats:
    evidence that it is over.
    """

    member: int
    rows: int
    at: int
    evidence_nats: float
    onset_earliest: int
    onset_latest: int
    before: Floats
    recovery_nats: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """The bank for all outcomes of a model, or for one segment. About 8.3 kB, constant.

    stake: the e-detectors, shape ``(14,)``. cusum: nats. zero_at: prediction time of each CUSUM's last zero, and
    zero_totals, shape ``(14, 5)``, the totals then. totals: since the start, shape ``(5,)``. waiting: outcomes by
    shelf, shape ``(2, 256)``; they teach the map once there is no evidence against it, never if an alarm comes first.
    """

    healthy: Recalibration = field(default_factory=Recalibration)
    rows: int = 0
    stake: Floats = field(default_factory=_zeros)
    cusum: Floats = field(default_factory=_zeros)
    zero_at: NDArray[np.int64] = field(default_factory=lambda: np.zeros(MEMBERS, dtype=np.int64))
    zero_totals: Floats = field(default_factory=_totals_by_member)
    totals: Floats = field(default_factory=_totals)
    waiting: NDArray[np.float32] = field(default_factory=_nothing)
    alarm: CalibrationAlarm | None = None

    @property
    def evidence_nats(self) -> float:
        """Logarithm of the bank's mean stake."""
        return self.alarm.evidence_nats if self.alarm else float(np.log(max(self.stake.mean(), SMALLEST_STAKE)))


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
    >>> 8_000 < bank.alarm.at, bool(SHIFTS[bank.alarm.member] > 0)
    (True, True)
    """
    start = 0
    while start < score_logit.size:
        end = min(score_logit.size, start + LEARN_EVERY - bank.rows % LEARN_EVERY)
        part = slice(start, end)
        if bank.alarm is not None:
            bank, used = _watch_recovery(bank, score_logit[part], outcomes[part], at[part])
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
    running = bank.totals[:, None] + np.cumsum(_terms(log_odds, outcomes), axis=1)
    used = score_logit.size
    alarm: CalibrationAlarm | None = None
    if live.size:
        total = np.cumsum(log_ratios(log_odds, outcomes, SHIFTS[live], SLOPES[live]), axis=1)
        if used > 1 and float(np.abs(total).max()) > LARGEST_EXPONENT:
            half = slice(0, used // 2)
            return _bet(bank, score_logit[half], outcomes[half], at[half], threshold_nats, baseline_rows)
        stakes = shiryaev_roberts(bank.stake[live], total)
        evidence = np.log(np.maximum(stakes.mean(axis=0), SMALLEST_STAKE))
        crossed = np.flatnonzero(evidence >= threshold_nats)
        used = int(crossed[0]) + 1 if crossed.size else used
        bank = _advance(bank, live, stakes[:, used - 1], total[:, :used], at[:used], running[:, :used])
        if crossed.size:
            alarm = _alarm(bank, live, bank.rows + used, int(at[used - 1]), float(evidence[used - 1]))
    bank = replace(bank, rows=bank.rows + used, totals=running[:, used - 1], alarm=alarm)
    return _learn(bank, score_logit[:used], outcomes[:used]), used


def _learn(bank: Calibration, score_logit: Floats, outcomes: Floats) -> Calibration:
    """Let outcomes wait; at the end of every 500 the map learns all that do, unless there is evidence against it."""
    waiting = bank.waiting + tally(score_logit, outcomes)
    if bank.rows % LEARN_EVERY or not _quiet(bank):
        return replace(bank, waiting=waiting)
    return replace(bank, healthy=fit(count(bank.healthy, waiting)), waiting=_nothing())


def _quiet(bank: Calibration) -> bool:
    margin = YOUNG_NATS if bank.healthy.rows < YOUNG_ROWS else 0.0
    return bank.healthy.rows < FIRST_ROWS or float(bank.cusum.max()) < QUIET_NATS + margin


def _advance(
    bank: Calibration, live: NDArray[np.intp], stakes: Floats, total: Floats, at: NDArray[np.int64], running: Floats
) -> Calibration:
    lowest = np.maximum(np.maximum.accumulate(-total, axis=1), bank.cusum[live][:, None])
    cusum = total + lowest
    at_zero = cusum <= 0.0
    last_zero = at.size - 1 - np.argmax(at_zero[:, ::-1], axis=1)
    touched = at_zero.any(axis=1)
    stake, evidence = bank.stake.copy(), bank.cusum.copy()
    zero_at, zero_totals = bank.zero_at.copy(), bank.zero_totals.copy()
    stake[live], evidence[live] = stakes, cusum[:, -1]
    zero_at[live[touched]] = at[last_zero[touched]]
    zero_totals[live[touched]] = running[:, last_zero[touched]].T
    return replace(bank, stake=stake, cusum=evidence, zero_at=zero_at, zero_totals=zero_totals)


def _alarm(bank: Calibration, live: NDArray[np.intp], rows: int, at: int, evidence: float) -> CalibrationAlarm:
    """The winner's last zero, give or take what 3 nats of its growth took, and those of bets that are about as good."""
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
        onset_latest=min(max(zero + reach, int(rivals.max())), at),
        before=bank.zero_totals[member].copy(),
    )


def _watch_recovery(
    bank: Calibration, score_logit: Floats, outcomes: Floats, at: NDArray[np.int64]
) -> tuple[Calibration, int]:
    """A CUSUM for the healthy map against half the bet that won: when it is sure, the alarm is over, bets start anew.

    Half, because the bet that won may exceed the change: outcomes of a change half its size fit either as well.
    """
    assert bank.alarm is not None
    log_odds = bank.healthy.log_odds(score_logit)
    member = slice(bank.alarm.member, bank.alarm.member + 1)
    halved = SHIFTS[member] / 2.0, (1.0 + SLOPES[member]) / 2.0
    against = -np.cumsum(log_ratios(log_odds, outcomes, *halved)[0])
    recovery = against + np.maximum(np.maximum.accumulate(-against), bank.alarm.recovery_nats)
    over = np.flatnonzero(recovery >= RECOVERY_NATS)
    used = int(over[0]) + 1 if over.size else score_logit.size
    totals = bank.totals + _terms(log_odds[:used], outcomes[:used]).sum(axis=1)
    rows = bank.rows + used
    if over.size:
        return _restarted(replace(bank, rows=rows, totals=totals), int(at[used - 1])), used
    alarm = replace(bank.alarm, recovery_nats=float(recovery[-1]))
    return replace(bank, rows=rows, totals=totals, alarm=alarm), used


def _restarted(bank: Calibration, at: int) -> Calibration:
    return replace(
        bank,
        stake=_zeros(),
        cusum=_zeros(),
        zero_at=np.full(MEMBERS, at, dtype=np.int64),
        zero_totals=np.tile(bank.totals, (MEMBERS, 1)),
        waiting=_nothing(),
        alarm=None,
    )


def _terms(log_odds: Floats, outcomes: Floats) -> Floats:
    probability = 1.0 / (1.0 + np.exp(-log_odds))
    hit = (log_odds >= 0.0) == (outcomes > 0.5)
    confidence = np.maximum(probability, 1.0 - probability)
    terms: Floats = np.stack([np.ones_like(outcomes), outcomes, probability, hit.astype(np.float64), confidence])
    return terms
