"""The tables: ``python -m benchmarks.diagnosis [--quick] [--seed N] [--json FILE] [--data DIR]``.

Simulated lives of the demo's pipeline: every fault of the catalogue, the same on 40 % of the rows, pairs, healthy
lives and harmless deploys. Events are folded in this process by the code that the agents run, without a broker. Beside
ours: dummies and plain rules on the same observations. With ``--data`` also a public data set with known causes.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.diagnosis import petshop, suite
from benchmarks.report import Report


def main() -> None:
    """Measure, print, and write where ``--json`` says."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.diagnosis")
    options.add_argument("--quick", action="store_true", help="fewer lives, about three minutes")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", metavar="FILE", type=Path)
    options.add_argument("--data", metavar="DIR", type=Path, help="folder that holds petshop_low")
    chosen = options.parse_args()
    began, report = time.monotonic(), Report()
    report.say("the code of the detect and diagnose agents, folded in this process: no broker")
    with ProcessPoolExecutor(os.cpu_count()) as pool:  # the longest single task first
        shop = chosen.data and chosen.data / "petshop_low" / "low_traffic"
        healthy = pool.submit(petshop.live_healthy, shop) if shop else None
        suite.measure(report, chosen.seed, chosen.quick, pool)
        if healthy is not None:
            petshop.measure(report, shop, chosen.seed, pool, healthy)
    report.close(chosen.seed, time.monotonic() - began, chosen.json)


if __name__ == "__main__":
    main()
