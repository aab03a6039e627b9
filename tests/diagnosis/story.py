"""A tiny builder of observation logs: pipelines of datasets and models whose readings are made up, not measured."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from detectors.finding import Finding
from detectors.judgement import ColumnProfile, Readings
from diagnosis.alert import Alert
from diagnosis.neighbours import letters
from diagnosis.observation import Deliberate, Observation
from diagnosis.pipeline import fold, start
from diagnosis.policy import Policy
from diagnosis.provenance import ObservationKind, Origin, Parent, PredictionRef
from diagnosis.state import PipelineState

MINUTE = 60_000_000
START = 1_700_000_000_000_000
POLICY = Policy(environment="test")
STATISTICS = ("missing_rate", "location", "scale")


@dataclass(frozen=True)
class Dataset:
    """A dataset: its columns, its parents, and what its columns follow: column -> (parent, parent column)."""

    name: str
    columns: tuple[str, ...]
    parents: tuple[str, ...] = ()
    follows: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    delay: int = 1_000_000


@dataclass(frozen=True)
class Model:
    """A model: its features (with the dataset each is read from) and its datasets."""

    name: str
    columns: tuple[str, ...]
    parents: tuple[str, ...]
    follows: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    delay: int = 2_000_000
    score: tuple[str, str] | None = None


@dataclass
class Shift:
    """z added to one statistic of one node from round ``since`` to ``until``; alarmed unless ``weak``."""

    node: str
    column: str
    statistic: str
    since: int
    size: float = 12.0
    until: int = 10_000
    weak: bool = False
    exact: bool = False
    lag: int = 0
    observed: float | None = None
    expected: float | None = None

    def on(self, number: int) -> bool:
        return self.since <= number < self.until


@dataclass
class World:
    """Makes observations round by round: one batch per dataset, one window per model, outcomes of the same round."""

    nodes: Sequence[Dataset | Model]
    shifts: list[Shift] = field(default_factory=list)
    versions: Callable[[str, int], Mapping[str, str]] = lambda name, number: {"code": "v1"}  # noqa: ARG005
    outcomes: bool = False
    seed: int = 1
    rows: int = 100
    start: int = START
    pipelines: Mapping[str, str] = field(default_factory=dict)
    parent_of: Callable[[str, str, int], str | None] = lambda child, parent, number: f"{parent}-{number}"  # noqa: ARG005
    _z: dict[tuple[str, int], dict[tuple[str, str], float]] = field(default_factory=dict)

    def pipeline(self, name: str) -> str:
        """Return the pipeline a node belongs to."""
        return self.pipelines.get(name, "shop")

    def z(self, name: str, number: int) -> dict[tuple[str, str], float]:
        """Return a node's readings: noise of its own, plus its parents', plus what is broken here."""
        if (name, number) in self._z:
            return self._z[name, number]
        node = next(one for one in self.nodes if one.name == name)
        place = [one.name for one in self.nodes].index(name)
        random = np.random.default_rng((self.seed, place, number))
        found: dict[tuple[str, str], float] = {("", "rows"): float(random.normal())}
        for column in node.columns:
            parent, source = node.follows.get(column, (None, ""))
            for statistic in STATISTICS:
                own = float(random.normal())
                above = self.z(parent, number)[source, statistic] if parent else None
                found[column, statistic] = own if above is None else 0.95 * above + 0.3 * own
        if isinstance(node, Model):
            above = self.z(node.score[0], number)[node.score[1], "location"] if node.score else 0.0
            found["", "score_location"] = 0.9 * above + (0.44 if node.score else 1.0) * float(random.normal())
        for shift in self.shifts:
            if shift.node == name and shift.on(number) and not shift.exact:
                key = (shift.column, shift.statistic)
                found[key] = found.get(key, 0.0) + shift.size
        self._z[name, number] = found
        return found

    def findings(self, name: str, number: int, *, outcomes: bool = False) -> tuple[Finding, ...]:
        """Return what detectors would say: a finding per statistic that is far off, since its first such round."""
        node = next(one for one in self.nodes if one.name == name)
        found = []
        weak = {(s.column, s.statistic) for s in self.shifts if s.node == name and s.weak}
        for (column, statistic), z in self.z(name, number).items():
            if abs(z) >= 6 and (column, statistic) not in weak and not outcomes:
                first = number
                while first > 0 and abs(self.z(name, first - 1).get((column, statistic), 0.0)) >= 6:
                    first -= 1
                found.append(self._finding(node, column, statistic, first, z))
        for shift in self.shifts:
            if not shift.exact or shift.node != (f"outcomes:{name}" if outcomes else name) or not shift.on(number):
                continue
            if number >= shift.since + shift.lag:
                found.append(self._exact(node, shift))
        return tuple(found)

    def _finding(self, node: Dataset | Model, column: str, statistic: str, first: int, z: float) -> Finding:
        return Finding(
            subject=f"{self.pipeline(node.name)}/{node.name}",
            statistic=statistic,
            column=column or None,
            observed=1.0 + z / 10,
            expected=1.0,
            effect=z / 10,
            evidence_nats=z * z / 2,
            alarm_batch_id=f"{node.name}-{first}",
            alarm_at=self.at(node, first),
            onset_earliest=self.at(node, first - 1),
            onset_latest=self.at(node, first),
            onset_batch_id=f"{node.name}-{first}",
            sentence=f"{statistic} of {column or node.name} moved",
        )

    def _exact(self, node: Dataset | Model, shift: Shift) -> Finding:
        first = shift.since + shift.lag
        return Finding(
            subject=f"{self.pipeline(node.name)}/{node.name}",
            statistic=shift.statistic,
            column=shift.column or None,
            observed=shift.observed,
            expected=shift.expected,
            evidence_nats=30.0 if shift.statistic == "calibration" else inf,
            alarm_batch_id=f"{node.name}-{first}",
            alarm_at=self.at(node, first),
            onset_earliest=self.at(node, shift.since - 1),
            onset_latest=self.at(node, shift.since),
            onset_batch_id=None if shift.node.startswith("outcomes:") else f"{node.name}-{shift.since}",
            sentence=f"{shift.statistic} of {node.name}",
        )

    def at(self, node: Dataset | Model, number: int) -> int:
        depth = [one.name for one in self.nodes].index(node.name)
        return self.start + number * MINUTE + depth * node.delay

    def observation(self, name: str, number: int, *, outcomes: bool = False) -> Observation:
        node = next(one for one in self.nodes if one.name == name)
        kind = ObservationKind.WINDOW if isinstance(node, Model) else ObservationKind.BATCH
        z = self.z(name, number)
        parents = [(parent, self.parent_of(name, parent, number)) for parent in node.parents]
        at = self.at(node, number) + (30_000_000 if outcomes else 0)
        refs = ()
        if isinstance(node, Model) and not outcomes:
            refs = tuple(
                PredictionRef(
                    origin=Origin(topic="predictions", partition=0, offset=number * 2 + part),
                    at=at + part,
                    rows=50,
                    ids=tuple(f"p{number}-{part}-{i}" for i in range(50)),
                    parents=tuple(range(len(parents))),
                )
                for part in range(2)
            )
        return Observation(
            kind=ObservationKind.OUTCOMES if outcomes else kind,
            pipeline=self.pipeline(name),
            name=name,
            batch_id=f"{name}-o{number}" if outcomes else f"{name}-{number}",
            at=at,
            arrived_at=at + 500_000,
            rows=self.rows,
            origin=Origin(topic="data-batches", partition=1, offset=number),
            window_start=self.at(node, number) if outcomes else None,
            window_end=self.at(node, number) + 1 if outcomes else None,
            parents=() if outcomes else tuple(self._parent(name, *parent) for parent in parents),
            versions={} if outcomes else self.versions(name, number),
            findings=self.findings(name, number, outcomes=outcomes),
            readings=Readings() if outcomes else _readings(z),
            profiles=() if outcomes else tuple(_profile(column, z) for column in node.columns),
            predictions=refs,
        )

    def _parent(self, child: str, parent: str, batch_id: str | None) -> Parent:
        other = self.pipeline(parent) if self.pipeline(parent) != self.pipeline(child) else None
        return Parent(dataset=parent, batch_id=batch_id, pipeline=other)

    def rounds(self, first: int, last: int) -> list[Observation]:
        """Return the log of some rounds, each in order from source to model, outcomes last."""
        log = []
        for number in range(first, last):
            log.extend(self.observation(node.name, number) for node in self.nodes)
            if self.outcomes:
                models = [node.name for node in self.nodes if isinstance(node, Model)]
                log.extend(self.observation(name, number, outcomes=True) for name in models)
        return log


def _readings(z: Mapping[tuple[str, str], float]) -> Readings:
    values = np.array(list(z.values()))
    return Readings(
        column=tuple(column for column, _ in z),
        statistic=tuple(statistic for _, statistic in z),
        observed=1 + values / 10,
        expected=np.ones(len(z)),
        scale=np.full(len(z), 0.1),
        z=values,
        evidence=np.zeros(len(z)),
    )


def _profile(column: str, z: Mapping[tuple[str, str], float]) -> ColumnProfile:
    return ColumnProfile(
        name=column,
        kind="number",
        count=100,
        missing=0,
        mean=10 + z[column, "location"] / 10,
        standard_deviation=1.0,
    )


def tick(number: int, pipeline: str = "shop") -> Observation:
    at = number * MINUTE
    return Observation(kind=ObservationKind.TICK, pipeline=pipeline, at=at, arrived_at=at, tick=number)


def change(component: str, kind: str, at: int, before: str = "v1", after: str = "v2") -> Observation:
    told = Deliberate(
        component=component, kind=kind, at=at, change_id=f"{component}-{after}", before=before, after=after
    )
    return Observation(kind=ObservationKind.CHANGE, pipeline="shop", name=component, at=at, arrived_at=at, change=told)


def run(
    log: Iterable[Observation], policy: Policy = POLICY, state: PipelineState | None = None
) -> tuple[PipelineState, list[Alert]]:
    """Fold a log and return the state and all published revisions."""
    state = state or start("shop")
    published: list[Alert] = []
    for observation in log:
        state, alerts = fold(state, observation, policy)
        published.extend(alerts)
    return state, published


def run_together(
    log: Iterable[Observation], policy: Policy = POLICY, late: int = 0
) -> tuple[dict[str, PipelineState], list[Alert], list[Observation]]:
    """Fold a log of several pipelines; what they write to each other comes ``late`` records later.

    Returns the states, all published revisions, and the log as it then is, letters and all.
    """
    states: dict[str, PipelineState] = {}
    published: list[Alert] = []
    written: list[Observation] = []
    waiting: deque[tuple[int, Observation]] = deque()
    ahead = deque(log)
    while ahead or waiting:
        if waiting and (not ahead or waiting[0][0] <= len(written)):
            _, seen = waiting.popleft()
        else:
            seen = ahead.popleft()
        written.append(seen)
        for name in list(states) if seen.kind is ObservationKind.TICK else [seen.addressee]:
            before = states.get(name) or start(name)
            states[name], alerts = fold(before, seen, policy)
            published.extend(alerts)
            waiting.extend((len(written) + late, one) for one in letters(before, states[name], seen, alerts))
    return states, published, written


def last(alerts: Iterable[Alert]) -> list[Alert]:
    """Return the last revision of each alert, in order of opening."""
    found: dict[str, Alert] = {}
    for alert in alerts:
        found[alert.alert_id] = alert
    return list(found.values())


def chain() -> list[Dataset | Model]:
    """Two sources, joined after cleaning; features and a model at the end."""
    return [
        Dataset("orders", ("amount", "quantity")),
        Dataset("customers", ("age", "income")),
        Dataset("clean", ("amount", "quantity"), ("orders",), {c: ("orders", c) for c in ("amount", "quantity")}),
        Dataset(
            "joined",
            ("amount", "quantity", "age", "income"),
            ("clean", "customers"),
            {
                "amount": ("clean", "amount"),
                "quantity": ("clean", "quantity"),
                "age": ("customers", "age"),
                "income": ("customers", "income"),
            },
        ),
        Dataset("features", ("spend", "age"), ("joined",), {"spend": ("joined", "amount"), "age": ("joined", "age")}),
        Model(
            "risk",
            ("spend", "age"),
            ("features",),
            {"spend": ("features", "spend"), "age": ("features", "age")},
            score=("features", "spend"),
        ),
    ]
