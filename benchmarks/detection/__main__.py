"""The tables: ``python -m benchmarks.detection [--quick] [--seed N] [--json FILE] [--data DIR]``.

False alarms: healthy streams of many shapes, alarms divided by what was requested. Delays: batches of 1,000 rows until
a fault is found, beside the oracle CUSUM (which knows law and size of the change) at the same rate. Peers: River's
detectors on raw rows, fixed rules, and dummies. Calibration: a model whose outcomes come late. With ``--data`` also two
public data sets with known truth.
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
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
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        tables = [pool.submit(_apart, part.measure, chosen.seed, chosen.quick) for part in (calibration, faults, peers)]
        if chosen.data is not None:
            tables += [pool.submit(_apart, part.measure, chosen.data / "carloan") for part in (estimates, carloan)]
            tables.append(pool.submit(_apart, nab.measure, chosen.data / "nab"))
        nulls.measure(report, chosen.seed, chosen.quick, pool)
        for table in tables:
            printed, rows = table.result()
            print(printed, end="", flush=True)
            report.rows += rows
    report.close(chosen.seed, time.monotonic() - began, chosen.json)


def _apart(measure: Callable[..., None], *given: object) -> tuple[str, list[dict[str, object]]]:
    """A table measured in a process of its own: what it prints, and its rows."""
    report = Report()
    with redirect_stdout(StringIO()) as printed:
        measure(report, *given)
    return printed.getvalue(), report.rows


if __name__ == "__main__":
    main()
