"""A pipeline's life: its events in arrival order, with a fault from a known tick on, and the truth about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from schemas.events import DataBatch, Event, Prediction
from simulation.faults import Effect, Fault, Release, Rerun, Truth
from simulation.messages import data_batch, deploy, outcome, prediction, released
from simulation.pipeline import Pipeline
from simulation.production import SECOND, Line, Made
from simulation.scoring import Call, score


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event on its way into Kafka: ``at`` is when it arrives (microseconds), ``tick`` when it belongs."""

    at: int
    tick: int
    event: Event


class Life:
    """Iterate it once for the events; ask for the truth whenever you like.

    start: event time at which the first tick begins, microseconds. onset: the tick from which ``fault`` acts.
    Everything has arrived by ``start + (ticks + 1) * pipeline.tick``; outcomes that would come later never do.
    """

    def __init__(
        self, pipeline: Pipeline, fault: Fault | None = None, *, seed: int, start: int, ticks: int, onset: int = 0
    ) -> None:
        self.pipeline = pipeline
        self.fault = fault
        self.ticks = ticks
        self.onset = onset
        population = pipeline.population.draw(np.random.default_rng([seed]))
        self._line = Line(pipeline, seed, start, population)
        self._queue: list[tuple[int, int, Arrival]] = []
        self._told = 0
        self._outcomes: list[tuple[float, str, float]] = []
        self._touched: list[DataBatch | Prediction] = []

    def __iter__(self) -> Iterator[Arrival]:
        """Every event in the order of arrival."""
        healthy: dict[str, Made] = {}
        real: dict[str, Made] = {}
        for tick in range(self.ticks):
            effects = self._effects(tick)
            healthy = self._line.produce(tick, (), healthy)
            real = self._line.produce(tick, effects, real) if effects else healthy
            self._tell_deploys(tick)
            self._tell_batches(tick, real, effects)
            self._tell_predictions(tick, real, healthy, effects)
            self._tell_outcomes(tick)
            yield from self._arrived(self._line.ends_at(tick + 1))
        yield from self._arrived(self._line.ends_at(self.ticks))

    @property
    def truth(self) -> Truth | None:
        """What the fault has done in what was iterated so far; None without a fault."""
        if self.fault is None:
            return None
        batches = [event for event in self._touched if isinstance(event, DataBatch)]
        predictions = [event for event in self._touched if isinstance(event, Prediction)]
        first = self._touched[0] if self._touched else None
        return Truth(
            fault=self.fault.name,
            kind=self.fault.kind,
            component=self.fault.component,
            column=self.fault.column,
            onset_tick=self.onset,
            onset_at=None if first is None else _time_of(first),
            onset_batch_id=batches[0].batch_id if batches else None,
            affected_batches=tuple(dict.fromkeys(str(batch.batch_id) for batch in batches)),
            affected_predictions=tuple(i for event in predictions for i in event.prediction_ids),
        )

    def _acting(self, tick: int) -> bool:
        if self.fault is None or tick < self.onset:
            return False
        return self.fault.lasts is None or tick < self.onset + self.fault.lasts

    def _effects(self, tick: int) -> tuple[Effect, ...]:
        if self.fault is None:
            return ()
        effects = self.fault.effects if self._acting(tick) else ()
        return tuple(
            effect
            for effect in (*effects, *self.fault.innocent)
            if not isinstance(effect, Release) or tick >= self.onset + effect.ticks
        )

    def _tell(self, at: int, tick: int, event: Event) -> None:
        heappush(self._queue, (at, self._told, Arrival(at=at, tick=tick, event=event)))
        self._told += 1

    def _arrived(self, until: int) -> Iterator[Arrival]:
        while self._queue and self._queue[0][0] < until:
            arrival = heappop(self._queue)[2]
            if self._is_touched(arrival):
                assert isinstance(arrival.event, DataBatch | Prediction)
                self._touched.append(arrival.event)
            yield arrival

    def _is_touched(self, arrival: Arrival) -> bool:
        if self.fault is None or not self._acting(arrival.tick):
            return False
        reached = self.pipeline.descendants(self.fault.component)
        if isinstance(arrival.event, DataBatch):
            return arrival.event.dataset in reached
        return isinstance(arrival.event, Prediction) and bool(
            reached & {self.pipeline.model.name, self.pipeline.model.reads}
        )

    def _tell_deploys(self, tick: int) -> None:
        if self.fault is None:
            return
        for release in (*(e for e in self.fault.effects if isinstance(e, Release)), *self.fault.innocent):
            if release.announced and tick == self.onset + release.ticks:
                at = self._line.ends_at(tick) - 30 * SECOND
                self._tell(at, tick, deploy(self.pipeline, release, self._before(release), at))

    def _before(self, release: Release) -> str | None:
        if release.component == self.pipeline.model.name:
            return self.pipeline.model.version if release.versioned == "model" else self.pipeline.model.code_version
        before: str | None = getattr(self.pipeline.step(release.component).headers, f"{release.versioned}_version")
        return before

    def _tell_batches(self, tick: int, real: dict[str, Made], effects: Sequence[Effect]) -> None:
        again = {effect.dataset: effect.damage for effect in effects if isinstance(effect, Rerun)}
        for stage in self.pipeline.steps:
            made = real[stage.dataset]
            if made.tick != tick:
                continue
            end = self._line.ends_at(tick)
            event = data_batch(self.pipeline, stage, made, effects, end=end)
            self._tell(event.produced_at, tick, event)
            if stage.dataset in again:
                second = self._line.run_again(made, again[stage.dataset])
                event = data_batch(self.pipeline, stage, second, effects, end=end, attempt=2)
                self._tell(event.produced_at, tick, event)

    def _tell_predictions(
        self, tick: int, real: dict[str, Made], healthy: dict[str, Made], effects: Sequence[Effect]
    ) -> None:
        reads = self.pipeline.model.reads
        feature = released(self.pipeline.step(reads).headers, reads, effects).feature_version
        for call in score(self._line, tick, real[reads], healthy[reads], effects):
            self._await_outcomes(call)
            self._tell(call.at, tick, prediction(self.pipeline, call, real[reads], effects, feature))

    def _await_outcomes(self, call: Call) -> None:
        due = call.at + call.delay * self.pipeline.tick
        self._outcomes += zip(due.tolist(), call.ids, call.happened.tolist(), strict=True)

    def _tell_outcomes(self, tick: int) -> None:
        at = self._line.ends_at(tick) + 2 * SECOND
        due = sorted(each for each in self._outcomes if each[0] <= at)
        self._outcomes = [each for each in self._outcomes if at < each[0] < np.inf]
        if due:
            happened = np.array([each[2] for each in due])
            self._tell(at, tick, outcome(self.pipeline, [each[1] for each in due], happened, at))


def _time_of(event: DataBatch | Prediction) -> int:
    return event.produced_at if isinstance(event, DataBatch) else event.scored_at
