"""What people use today, and dummies, on the same streams: alarms on healthy batches, and delays."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN, KSWIN, PageHinkley
from scipy.stats import ks_2samp

from benchmarks.detection.faults import FAULTS, Fault
from benchmarks.detection.feeding import feed
from benchmarks.report import Report
from detectors.dataset import Policy, start

Floats = NDArray[np.float64]
REFERENCE = 10  # batches that window tests compare with
KSWIN_ROWS = 10  # of a batch: it tests at every row, at a fifth of a millisecond


class _River(Protocol):
    drift_detected: bool

    def update(self, x: float) -> object: ...


Rule = Callable[[Floats], bool]


def _rows(detector: _River, most: int | None = None) -> Rule:
    """River's detector on raw rows; rows that are missing are left out, for one would silence it."""

    def rule(values: Floats) -> bool:
        found = False
        for x in values[np.isfinite(values)][:most].tolist():
            detector.update(x)
            found |= bool(detector.drift_detected)
        return found

    return rule


def _window(differs: Callable[[Floats, Floats], bool]) -> Rule:
    """A test of each batch against the first ten."""
    first: list[Floats] = []

    def rule(values: Floats) -> bool:
        values = values[np.isfinite(values)]
        if len(first) < REFERENCE:
            first.append(values)
            return False
        return differs(np.concatenate(first), values)

    return rule


def _psi(reference: Floats, values: Floats) -> bool:
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, 11)[1:-1]))
    a, b = (np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1) + 0.5 for x in (reference, values))
    a, b = a / a.sum(), b / b.sum()
    return bool(np.sum((b - a) * np.log(b / a)) > 0.1)


def _every(period: int) -> Rule:
    counted = iter(range(1, 1_000_000))
    return lambda _: next(counted) % period == 0


def _ours(fault: Fault, second: str) -> Rule:
    state, n, known = start("bench/mark"), 0, set[tuple[str, ...]]()
    policy = Policy(second_detector=second)

    def rule(values: Floats) -> bool:
        nonlocal state, n, known
        state, found = feed(state, n, {"c": fault.column(values)}, policy)
        n += 1
        new, known = found - known, found
        return bool(new)

    return rule


PEERS: dict[str, Callable[[Fault], Rule]] = {
    "Headwater": lambda fault: _ours(fault, "none"),
    "+ Page-Hinkley": lambda fault: _ours(fault, "page_hinkley"),
    "River ADWIN": lambda _: _rows(ADWIN()),
    "River PageHinkley": lambda _: _rows(PageHinkley()),
    "River KSWIN": lambda _: _rows(KSWIN(seed=0), KSWIN_ROWS),
    "KS p < .05": lambda _: _window(lambda a, b: bool(ks_2samp(a, b).pvalue < 0.05)),
    "PSI > .1": lambda _: _window(_psi),
    "always": lambda _: lambda _: True,
    "never": lambda _: lambda _: False,
    "every 100th": lambda _: _every(100),
}


def measured(name: str, seed: int, known: int, since: int) -> tuple[float, dict[str, int | None]]:
    """Alarms a thousand healthy batches, and for each fault the batches until the first alarm since it began."""
    alarms, delays = 0, dict[str, int | None]()
    for i, (what, fault) in enumerate(FAULTS.items()):
        rng = np.random.default_rng([seed, i])
        rule = PEERS[name](fault)
        alarms += sum(rule(fault.before(rng)) for _ in range(known))
        delays[what] = next((n + 1 for n in range(since) if rule(fault.since(rng))), None)
    return 1000 * alarms / (known * len(FAULTS)), delays


def measure(report: Report, seed: int, quick: bool) -> None:
    """The table of peers and dummies."""
    known, since = (150, 40) if quick else (400, 100)
    report.say("peers and dummies: alarms a 1,000 healthy batches; batches to the first alarm since each fault")
    report.say(f"  {'':18} {'healthy':>8}" + "".join(f"{name[:13]:>14}" for name in FAULTS))
    for name in PEERS:
        alarms, delays = measured(name, seed, known, since)
        cells = "".join(f"{held or 'not found':>14}" for held in delays.values())
        report.say(f"  {name:18} {alarms:8.1f}{cells}")
        report.add(f"alarms a 1,000 healthy batches: {name}", alarms, None)
