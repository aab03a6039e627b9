"""The tables: ``python -m benchmarks.detection [--quick] [--seed N] [--json FILE] [--data DIR]``.

False alarms: healthy streams of many shapes, alarms divided by what was requested. Delays: batches of 1,000 rows until
a fault is found, beside the oracle CUSUM (which knows law and size of the change) at the same rate. Peers: River's
detectors on raw rows, fixed rules, and dummies. Calibration: a model whose outcomes come late. With ``--data`` also two
public data sets with known truth.
"""

import argparse
import time
from pathlib import Path

from benchmarks.detection import calibration, carloan, estimates, faults, nab, nulls, peers
from benchmarks.report import Report


def main() -> None:
    """Measure, print, and write where ``--json`` says."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.detection")
    options.add_argument("--quick", action="store_true", help="smaller tables, about three minutes")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", metavar="FILE", type=Path)
    options.add_argument("--data", metavar="DIR", type=Path, help="folder that holds carloan and nab")
    chosen = options.parse_args()
    began, report = time.monotonic(), Report()
    for part in (nulls, faults, peers, calibration):
        part.measure(report, chosen.seed, chosen.quick)
    if chosen.data is not None:
        carloan.measure(report, chosen.data / "carloan")
        estimates.measure(report, chosen.data / "carloan")
        nab.measure(report, chosen.data / "nab")
    report.close(chosen.seed, time.monotonic() - began, chosen.json)


if __name__ == "__main__":
    main()
