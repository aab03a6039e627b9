"""Calibration through the whole path, from predictions that wait to outcomes that mature: false alarms and delays.

Delays are counted in outcomes, in the order of predictions. The oracle knows the true map, the change, and in which
segment: a CUSUM of the likelihood ratios at the textbook threshold, the logarithm of the requested run length. Sharper
still is Shiryaev and Roberts' procedure for the known change at our own run length; nothing can be faster at that rate.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.detection.calibration_peers import PEERS, alarms
from benchmarks.detection.calibration_peers import delays as peer_delays
from benchmarks.detection.outcomes import Life, Rows, apart, drawn, soon, telling
from benchmarks.report import Report
from detectors.bank import Calibration
from detectors.bets import log_ratios
from detectors.calibration import fold_outcomes
from detectors.model import Policy
from detectors.pending import BYTES_PER_ROW
from detectors.performance import CONFIDENCE
from detectors.recalibration import Floats, logit

RUN_LENGTH = 1e6  # outcomes between false alarms, as requested
POLICY = Policy(calibration_run_length=RUN_LENGTH)
LOST = (0.01, 0.2)
LONGEST = 40_000  # outcomes after which a fault counts as not found
SEGMENTS = 5
WEEK_S = 604_800.0


@dataclass(frozen=True)
class Fault:
    """What outcomes do since: ``shift + slope * logit(score)``, or so in one segment of five alone."""

    shift: float = 0.0
    slope: float = 1.0
    only: int | None = None
    bar: float = 1.1

    def rows(self, rng: np.random.Generator) -> Rows:
        """Outcomes since the fault began."""
        segments = 1 if self.only is None else SEGMENTS
        return drawn(rng, LONGEST, shift=self.shift, slope=self.slope, segments=segments, only=self.only)


FAULTS = {
    "logit +.3": Fault(shift=0.3),
    "logit -.5": Fault(shift=-0.5),
    "temperature 1.5": Fault(slope=1 / 1.5),
    "temperature 1.2": Fault(slope=1 / 1.2),
    "one segment +.5": Fault(shift=0.5, only=3, bar=1.5),
}


def false_alarms(report: Report, seed: int, rows: int) -> None:
    """A calibrated model, ``rows`` outcomes for each law of delays; beside the same bank in order of arrival."""
    for name, delay in {"tells nothing of the outcome": apart, "depends on the outcome": telling}.items():
        found, judged = 0, 0
        for i, lost in enumerate(LOST):
            rng = np.random.default_rng([seed, 1, i])
            life = Life(delay=delay, policy=POLICY, spacing_s=4.0, lost=lost)
            for _ in range(rows // len(LOST) // 50_000):
                life = life.lived(rng, drawn(rng, 50_000))
            found, judged = found + len(life.alarms), judged + life.state.performance.rows
        expected = judged * CONFIDENCE / RUN_LENGTH
        report.say(
            f"  delay {name:30} {judged:>9,} outcomes judged, 1 and 20 % never arrive: {found} alarms "
            f"(theory: {expected:.2f})"
        )
        report.add(f"calibration: false alarms, delay {name}, {rows:,} predictions", found, 0)
    arrival = _in_order_of_arrival(np.random.default_rng([seed, 2]), 40_000)
    report.say(f"  the same bank fed in order of arrival: {arrival} alarms in 40,000 outcomes")
    report.add("calibration: alarms of the bank in order of arrival, 40,000 outcomes", arrival, None)


def _in_order_of_arrival(rng: np.random.Generator, rows: int) -> int:
    """What maturity is for: every 500 predictions, whatever outcomes have arrived by then."""
    given = drawn(rng, rows)
    due = np.arange(rows) + telling(rng, given.outcome)
    order = np.argsort(due)
    score, outcome, at = logit(given.score)[order], given.outcome[order], np.arange(rows)
    threshold, bank, found = np.log(RUN_LENGTH / CONFIDENCE), Calibration(), 0
    for start in range(0, rows, 500):
        part = slice(start, start + 500)
        bank = fold_outcomes(
            bank, score[part], outcome[part], at[part], threshold_nats=threshold, baseline_rows=POLICY.baseline_rows
        )
        if bank.alarm is not None:
            found, bank = found + 1, Calibration(healthy=bank.healthy, rows=bank.rows)
    return found


def delays(report: Report, seed: int, lives: int, repeats: int, known: int) -> None:
    """Outcomes until a fault is found, after ``known`` healthy ones, beside what oracles need for the same rows."""
    report.say(f"  {lives} lives of {known:,} healthy outcomes, {repeats} futures each; outcomes to the first alarm")
    report.say(
        f"  {'':18} {'Headwater':>9} {'oracle':>8} {'/ oracle':>8} {'sharpest':>8} {'/ sharpest':>10} {'missed':>6}"
    )
    for name, fault in FAULTS.items():
        found = np.array([*_found(fault, seed, lives, repeats, known)])
        ours, oracle, sharpest = found.mean(axis=0)
        missed = int((found[:, 0] >= LONGEST).sum())
        report.say(
            f"  {name:18} {ours:9,.0f} {oracle:8,.0f} {ours / oracle:8.2f} {sharpest:8,.0f} {ours / sharpest:10.2f}"
            f" {missed:6}"
        )
        report.add(f"calibration: delay / oracle: {name}", ours / oracle, fault.bar)
        report.add(f"calibration: delay / sharpest: {name}", ours / sharpest, None)


def _found(fault: Fault, seed: int, lives: int, repeats: int, known: int) -> Iterator[tuple[float, float, float]]:
    segments = 1 if fault.only is None else SEGMENTS
    for i in range(lives):
        rng = np.random.default_rng([seed, 3, i])
        healthy = Life(delay=soon, policy=POLICY, segments=segments).lived(rng, drawn(rng, known, segments=segments))
        for _ in range(repeats):
            rows = fault.rows(rng)
            life = healthy.lived(rng, rows, until_alarm=True)
            alarmed = min((at for key, at in life.alarms.items() if key not in healthy.alarms), default=None)
            ours = LONGEST if alarmed is None else (alarmed - healthy.now) / 1e6
            yield (ours, *oracles(fault, rows, rng))


def oracles(fault: Fault, rows: Rows, rng: np.random.Generator) -> tuple[float, float]:
    """A CUSUM and Shiryaev-Roberts for the known change, both long under way when it comes."""
    before = drawn(rng, LONGEST // 2, segments=SEGMENTS if fault.only is not None else 1)
    ratios = np.concatenate([_ratios(fault, before), _ratios(fault, rows)])
    total = np.cumsum(ratios)
    cusum = total - np.minimum.accumulate(np.minimum(total, 0.0))
    stake = total + np.logaddexp.accumulate(-np.concatenate([[0.0], total[:-1]]))
    rate = np.log(RUN_LENGTH)
    return _first(cusum[len(before) :] >= rate), _first(stake[len(before) :] >= rate - np.log(CONFIDENCE))


def _ratios(fault: Fault, rows: Rows) -> Floats:
    ratios = log_ratios(logit(rows.score), rows.outcome, np.array([fault.shift]), np.array([fault.slope]))[0]
    return np.where((rows.code == fault.only) | (fault.only is None), ratios, 0.0)


def _first(crossed: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    return float(np.argmax(crossed)) + 1.0 if crossed.any() else float(LONGEST)


def _late(rng: np.random.Generator, outcomes: Floats) -> Floats:
    """Defaults within three weeks, repayments in the sixth."""
    weeks = np.where(outcomes > 0.5, rng.uniform(0, 3, outcomes.size), rng.uniform(5, 6, outcomes.size))
    return weeks * WEEK_S


def small_memory(report: Report, seed: int, rows: int) -> None:
    """Six weeks of a prediction a minute in the bytes of three days of them; beside a queue of as many predictions."""
    held, spacing_s = 4_000, 60.0
    rng = np.random.default_rng([seed, 4])
    policy = Policy(calibration_run_length=RUN_LENGTH, pending_bytes=held * BYTES_PER_ROW)
    life, most = Life(delay=_late, policy=policy, spacing_s=spacing_s), 0
    for _ in range(rows // 50_000):
        life = life.lived(rng, drawn(rng, 50_000))
        most = max(most, len(life.state.join.pending))
    weight, _, score, outcome, spread = life.state.performance.reliability.bins.sum(axis=1)
    bias, error = (outcome - score) / weight, life.gauges.get("calibration_error_ratio", float("nan"))
    judged, waiting = life.state.performance.rows, 6 * WEEK_S / spacing_s
    given = drawn(rng, 50_000)
    in_time = _late(rng, given.outcome) < held * spacing_s
    queue = float((given.outcome - given.score)[in_time].mean())
    report.say(f"  six weeks of delay: up to {waiting:,.0f} predictions wait in room for {held:,} (most {most:,})")
    report.say(
        f"    {judged:,} of {rows:,} judged, {len(life.alarms)} alarms, debiased calibration error {error:.4f}, "
        f"outcomes - scores {bias:+.4f} +- {np.sqrt(spread) / weight:.4f} (a queue that forgets: {queue:+.2f})"
    )
    report.add("calibration: false alarms, six weeks of delay in a small memory", len(life.alarms), 0)
    report.add("calibration: |outcomes - scores| of a calibrated model in a small memory", abs(bias), 0.015)
    report.add("calibration: debiased error of a calibrated model in a small memory", error, 0.015)
    report.add("calibration: |outcomes - scores|, a queue that forgets the oldest", abs(queue), None)
    report.add("calibration: share of the memory used", most / held, 1.0)


def covariate_shift(report: Report, seed: int, rows: int) -> None:
    """Scores become Beta(2, 8), and are as right as before."""
    rng = np.random.default_rng([seed, 5])
    life = Life(delay=soon, policy=POLICY).lived(rng, drawn(rng, rows)).lived(rng, drawn(rng, rows, against=8.0))
    report.say(f"  scores that move and stay right: {len(life.alarms)} alarms in {rows:,} outcomes")
    report.add("calibration: false alarms when scores move and stay right", len(life.alarms), 0)


def peers(report: Report, seed: int, rows: int, repeats: int) -> None:
    """The same streams through what people use."""
    report.say(
        f"  {'alarms in 100,000':20} {'healthy':>8} {'moved':>8}" + "".join(f"{name[:15]:>17}" for name in FAULTS)
    )
    for name, peer in PEERS.items():
        rng = np.random.default_rng([seed, 6])
        healthy, moved = (alarms(peer, rng, rows, against) * 200_000 / rows for against in (3.0, 8.0))
        found = peer_delays(peer, {what: fault.rows for what, fault in FAULTS.items()}, rng, repeats)
        cells = [_told(waited) for waited in found.values()]
        report.say(f"  {name:20} {healthy:8,.0f} {moved:8,.0f}" + "".join(f"{cell:>17}" for cell in cells))
        report.add(f"calibration: alarms in 100,000 outcomes: {name}", healthy, None)
        report.add(f"calibration: alarms in 100,000 outcomes when scores move and stay right: {name}", moved, None)


def _told(waited: Floats) -> str:
    missed = int((waited >= LONGEST).sum())
    if missed == waited.size:
        return "not found"
    return f"{waited.mean():,.0f}" + (f" ({missed} missed)" if missed else "")


def measure(report: Report, seed: int, quick: bool) -> None:
    """All tables of calibration."""
    report.say(
        "calibration: predictions, outcomes that come late, maturity, the bank; one false alarm in 10^6 outcomes"
    )
    false_alarms(report, seed, 300_000 if quick else 4_000_000)
    covariate_shift(report, seed, 50_000 if quick else 500_000)
    small_memory(report, seed, 600_000 if quick else 3_000_000)
    delays(report, seed, *((10, 4, 60_000) if quick else (40, 10, 100_000)))
    peers(report, seed, *((40_000, 1) if quick else (400_000, 10)))
