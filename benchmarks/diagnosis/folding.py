"""Events through the same code that the agents run, one after the other in this process: no broker, no Redis.

Events are encoded and decoded as on the wire, folded by the detect agent's logic; what it writes to the observations
log is folded by diagnosis at once. Every event arrives when the simulator says it does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from detectors import dataset, model
from diagnosis.alert import Alert, Status
from diagnosis.observation import Observation, ObservationKind
from diagnosis.pipeline import fold, start
from diagnosis.policy import MINUTE, Policy
from diagnosis.state import PipelineState
from schemas import Codec, Decoder
from schemas.events import Change, DataBatch, Event, Outcome, Prediction
from simulation.life import Arrival
from streams.detect.budget import Budget
from streams.detect.logic import DetectLogic
from streams.detect.subject import Policies
from streams.ingest.encoding import Encoding
from streams.kafka.chunk import Chunk, Headers
from streams.metrics import Metrics
from streams.settings import Settings
from streams.task.reaction import Reaction
from streams.topics import Topic

ENVIRONMENT = "benchmark"
TYPES = {
    Topic.DATA_BATCHES: DataBatch,
    Topic.PREDICTIONS: Prediction,
    Topic.OUTCOMES: Outcome,
    Topic.CHANGES: Change,
}


@dataclass(slots=True)
class Record:
    """A record as a consumer would hand it over; ``timestamp`` in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """An alert as it was published, while the events of ``tick`` arrived; ``at``: when, in microseconds."""

    tick: int
    at: int
    alert: Alert


@dataclass(slots=True)
class Run:
    """What was seen and said of one life; observations with the tick during which they were made."""

    observations: list[tuple[int, Observation]] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    state: PipelineState = field(default_factory=lambda: start(""))

    @property
    def alerts(self) -> list[Revision]:
        """The latest revision of every alert that was not superseded, in the order in which they were opened."""
        latest = {revision.alert.alert_id: revision for revision in self.revisions}
        return [revision for revision in latest.values() if revision.alert.status is not Status.SUPERSEDED]

    def opened(self, since: int) -> set[str]:
        """The ids of the alerts whose first revision came in the tick ``since`` or later."""
        first = {revision.alert.alert_id: revision.tick for revision in reversed(self.revisions)}
        return {alert_id for alert_id, tick in first.items() if tick >= since}


def policy_of(settings: Settings) -> Policy:
    """How the diagnose agent is set by default."""
    return Policy(environment=ENVIRONMENT, settle_s=settings.settle_s, resolve_batches=settings.resolve_batches)


def _topic_and_name(event: Event) -> tuple[Topic, str]:
    match event:
        case DataBatch():
            return Topic.DATA_BATCHES, event.dataset
        case Change():
            return Topic.CHANGES, event.component
        case Outcome():
            return Topic.OUTCOMES, event.model
        case Prediction():
            return Topic.PREDICTIONS, event.model


class Detection:
    """The detect agent's logic on one partition, fed with events instead of a topic."""

    def __init__(self, settings: Settings) -> None:
        decoders = {topic: Decoder(of).decode for topic, of in TYPES.items()}
        policies = Policies(dataset=dataset.Policy(), model=model.Policy())
        budget = Budget(Metrics(CollectorRegistry()))
        self._codec = Codec("observation", Observation)
        self._logic = DetectLogic(0, settings, decoders, self._codec.encode, policies, budget)
        self._prefix, self._encoding = settings.topic_prefix, Encoding()
        self._offsets: dict[Topic, int] = {}

    def hear(self, event: Event, at: int) -> Iterator[Observation]:
        """What is written to the observations log for an event that arrives at ``at``, microseconds."""
        topic, name = _topic_and_name(event)
        value, offset = self._encoding.encode(event), self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        record = Record(offset, at // 1000, f"{event.pipeline}/{name}".encode(), value)
        chunk = Chunk(
            topic=self._prefix + topic,
            partition=0,
            begin=offset,
            end=offset + 1,
            epoch=0,
            bytes=len(value),
            records=(record,),
        )
        reaction = Reaction()
        self._logic.tick(at, reaction)
        self._logic.read(chunk, reaction)
        yield from self._written(reaction)

    def _written(self, reaction: Reaction) -> Iterable[Observation]:
        for output in reaction.outputs:
            if output.topic == self._prefix + Topic.DEAD_LETTERS:
                raise ValueError(f"an event of the simulator is a dead letter: {output.headers}")
            if output.topic == self._prefix + Topic.OBSERVATIONS:
                yield self._codec.decode(output.value or b"")


def benchmark_settings() -> Settings:
    """Those of a worker by default, whatever the environment says."""
    return Settings(_env_file=None, partitions=1, environment=ENVIRONMENT)


def benchmark_policy() -> Policy:
    """How diagnosis is set in all lives."""
    return policy_of(benchmark_settings())


def live(arrivals: Iterable[Arrival], pipeline: str) -> Run:
    """One life of a pipeline from its first event to its last."""
    settings = benchmark_settings()
    detection, policy, run = Detection(settings), policy_of(settings), Run(state=start(pipeline))
    minute = 0
    for arrival in arrivals:
        seen = list(detection.hear(arrival.event, arrival.at))
        if arrival.at // MINUTE > minute:
            minute, at = arrival.at // MINUTE, arrival.at
            seen.insert(0, Observation(kind=ObservationKind.TICK, pipeline="", at=at, arrived_at=at, tick=minute))
        for observation in seen:
            run.observations.append((arrival.tick, observation))
            run.state, alerts = fold(run.state, observation, policy)
            run.revisions += [Revision(tick=arrival.tick, at=arrival.at, alert=alert) for alert in alerts]
    return run
