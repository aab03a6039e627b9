"""Services of a shop on AWS with injected faults (PetShop, CC-BY-4.0), each service a dataset of one pipeline.

A five-minute step of a service is a batch with a row for each request, at most 1,000: its latency spread over the
published quantiles, and whether it was answered, in the published share. Who is called is a parent of who calls. The
fault-free days are lived first, then the five steps of each fault, as if they came next. The alert is looked for at
the target service, which the data set names, and its place is held against the true one.
"""

import os
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import count, repeat
from pathlib import Path

import numpy as np

from benchmarks.diagnosis.peers import PEERS
from benchmarks.diagnosis.shop import PIPELINE, Incident, Shop, read_calls, read_incidents, read_steps
from benchmarks.report import Report
from diagnosis.alert import Alert, Severity, Status
from diagnosis.observation import Observation

KNOWN, WINDOW = 289, 5  # steps of a day before false alarms are counted, and steps of a fault
PUBLISHED = {
    "latency": {"anomaly traversal": (0.57, 0.57), "ranked correlation": (0.43, 0.57)},
    "availability": {"anomaly traversal": (0.92, 1.0), "ranked correlation": (0.75, 1.0)},
}


def ranked(alerts: Sequence[Alert], target: str) -> list[str]:
    """Causes, then suspects, of the alerts that show at the target first; of each, the newest alert first."""
    latest = {alert.alert_id: alert for alert in alerts}
    firing = [alert for alert in latest.values() if alert.status is Status.FIRING]
    firing.sort(key=lambda alert: (not _shows(alert, target), -alert.detected_at))
    causes = [alert.cause.component for alert in firing]
    suspects = [suspect.component for alert in firing for suspect in alert.suspects]
    return list(dict.fromkeys([*causes[:1], *suspects[:2], *causes[1:], *suspects[2:]]))


def _shows(alert: Alert, target: str) -> bool:
    return any(hop.dataset == target for hop in alert.path) or any(
        symptom.subject == f"{PIPELINE}/{target}" for symptom in alert.symptoms
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """The fault-free days as they were lived; recent: the last observations.

    specificity: the share of windows, since the first day, in which no alert was opened that is more than INFO.
    """

    shop: Shop
    recent: Sequence[Observation]
    specificity: float


def live_healthy(folder: Path) -> Lived:
    """Live the fault-free days."""
    shop, steps = Shop(read_calls(folder / "graph.csv")), read_steps(folder / "noissue" / "metrics.csv.xz")
    opened, known, recent = set[int](), set[str](), list[Observation]()
    for n, values in enumerate(steps):
        seen, said = shop.live(values)
        recent = (recent + seen)[-41 * 30 :]
        for alert in said:
            if alert.alert_id not in known and n >= KNOWN and alert.severity is not Severity.INFO:
                opened.add((n - KNOWN) // WINDOW)
            known.add(alert.alert_id)
    specificity = 1 - len(opened) / ((len(steps) - KNOWN) // WINDOW)
    return Lived(shop=shop, recent=recent, specificity=specificity)


def _answer(lived: Lived, incident: Incident, seed: int) -> dict[str, int | None]:
    """The place of the true cause, from 1, by us and by every peer."""
    shop, seen, said = lived.shop.copy(), list(lived.recent), list[Alert]()
    since = max((one.at for one in lived.recent), default=0) + 1
    for values in incident.steps:
        observed, alerts = shop.live(values)
        seen += observed
        said += alerts
    rng = np.random.default_rng(seed)
    rankings = {"Headwater": ranked(said, incident.target)}
    rankings |= {name: peer(seen, since, rng) for name, peer in PEERS.items()}
    return {
        name: ranking.index(incident.cause) + 1 if incident.cause in ranking else None
        for name, ranking in rankings.items()
    }


def measure(report: Report, folder: Path, seed: int, pool: Executor, healthy: Future[Lived]) -> None:
    """Live every fault as if it came next after the ``healthy`` days, and print places beside peers and published."""
    lived, incidents = healthy.result(), read_incidents(folder)
    chunk = -(-len(incidents) // (os.cpu_count() or 1))  # what was lived is sent once with each
    places = list(pool.map(_answer, repeat(lived), incidents, count(seed), chunksize=chunk))
    report.say(f"PetShop, low traffic: {len(incidents)} faults; share with the right service")
    report.say(f"  {'':30} {'latency: 1':>10} {'3':>5} {'availability: 1':>16} {'3':>5}")
    for name in places[0]:
        row = []
        for metric in PUBLISHED:
            held = [place[name] for place, incident in zip(places, incidents, strict=True) if incident.metric == metric]
            for most in (1, 3):
                row.append(_at(held, most))
                report.add(f"PetShop {metric}: top-{most} of {name}", row[-1], None)
        _say(report, name, row)
    for name in PUBLISHED["latency"]:
        _say(report, f"{name} (published)", [share for metric in PUBLISHED for share in PUBLISHED[metric][name]])
    for most, bar in ((1, 0.65), (3, 0.85)):
        both = _at([place["Headwater"] for place in places], most)
        report.say(f"  Headwater, both metrics, top-{most}: {both:.2f}")
        report.add(f"PetShop, both metrics: top-{most} of Headwater", both, bar, least=True)
    report.say(
        f"  fault-free windows of {WINDOW} steps without a new alert: {lived.specificity:.2f}; published .17 to .33"
    )
    report.add("PetShop: specificity on fault-free windows", lived.specificity, 0.8, least=True)


def _say(report: Report, name: str, row: Sequence[float]) -> None:
    report.say(f"  {name:30} {row[0]:10.2f} {row[1]:5.2f} {row[2]:16.2f} {row[3]:5.2f}")


def _at(places: Sequence[int | None], most: int) -> float:
    return float(np.mean([place is not None and place <= most for place in places]))
