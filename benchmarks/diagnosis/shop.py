"""PetShop as events: services are datasets of one pipeline, five-minute steps their batches, calls their lineage."""

import csv
import json
import lzma
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.diagnosis.folding import benchmark_policy, benchmark_settings
from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.pipeline import fold, start
from diagnosis.policy import MINUTE
from diagnosis.provenance import ObservationKind, Origin
from diagnosis.state import PipelineState
from schemas.events import BatchRef, Column, DataBatch, Numbers
from streams.detect.budget import Share
from streams.detect.inputs import batch_input
from streams.detect.observing import batch_observation
from streams.detect.role import policies_of
from streams.detect.subject import Step, StepKind, Subject, apply, summarise_batch

Floats: TypeAlias = NDArray[np.float64]
Values: TypeAlias = Mapping[str, Mapping[str, float]]  # of one step: service, metric and statistic
PIPELINE, STEP, BEGIN = "petshop", 5 * MINUTE, 1_692_608_400_000_000
ROWS = 1_000


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
    """Detection and diagnosis of all services."""

    def __init__(self, calls: Mapping[str, tuple[str, ...]]) -> None:
        self._calls = calls
        self._order = list(_callees_first(calls))
        self._policies = policies_of(benchmark_settings())
        self._policy = benchmark_policy()
        self._subjects: dict[str, Subject] = {}
        self._monitored = 1
        self.state: PipelineState = start(PIPELINE)
        self.step = 0

    def copy(self) -> "Shop":
        """One that lives on without touching this one: folds leave their state as it was."""
        other = copy(self)
        other._subjects = dict(self._subjects)
        return other

    def live(self, values: Values) -> tuple[list[Observation], list[Alert]]:
        """One step of all services, and the minute that follows it."""
        seen, said = list[Observation](), list[Alert]()
        self._monitored = sum((one.share for one in self._subjects.values()), Share()).monitored
        for place, service in enumerate(self._order):
            columns = values.get(service, {})
            if columns.get("requests_sum", 0.0) >= 1:
                seen += self._detect(self._batch(service, columns, place))
        after = BEGIN + self.step * STEP + MINUTE
        tick = Observation(kind=ObservationKind.TICK, pipeline="", at=after, arrived_at=after, tick=after // MINUTE)
        for observation in (*seen, tick):
            self.state, alerts = fold(self.state, observation, self._policy)
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
        summary = summarise_batch(subject, batch_input(batch, batch.produced_at), self._policies)
        digest = np.array([self.step], np.uint64)
        step = Step(kind=StepKind.BATCH, digests=digest, batch=summary, monitored=self._monitored)
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
