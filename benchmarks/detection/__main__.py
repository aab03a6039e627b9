"""The tables: ``python -m benchmarks.detection [--quick] [--seed N] [--json FILE] [--data DIR]``.

False alarms: healthy streams of many shapes, alarms divided by what was requested. Delays: batches of 1,000 rows until
a fault is found, beside the oracle CUSUM (which knows law and size of the change) at the same rate. Peers: River's
detectors on raw rows, fixed rules, and dummies. With ``--data`` also two public data sets with known truth.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.detection import carloan, nab
from benchmarks.detection.faults import FAULTS, absurd, delay, oracle
from benchmarks.detection.feeding import MONTH
from benchmarks.detection.nulls import NULLS, correlated, false_alarms
from benchmarks.detection.peers import PEERS, measured
from benchmarks.report import Report

KNOWN, YOUNG = 400, 120  # healthy batches before a fault: evidence from a single batch needs a tail that is known


def _false_alarms(report: Report, rng: np.random.Generator, quick: bool) -> None:
    batches, columns, rate = (1000, 5, MONTH / 500) if quick else (MONTH, 8, 1.0)
    report.say(f"false alarms / requested: {columns} columns, {batches:,} batches, {rate:.3g} a feature-month")
    for name in NULLS:
        value = false_alarms(name, rng, batches, columns, rate)
        report.add(f"false alarms: {name}", value, 1.2)
        report.say(f"  {name:24} {value:6.2f}")
    columns, rows, hours = (100, 200, 240) if quick else (500, 500, 720)
    alerts = correlated(rng, columns, rows, hours)
    report.say(f"  {columns} columns that share factors, {hours / 24:.0f} days, 1 a month requested: {alerts} alarms")
    report.add(f"alarms: {columns} columns sharing factors, {hours / 24:.0f} days", alerts, 1.2)


def _delays(report: Report, rng: np.random.Generator, quick: bool) -> None:
    repeats = 4 if quick else 20
    report.say(f"delay in batches after {KNOWN} healthy ones, mean of {repeats}; young: after {YOUNG}, tolerance off")
    report.say(f"  {'':18} {'default':>8} {'tol. off':>8} {'oracle':>8} {'/ oracle':>8} {'young':>8}")
    for name, fault in FAULTS.items():
        default, strict = (delay(fault, rng, KNOWN, tolerance, repeats) for tolerance in (0.05, 0.0))
        young, best = delay(fault, rng, YOUNG, 0.0, repeats), oracle(fault.shift, rng)
        report.say(f"  {name:18} {default:8.1f} {strict:8.1f} {best:8.1f} {strict / best:8.2f} {young:8.1f}")
        report.add(f"delay / oracle: {name}", strict / best, 1.3)
        report.add(f"delay / oracle after {YOUNG} batches: {name}", young / best, None)
    share = absurd(rng, 2 if quick else 20)
    report.say(f"  absurd batches found at once: {100 * share:.0f} %")
    report.add("absurd batches found at once", share, 1.0, least=True)


def _peers(report: Report, seed: int, quick: bool) -> None:
    known, since = (150, 40) if quick else (400, 100)
    report.say("peers and dummies: alarms a 1,000 healthy batches; batches to the first alarm since each fault")
    report.say(f"  {'':18} {'healthy':>8}" + "".join(f"{name[:13]:>14}" for name in FAULTS))
    for name in PEERS:
        alarms, delays = measured(name, seed, known, since)
        cells = "".join(f"{held or 'not found':>14}" for held in delays.values())
        report.say(f"  {name:18} {alarms:8.1f}{cells}")
        report.add(f"alarms a 1,000 healthy batches: {name}", alarms, None)


def main() -> None:
    """Measure, print, and write where ``--json`` says."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.detection")
    options.add_argument("--quick", action="store_true", help="smaller tables, about three minutes")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", metavar="FILE", type=Path)
    options.add_argument("--data", metavar="DIR", type=Path, help="folder that holds carloan and nab")
    chosen = options.parse_args()
    began, rng = time.monotonic(), np.random.default_rng(chosen.seed)
    report = Report()
    _false_alarms(report, rng, chosen.quick)
    _delays(report, rng, chosen.quick)
    _peers(report, chosen.seed, chosen.quick)
    if chosen.data is not None:
        carloan.measure(report, chosen.data / "carloan")
        nab.measure(report, chosen.data / "nab")
    report.close(chosen.seed, time.monotonic() - began, chosen.json)


if __name__ == "__main__":
    main()
