"""Whether a change of calibration that was found is over."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.bank import LEARN_EVERY, Calibration, restarted, terms
from detectors.bets import SLOPES, intercepts, live_members, log_ratios
from detectors.recalibration import Floats

RECOVERY_NATS: Final = 6.5  # a change of three quarters of the best bet passes for none once in e**13 tries


def watch_recovery(
    bank: Calibration, score_logit: Floats, outcomes: Floats, at: NDArray[np.int64]
) -> tuple[Calibration, int]:
    """A CUSUM for the healthy map against half the best bet: when it is sure, the alarm is over, bets start anew.

    Half, because the best bet may exceed the change. Which is best is asked again as outcomes come in: the one that
    raised the alarm may be twice the change, and against half of it the healthy map would win in the end.
    """
    alarm = bank.alarm
    assert alarm is not None
    log_odds = bank.healthy.log_odds(score_logit)
    levels, member = intercepts(bank.healthy), slice(alarm.member, alarm.member + 1)
    against = -np.cumsum(log_ratios(log_odds, outcomes, levels[member] / 2.0, (1.0 + SLOPES[member]) / 2.0)[0])
    recovery = against + np.maximum(np.maximum.accumulate(-against), alarm.recovery_nats)
    over = np.flatnonzero(recovery >= RECOVERY_NATS)
    used = int(over[0]) + 1 if over.size else score_logit.size
    added = terms(bank.healthy, log_odds[:used], outcomes[:used]).sum(axis=1)
    bank = replace(bank, rows=bank.rows + used, totals=bank.totals + added)
    if over.size:
        return restarted(bank, int(at[used - 1])), used
    live = live_members(bank.healthy)
    cusum = bank.cusum + np.where(live, log_ratios(log_odds, outcomes, levels, SLOPES).sum(axis=1), 0.0)
    asked = bank.rows % LEARN_EVERY == 0
    best = int(np.argmax(np.where(live, cusum, -np.inf))) if asked else alarm.member
    return replace(bank, cusum=cusum, alarm=replace(alarm, member=best, recovery_nats=float(recovery[-1]))), used
