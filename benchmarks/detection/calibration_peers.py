"""River's ADWIN on three streams that people watch for calibration, and dummies: alarms for nothing, and delays.

All are given what only our maturity provides: outcomes in the order of their predictions, none of them missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from river.drift import ADWIN

from benchmarks.detection.outcomes import Rows, drawn
from detectors.recalibration import Floats

Stream = Callable[[Rows], Floats]
Rule = Callable[[float], bool]


@dataclass(frozen=True)
class Peer:
    """What is watched of each outcome, and a fresh rule that says at each whether it alarms."""

    stream: Stream
    rule: Callable[[], Rule]


def _adwin() -> Rule:
    detector = ADWIN()

    def rule(x: float) -> bool:
        detector.update(x)
        return bool(detector.drift_detected)

    return rule


def _every(period: int) -> Rule:
    counted = iter(range(1, 10_000_000))
    return lambda _: next(counted) % period == 0


def _residual(rows: Rows) -> Floats:
    return rows.outcome - rows.score


def _brier(rows: Rows) -> Floats:
    return _residual(rows) ** 2


def _log_loss(rows: Rows) -> Floats:
    return -np.log(np.where(rows.outcome > 0.5, rows.score, 1.0 - rows.score))


PEERS = {
    "ADWIN on residuals": Peer(_residual, _adwin),
    "ADWIN on Brier": Peer(_brier, _adwin),
    "ADWIN on log loss": Peer(_log_loss, _adwin),
    "always": Peer(_residual, lambda: lambda _: True),
    "never": Peer(_residual, lambda: lambda _: False),
    "every 100th": Peer(_residual, lambda: _every(100)),
}


def alarms(peer: Peer, rng: np.random.Generator, rows: int, against: float) -> int:
    """Alarms after half of ``rows`` outcomes, when scores become Beta(2, against); all of them are right."""
    rule, half = peer.rule(), rows // 2
    streams = [peer.stream(drawn(rng, half)), peer.stream(drawn(rng, half, against=against))]
    told = [[rule(x) for x in stream.tolist()] for stream in streams]
    return sum(told[1])


def delays(
    peer: Peer, faults: Mapping[str, Callable[[np.random.Generator], Rows]], rng: np.random.Generator, repeats: int
) -> dict[str, Floats]:
    """Outcomes until the first alarm since each fault, after 20,000 healthy ones; as many as there are if none."""
    found = {}
    for name, since in faults.items():
        waited = []
        for _ in range(repeats):
            rule = peer.rule()
            for x in peer.stream(drawn(rng, 20_000)).tolist():
                rule(x)
            values = peer.stream(since(rng)).tolist()
            waited.append(next((n + 1 for n, x in enumerate(values) if rule(x)), len(values)))
        found[name] = np.array(waited, float)
    return found
