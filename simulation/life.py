"""A pipeline's life: its events in arrival order, with faults from known ticks on, and the truth about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush

import numpy as np

from schemas.events import Event
from simulation.faults import Creep, Effect, Fault, Release, Rerun, Rewrite, Truth
from simulation.messages import data_batch, deploy, outcome, prediction, released
from simulation.pipeline import Pipeline
from simulation.production import SECOND, Line, Made
from simulation.scoring import Call, score, usual_time
from simulation.taint import Taint

_REMEMBERED = 8  # batches of features that a model may still be reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event on its way into Kafka: ``at`` is when it arrives (microseconds), ``tick`` when it belongs."""

    at: int
    tick: int
    event: Event


class Life:
    """Iterate it once for the events; ask for the truths whenever you like.

    start: event time at which the first tick begins, microseconds. onset: the tick from which ``faults`` act, each
    after its own delay. Everything has arrived by ``start + (ticks + 1) * pipeline.tick``; outcomes and delayed batches
    that would come later never do.
    """

    def __init__(self, pipeline: Pipeline, *faults: Fault, seed: int, start: int, ticks: int, onset: int = 0) -> None:
        self.pipeline = pipeline
        self.faults = faults
        self.ticks = ticks
        self.onset = onset
        population = pipeline.population.draw(np.random.default_rng([seed]))
        self._line = Line(pipeline, seed, start, population)
        self._way = np.random.default_rng([seed, 7])
        self._queue: list[tuple[int, int, Arrival, frozenset[int]]] = []
        self._told = 0
        self._outcomes: list[tuple[float, str, float]] = []
        self._features: list[tuple[Made, Made]] = []
        self._taint = Taint(pipeline, faults)

    def __iter__(self) -> Iterator[Arrival]:
        """Every event in the order of arrival."""
        healthy: dict[str, Made] = {}
        real: dict[str, Made] = {}
        for tick in range(self.ticks):
            effects = self._effects(tick)
            healthy = self._line.produce(tick, (), healthy)
            real = self._line.produce(tick, effects, real) if effects else healthy
            self._taint.spread(tick, real, self._acting(tick))
            self._tell_deploys(tick)
            self._tell_batches(tick, real, effects)
            self._tell_predictions(tick, real, healthy, effects)
            self._tell_outcomes(tick)
            yield from self._arrived(self._line.ends_at(tick + 1))
        yield from self._arrived(self._line.ends_at(self.ticks))

    @property
    def truths(self) -> tuple[Truth, ...]:
        """What each fault has done in what was iterated so far."""
        return tuple(self._taint.truth(i, self.onset + fault.after) for i, fault in enumerate(self.faults))

    def _acting(self, tick: int) -> frozenset[int]:
        """Which of the faults act in a tick."""
        return frozenset(
            i
            for i, fault in enumerate(self.faults)
            if tick >= (began := self.onset + fault.after) and (fault.lasts is None or tick < began + fault.lasts)
        )

    def _effects(self, tick: int) -> tuple[Effect, ...]:
        effects: list[Effect] = []
        acting = self._acting(tick)
        for i, fault in enumerate(self.faults):
            age = tick - self.onset - fault.after
            of = (*(fault.effects if i in acting else ()), *fault.innocent)
            effects += [_grown(each, age) for each in of if not isinstance(each, Release) or age >= each.ticks]
        return tuple(effects)

    def _tell(self, at: int, tick: int, event: Event, touched: frozenset[int] = frozenset()) -> None:
        at += int(self._way.uniform() * self.pipeline.jitter)
        heappush(self._queue, (at, self._told, Arrival(at=at, tick=tick, event=event), touched))
        self._told += 1

    def _arrived(self, until: int) -> Iterator[Arrival]:
        while self._queue and self._queue[0][0] < until:
            _, _, arrival, touched = heappop(self._queue)
            self._taint.note(arrival.event, touched)
            yield arrival

    def _tell_deploys(self, tick: int) -> None:
        for fault in self.faults:
            for release in (*(e for e in fault.effects if isinstance(e, Release)), *fault.innocent):
                if release.announced and tick == self.onset + fault.after + release.ticks:
                    at = self._line.ends_at(tick) - 30 * SECOND
                    self._tell(at, tick, deploy(self.pipeline, release, self._before(release), at))

    def _before(self, release: Release) -> str | None:
        if release.component == self.pipeline.model.name:
            return self.pipeline.model.version if release.versioned == "model" else self.pipeline.model.code_version
        before: str | None = getattr(self.pipeline.step(release.component).headers, f"{release.versioned}_version")
        return before

    def _tell_batches(self, tick: int, real: dict[str, Made], effects: Sequence[Effect]) -> None:
        again = {effect.dataset: effect for effect in effects if isinstance(effect, Rerun)}
        for stage in self.pipeline.steps:
            made = real[stage.dataset]
            if made.tick != tick:
                continue
            end, touched = self._line.ends_at(tick), self._taint.of(made.batch_id)
            event = data_batch(self.pipeline, stage, made, effects, end=end)
            self._tell(event.produced_at, tick, event, touched)
            if (rerun := again.get(stage.dataset)) is not None:
                second = self._line.run_again(made, rerun.damage)
                event = data_batch(self.pipeline, stage, second, effects, end=end, attempt=2)
                event = replace(event, replaces=made.batch_id if rerun.replaces else None)
                self._tell(event.produced_at, tick, event, touched)

    def _tell_predictions(
        self, tick: int, real: dict[str, Made], healthy: dict[str, Made], effects: Sequence[Effect]
    ) -> None:
        reads = self.pipeline.model.reads
        served, true = self._serve(tick, real[reads], healthy[reads])
        feature = released(self.pipeline.step(reads).headers, reads, effects).feature_version
        touched = self._taint.of_predictions(served, tick, self._acting(tick))
        for call in score(self._line, tick, served, true, effects):
            self._await_outcomes(call)
            self._tell(call.at, tick, prediction(self.pipeline, call, served, effects, feature), touched)

    def _serve(self, tick: int, newest: Made, healthy: Made) -> tuple[Made, Made]:
        """The newest features that were finished in time for a tick's calls, and the healthy ones of those who act.

        Where features come late, so does who is scored; where they are renewed no more, others act.
        """
        self._features = [*self._features[-_REMEMBERED:], (newest, healthy)]
        until = self._line.ends_at(tick) + usual_time(self.pipeline)
        served, then = max(
            (each for each in self._features if each[0].produced_at <= until), key=lambda each: each[0].tick
        )
        return served, then if newest.tick == tick else healthy

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


def _grown(effect: Effect, age: int) -> Effect:
    """What creeps, as far as it has come after so many ticks."""
    if isinstance(effect, Creep):
        return Rewrite(effect.dataset, effect.damage(min((age + 1) / effect.ticks, 1.0)))
    return effect
