"""What is remembered of a bank of bets on miscalibration, and of an alarm that it raised. Plain data."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.bets import MEMBERS, SHARES, nats
from detectors.recalibration import SHELVES, Floats, Recalibration, expit

LEARN_EVERY: Final = 500  # outcomes; what is learnt changes at multiples of it, so that nothing depends on calls
TOTALS: Final = 7  # outcomes, sums of outcomes, probabilities and hits; the first three again where p is high


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationAlarm:
    """A change of calibration that lasts.

    member: the bet that explains best what was seen since. rows: outcomes seen when it rose, at: prediction time of the
    last of them. onset_earliest, onset_latest: the change lies between them. before: the totals at the onset.
    recovery_nats: evidence that it is over.
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
    """The bank for all outcomes of a model, or for one segment. About 9.5 kB, constant.

    at: prediction time of the last outcome. stake: the e-detectors, shape ``(20,)``. cusum: nats; since its onset while
    an alarm stands. level: a CUSUM that starts anew between two prediction times only. zero_at: the last time before it
    did, and zero_totals, shape ``(20, 7)``, the totals then; late_at: the last one at which it may have. totals: since
    the start, shape ``(7,)``. waiting: outcomes by shelf, shape ``(2, 256)``; they teach the map once there is no
    evidence against it, never if an alarm comes first.
    """

    healthy: Recalibration = field(default_factory=Recalibration)
    rows: int = 0
    at: int = 0
    stake: Floats = field(default_factory=lambda: np.zeros(MEMBERS))
    cusum: Floats = field(default_factory=lambda: np.zeros(MEMBERS))
    level: Floats = field(default_factory=lambda: np.zeros(MEMBERS))
    zero_at: NDArray[np.int64] = field(default_factory=lambda: np.zeros(MEMBERS, dtype=np.int64))
    late_at: NDArray[np.int64] = field(default_factory=lambda: np.zeros(MEMBERS, dtype=np.int64))
    zero_totals: Floats = field(default_factory=lambda: np.zeros((MEMBERS, TOTALS)))
    totals: Floats = field(default_factory=lambda: np.zeros(TOTALS))
    waiting: NDArray[np.float32] = field(default_factory=lambda: np.zeros((2, SHELVES), np.float32))
    alarm: CalibrationAlarm | None = None

    @property
    def evidence_nats(self) -> float:
        """Logarithm of the bank's mean stake."""
        return self.alarm.evidence_nats if self.alarm else float(nats(self.stake, SHARES))


def restarted(bank: Calibration, at: int) -> Calibration:
    """The bank after an alarm that was over at prediction time ``at``: the map is kept, all bets start anew."""
    return Calibration(
        healthy=bank.healthy,
        rows=bank.rows,
        at=at,
        zero_at=np.full(MEMBERS, at, dtype=np.int64),
        late_at=np.full(MEMBERS, at, dtype=np.int64),
        zero_totals=np.tile(bank.totals, (MEMBERS, 1)),
        totals=bank.totals,
    )


def terms(healthy: Recalibration, log_odds: Floats, outcomes: Floats) -> Floats:
    """What each outcome adds to the totals, shape ``(7, n)``."""
    seen = np.stack([np.ones_like(outcomes), outcomes, expit(log_odds)])
    hit = (log_odds >= 0.0) == (outcomes > 0.5)
    added: Floats = np.vstack([seen, hit, seen * (log_odds >= healthy.centre)])
    return added
