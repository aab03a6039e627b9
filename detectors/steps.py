"""What one batch adds to the evidence about each statistic, and whether that is enough."""

import numpy as np
from numpy.typing import NDArray

from detectors import evidence, opinion
from detectors.baseline import rate_of, unexplained
from detectors.comparing import Compared
from detectors.reference import Floats
from detectors.shape import outside
from detectors.state import DatasetState, Policy
from detectors.surprise import believed_nats, single_limit
from detectors.table import OUTSIDE

MONTH_S = 30 * 86400.0
HELD = 30.0  # rows of the kind from which on counts tell whether they come alone or in bursts
FAR = 3.0  # nats above the threshold that a shift of absurd size must prove
TINY = 1e-3  # the least that is known of a law
MOST = 0.7  # of the threshold that one batch may add to a CUSUM, unless its tail is known to be thin


def run_length_of(state: DatasetState, usual_gap_s: float, policy: Policy) -> float:
    """Steps between false alarms of one statistic, so that all statistics together keep the requested rate."""
    steps_a_month = max(MONTH_S / (usual_gap_s * state.pooled), 1.0)
    watched = max(policy.monitored, len(state.table))
    share = opinion.share(policy.second_detector)
    return max(share * steps_a_month * watched / policy.false_alarms_per_month, np.e)


def steps_of(state: DatasetState, weighed: Compared, policy: Policy, run_length: float, unknown: Floats) -> Floats:
    """What this batch adds to each CUSUM: by the normal law, or by counts where a rate is rare.

    No batch adds more than most of the threshold, and no deviation counts beyond ``policy.clip``, but for what the tail
    of the statistic allows. Scale, skew and tail stray to one side further than to the other, which their tail does not
    tell: as far as their law is unknown, it takes two batches. A rare rate is no normal variable: of it only counts are
    believed. unknown: share of each statistic's variance that may be of any law.
    """
    nats = np.maximum(np.abs(weighed.z) - weighed.tolerance, 0) ** 2 / 2
    rare = np.flatnonzero(weighed.rare & weighed.live)
    counted = _rare_steps(state, weighed, policy, rare)
    nats[rare] = counted.max(axis=(1, 2), initial=0.0)
    believed = believed_nats(state.surprises, nats, unknown)
    steps = evidence.normal_steps(weighed.z, weighed.tolerance, np.maximum(policy.clip, np.sqrt(2 * believed)))
    steps[rare] = counted
    usual = MOST * float(np.log(run_length))
    most = np.maximum(usual, believed)
    most[weighed.shapes] -= unknown[weighed.shapes] * (most[weighed.shapes] - usual)
    limited: Floats = np.minimum(steps, most[:, None, None])
    return limited


def _rare_steps(state: DatasetState, weighed: Compared, policy: Policy, rare: NDArray[np.int64]) -> Floats:
    """Evidence of counts; the root of the expected rate is uncertain by a standard error in either direction.

    Neighbours and season move it by as much as they move the level: the level itself is no rate, for the arcsine of no
    rows is more than none. Counts vary as binomial ones do at least.
    """
    measured, live = weighed.measured, state.live
    carried = np.zeros(len(weighed.live))
    carried[weighed.shaped + OUTSIDE] = outside(weighed.apart)
    root = np.arcsin(np.sqrt(rate_of(live)[rare]))
    moved = root + weighed.judged.predicted[rare] - live.mean[rare]
    slack = policy.tolerance / 2 + carried[rare] + 0.5 / np.sqrt(live.rows[rare] + 1)
    sampling = measured.sampling[rare]
    dispersion = np.maximum(weighed.deviation[rare] ** 2 / sampling, 1.0)
    return evidence.rare_steps(
        measured.held[rare],
        measured.rows[rare],
        (np.maximum(root, moved) + slack, np.minimum(root, moved) - slack),
        np.sqrt(sampling * dispersion),
        dispersion,
    )


def crossed(state: DatasetState, weighed: Compared, run_length: float, unknown: Floats) -> NDArray[np.bool_]:
    """Which statistics have changed: by accumulated evidence, or by a single batch of absurd size.

    unknown: as for ``steps_of``.
    """
    bank = state.bank
    heavy = unknown**2  # as excess kurtosis, of which a part's share is its square
    limit = evidence.thresholds(bank, run_length, heavy)
    nats = np.maximum(np.abs(weighed.z) - weighed.tolerance, 0) ** 2 / 2
    far = np.abs(weighed.value - weighed.judged.level) > state.table.far
    alone = single_limit(state.surprises, run_length, unknown)
    alone[weighed.shapes] /= np.maximum(1 - unknown[weighed.shapes], TINY)
    absurd = far & (nats > np.maximum(limit + FAR, alone))
    found: NDArray[np.bool_] = (evidence.height(bank) > limit) | absurd
    if state.second is not None:
        found |= opinion.alarmed(state.second, limit, weighed.tolerance, run_length) & ~weighed.rare
    return found


def unexplained_share(state: DatasetState) -> Floats:
    """Share of each statistic's variance that may be of any law: all, where sampling variance is a convention."""
    live = state.live
    scarce = np.where(state.table.rate, HELD / (HELD + np.minimum(live.held, live.rows - live.held)), 0.0)
    return np.where(state.table.drawn, np.maximum(unexplained(live), scarce), 1.0)
