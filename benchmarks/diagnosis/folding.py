"""Events through the same code that the agents run, one after the other in this process: no broker, no Redis.

Events are encoded and decoded as on the wire, folded by the detect agent's logic; what it writes to the observations
log is folded by diagnosis at once. Every event arrives when the simulator says it does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from diagnosis.alert import Alert, Status
from diagnosis.observation import Observation
from diagnosis.pipeline import fold, start
from diagnosis.policy import MINUTE, Policy
from diagnosis.provenance import ObservationKind
from diagnosis.state import PipelineState
from schemas.events import Event
from simulation.life import Arrival
from streams.demo.feeding import address
from streams.detect.role import policies_of
from streams.diagnose.folding import policy_of
from streams.ingest.encoding import Encoding
from streams.replay.detecting import Detection
from streams.replay.reading import Recorded
from streams.settings import Settings
from streams.topics import Topic, key_of

ENVIRONMENT = "benchmark"


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


class Producers:
    """Encode events as records of topics with one partition each."""

    def __init__(self) -> None:
        self._encoding = Encoding()
        self._offsets: dict[Topic, int] = {}

    def write(self, event: Event, at: int) -> Recorded:
        """An event that arrives at ``at``, microseconds."""
        topic, name = address(event)
        offset = self._offsets[topic] = self._offsets.get(topic, -1) + 1
        return Recorded(
            topic=topic,
            partition=0,
            offset=offset,
            timestamp=at // 1000,
            key=key_of(event.pipeline, name),
            value=self._encoding.encode(event),
        )


def benchmark_settings() -> Settings:
    """Those of a worker by default, whatever the environment says."""
    return Settings(_env_file=None, partitions=1, environment=ENVIRONMENT)


def benchmark_policy() -> Policy:
    """How diagnosis is set in all lives."""
    return policy_of(benchmark_settings())


def live(arrivals: Iterable[Arrival], pipeline: str) -> Run:
    """One life of a pipeline from its first event to its last."""
    producers, run = Producers(), Run(state=start(pipeline))
    detection = Detection(benchmark_settings(), policies_of(benchmark_settings()))
    policy, minute = benchmark_policy(), 0
    for arrival in arrivals:
        seen = list(detection.hear(producers.write(arrival.event, arrival.at)))
        if detection.unreadable:
            raise ValueError(f"an event of the simulator is a dead letter: {arrival.event}")
        if arrival.at // MINUTE > minute:
            minute, at = arrival.at // MINUTE, arrival.at
            seen.insert(0, Observation(kind=ObservationKind.TICK, pipeline="", at=at, arrived_at=at, tick=minute))
        for observation in seen:
            run.observations.append((arrival.tick, observation))
            run.state, alerts = fold(run.state, observation, policy)
            run.revisions += [Revision(tick=arrival.tick, at=arrival.at, alert=alert) for alert in alerts]
    return run
