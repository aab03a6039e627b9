"""Services of a shop on AWS with injected faults (PetShop, CC-BY-4.0), each service a dataset of one pipeline.

A five-minute step of a service is a batch with a row for each request, at most ``ROWS``: its latency spread over the
published quantiles, and whether it was answered, in the published share. Who is called is a parent of who calls. The
fault-free days are lived first, then the five steps of each fault, as if they came next. The alert is looked for at
the target service, which the data set names, and its place is held against the true one.
"""

import csv
import json
import lzma
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.diagnosis.folding import policy_of
from benchmarks.diagnosis.peers import PEERS
from benchmarks.report import Report
from detectors import dataset, model
from diagnosis.alert import Alert, Severity, Status
from diagnosis.observation import Observation, Origin
from diagnosis.pipeline import fold, start
from diagnosis.policy import MINUTE
from diagnosis.state import PipelineState
from schemas.events import BatchRef, Column, DataBatch, Numbers
from streams.detect.inputs import batch_input
from streams.detect.observing import batch_observation
from streams.detect.subject import Policies, Step, StepKind, Subject, apply, summarise_batch
from streams.settings import Settings

Floats: TypeAlias = NDArray[np.float64]
Values: TypeAlias = Mapping[str, Mapping[str, float]]  # of one step: service, metric and statistic
PIPELINE, STEP, BEGIN = "petshop", 5 * MINUTE, 1_692_608_400_000_000
KNOWN, WINDOW = 289, 5  # steps of a day before false alarms are counted, and steps of a fault
ROWS = 1_000
MOST = 2_048  # statistics that share the budget, about
PUBLISHED = {
    "latency": {"anomaly traversal": (0.57, 0.57), "ranked correlation": (0.43, 0.57)},
    "availability": {"anomaly traversal": (0.92, 1.0), "ranked correlation": (0.75, 1.0)},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One injected fault: where and in which metric it shows, what caused it, and its steps."""

    name: str
    target: str
    metric: str
    cause: str
    steps: Sequence[Values]


def read_steps(file: Path) -> list[Values]:
    """The steps of a file, NaN where nothing was measured."""
    with lzma.open(file, "rt", encoding="utf-8") as opened:
        services, metrics, statistics, _, *rows = csv.reader(opened)
    steps: list[Values] = []
    for row in rows:
        step: dict[str, dict[str, float]] = {}
        for i, text in enumerate(row[1:], start=1):
            step.setdefault(services[i], {})[f"{metrics[i]}_{statistics[i]}".lower()] = float(text or "nan")
        steps.append(step)
    return steps


def read_incidents(folder: Path) -> list[Incident]:
    """All of them, train and test alike: nothing is fitted to either."""
    incidents = []
    for file in sorted(folder.glob("t*/issue_*/target.json")):
        told = json.loads(file.read_text())
        incidents.append(
            Incident(
                name=f"{file.parent.parent.name}/{file.parent.name}",
                target=told["target"]["node"],
                metric=told["target"]["metric"],
                cause=told["root_cause"]["node"],
                steps=read_steps(file.with_name("metrics.csv.xz")),
            )
        )
    return incidents


def read_calls(file: Path) -> dict[str, tuple[str, ...]]:
    """Whom each service calls, itself left out."""
    with file.open(encoding="utf-8") as opened:
        (_, *names), *rows = csv.reader(opened)
    return {
        row[0]: tuple(to for to, calls in zip(names, row[1:], strict=True) if float(calls) and to != row[0])
        for row in rows
    }


class Shop:
    """Detection and diagnosis of all services; a fork of the process continues it without touching the original."""

    def __init__(self, calls: Mapping[str, tuple[str, ...]]) -> None:
        self._calls = calls
        self._order = list(_callees_first(calls))
        self._policies = Policies(dataset=dataset.Policy(pool_rows=1), model=model.Policy())
        self._policy = policy_of(Settings(_env_file=None))
        self._subjects: dict[str, Subject] = {}
        self.state: PipelineState = start(PIPELINE)
        self.step = 0

    def live(self, values: Values) -> tuple[list[Observation], list[Alert]]:
        """One step of all services."""
        seen, said = list[Observation](), list[Alert]()
        for place, service in enumerate(self._order):
            columns = values.get(service, {})
            if columns.get("requests_sum", 0.0) >= 1:
                for observation in self._detect(self._batch(service, columns, place)):
                    self.state, alerts = fold(self.state, observation, self._policy)
                    seen.append(observation)
                    said += alerts
        self.step += 1
        return seen, said

    def _batch(self, service: str, values: Mapping[str, float], place: int) -> DataBatch:
        at = BEGIN + self.step * STEP + place * 1000
        requests = values["requests_sum"]
        rows = min(ROWS, int(requests)) if np.isfinite(requests) else 0
        return DataBatch(
            pipeline=PIPELINE,
            dataset=service,
            batch_id=f"{service}@{self.step}",
            produced_at=at,
            rows=rows,
            parents=tuple(BatchRef(dataset=to, batch_id=f"{to}@{self.step}") for to in self._calls.get(service, ())),
            columns=(
                Column(name="latency", values=Numbers(values=_latencies(values, rows))),
                Column(name="availability", values=Numbers(values=_answered(values["availability_average"], rows))),
            ),
        )

    def _detect(self, batch: DataBatch) -> Iterator[Observation]:
        name = f"{PIPELINE}/{batch.dataset}"
        subject = self._subjects.get(name) or Subject(name=name)
        summary = summarise_batch(subject, batch_input(batch, batch.produced_at))
        digest = np.array([self.step], np.uint64)
        step = Step(kind=StepKind.BATCH, digests=digest, batch=summary, monitored=MOST)
        self._subjects[name], said = apply(subject, step, self._policies)
        for one in said:
            if one.batch is not None:
                origin = Origin(topic="data-batches", partition=0, offset=self.step)
                yield batch_observation(batch, one.batch[1], origin, batch.produced_at)


def _latencies(values: Mapping[str, float], rows: int) -> Floats:
    """As many latencies, in seconds, as have the published quantiles; NaN if there are none."""
    known = np.array([0.0, *(values[f"latency_p{percent}"] for percent in (50, 90, 95, 99))])
    ranks = (np.arange(rows) + 0.5) / max(rows, 1)
    return np.asarray(np.interp(ranks, [0.0, 0.5, 0.9, 0.95, 0.99], known))


def _answered(percent: float, rows: int) -> Floats:
    """1 for a request that was answered, 0 for one that was not; NaN if that is unknown."""
    answered = (np.arange(rows) < round(rows * percent / 100)) if np.isfinite(percent) else np.full(rows, np.nan)
    return answered.astype(np.float64)


def _callees_first(calls: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    waiting = sorted(calls)
    while waiting:
        ready = [name for name in waiting if not set(calls[name]) & set(waiting)]
        ready = ready or waiting[:1]  # services that call each other
        yield from ready
        waiting = [name for name in waiting if name not in ready]


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


_lived: list[tuple[Shop, list[Observation]]] = []  # what forks continue


def _answer(given: tuple[int, Incident]) -> dict[str, int | None]:
    """The place of the true cause, from 1, by us and by every peer."""
    seed, incident = given
    shop, recent = _lived[0]
    seen, said = list(recent), list[Alert]()
    for values in incident.steps:
        observed, alerts = shop.live(values)
        seen += observed
        said += alerts
    rng = np.random.default_rng(seed)
    rankings = {"Headwater": ranked(said, incident.target)}
    rankings |= {name: peer(seen, rng) for name, peer in PEERS.items()}
    return {
        name: ranking.index(incident.cause) + 1 if incident.cause in ranking else None
        for name, ranking in rankings.items()
    }


def _live_healthy(shop: Shop, steps: Sequence[Values]) -> tuple[float, list[Observation]]:
    """The share of fault-free windows, since the first day, in which no alert was opened that is more than INFO."""
    opened, known, recent = set[int](), set[str](), list[Observation]()
    for n, values in enumerate(steps):
        seen, said = shop.live(values)
        recent = (recent + seen)[-41 * 30 :]
        for alert in said:
            if alert.alert_id not in known and n >= KNOWN and alert.severity is not Severity.INFO:
                opened.add((n - KNOWN) // WINDOW)
            known.add(alert.alert_id)
    return 1 - len(opened) / ((len(steps) - KNOWN) // WINDOW), recent


def measure(report: Report, folder: Path, seed: int) -> None:
    """Live the fault-free days, then every fault from there, and print places beside peers and published rows."""
    shop = Shop(read_calls(folder / "graph.csv"))
    specificity, recent = _live_healthy(shop, read_steps(folder / "noissue" / "metrics.csv.xz"))
    _lived[:] = [(shop, recent)]
    incidents = read_incidents(folder)
    with ProcessPoolExecutor(mp_context=get_context("fork"), max_tasks_per_child=None) as pool:
        places = list(pool.map(_answer, [(seed + i, incident) for i, incident in enumerate(incidents)]))
    report.say(f"PetShop, low traffic: {len(incidents)} faults; share with the right service")
    report.say(f"  {'':24} {'latency: 1':>10} {'3':>5} {'availability: 1':>16} {'3':>5}")
    shares = {
        (name, metric, most): float(np.mean([_within(places[i][name], most) for i in _of(incidents, metric)]))
        for name in places[0]
        for metric in PUBLISHED
        for most in (1, 3)
    }
    for (name, metric, most), share in shares.items():
        report.add(f"PetShop {metric}: top-{most} of {name}", share, None)
    published = {name: {metric: PUBLISHED[metric][name] for metric in PUBLISHED} for name in PUBLISHED["latency"]}
    for name in places[0]:
        row = [shares[name, metric, most] for metric in PUBLISHED for most in (1, 3)]
        report.say(f"  {name:24} {row[0]:10.2f} {row[1]:5.2f} {row[2]:16.2f} {row[3]:5.2f}")
    for name, by in published.items():
        row = [value for metric in PUBLISHED for value in by[metric]]
        report.say(f"  {name + ' (publ.)':24} {row[0]:10.2f} {row[1]:5.2f} {row[2]:16.2f} {row[3]:5.2f}")
    for most, bar in ((1, 0.65), (3, 0.85)):
        both = float(np.mean([_within(place["Headwater"], most) for place in places]))
        report.say(f"  both metrics, top-{most}: {both:.2f}")
        report.add(f"PetShop, both metrics: top-{most}", both, bar, least=True)
    report.say(
        f"  fault-free windows of {WINDOW} steps without a new alert: {specificity:.2f} (published .17-.33 on latency)"
    )
    report.add("PetShop: specificity on fault-free windows", specificity, 0.8, least=True)


def _of(incidents: Sequence[Incident], metric: str) -> list[int]:
    return [i for i, incident in enumerate(incidents) if incident.metric == metric]


def _within(place: int | None, most: int) -> bool:
    return place is not None and place <= most
