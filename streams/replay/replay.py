"""Saying again what was published: the recorded log through diagnosis, or the events through detection as well."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.policy import MINUTE
from diagnosis.provenance import ObservationKind
from schemas import Codec, MalformedEvent
from streams.detect.role import policies_of
from streams.diagnose.folding import policy_of
from streams.replay.detecting import Detection
from streams.replay.diagnosing import AS_RECORDED, LETTERS, OWN_ALERTS, Diagnosis
from streams.replay.reading import Micros, Recorded, partitions_of, recorded
from streams.settings import Settings
from streams.topics import EVENT_TOPICS, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An alert of the replay, and when the record was stored that led to it."""

    at: Micros
    alert: Alert


@dataclass(slots=True, kw_only=True)
class Replay:
    """What a replay has read so far, and what it said.

    begin, end: when the first and the last record were stored. whole: every partition was read from its first record
    on. unreadable: records that are no observations or events; defects: those that could not be folded.
    """

    source: tuple[Topic, ...]
    records: int = 0
    begin: Micros | None = None
    end: Micros | None = None
    whole: bool = True
    unreadable: int = 0
    defects: int = 0
    said: list[Said] = field(default_factory=list)

    def note(self, record: Recorded, begun: set[tuple[Topic, int]]) -> None:
        """Count a record; ``begun``: the partitions of which one was seen."""
        place = (record.topic, record.partition)
        self.whole = self.whole and (record.offset == 0 or place in begun)
        begun.add(place)
        self.records += 1
        self.begin = record.stored_at if self.begin is None else self.begin
        self.end = record.stored_at


OnRecord = Callable[[Replay], None]


def replay_observations(settings: Settings, *, changed: bool, on_record: OnRecord) -> Replay:
    """The ``observations`` log through diagnosis; ``changed``: other settings than the log was written under.

    Raises:
        MissingBroker, BrokerUnreachable, NotAllowed, NothingRecorded, EndNotReached: as ``recorded``.
    """
    replay = Replay(source=(Topic.OBSERVATIONS,))
    codec = Codec("observation", Observation, max_event_bytes=settings.max_event_bytes)
    partitions = partitions_of(settings, replay.source)
    diagnosis = Diagnosis(
        policy_of(settings), partitions[Topic.OBSERVATIONS], afresh=OWN_ALERTS if changed else AS_RECORDED
    )
    for record in _counted(recorded(settings, partitions), replay, on_record):
        try:
            seen = codec.decode(record.value or b"")
        except MalformedEvent:
            replay.unreadable += 1
            continue
        replay.said += [Said(at=record.stored_at, alert=alert) for alert in diagnosis.fold(record.partition, seen)]
    replay.defects = diagnosis.defects
    return replay


def replay_events(settings: Settings, *, on_record: OnRecord) -> Replay:
    """The producers' topics through detection and diagnosis, as an installation would that begins with them.

    Raises:
        MissingBroker, BrokerUnreachable, NotAllowed, NothingRecorded, EndNotReached: as ``recorded``.
    """
    replay, minute = Replay(source=EVENT_TOPICS), None
    detection, diagnosis = Detection(settings, policies_of(settings)), Diagnosis(policy_of(settings), 1, afresh=LETTERS)

    def say(at: Micros, observations: Iterable[Observation]) -> None:
        for seen in observations:
            replay.said += [Said(at=at, alert=alert) for alert in diagnosis.fold(0, seen)]

    for record in _counted(recorded(settings, partitions_of(settings, replay.source)), replay, on_record):
        say(record.stored_at, _minutes(minute, record.stored_at))
        say(record.stored_at, detection.hear(record))
        minute = record.stored_at // MINUTE
    now = time.time_ns() // 1000
    say(now, _minutes(minute, now))
    replay.defects, replay.unreadable = diagnosis.defects, detection.unreadable
    return replay


def _counted(records: Iterator[Recorded], replay: Replay, on_record: OnRecord) -> Iterator[Recorded]:
    begun: set[tuple[Topic, int]] = set()
    for record in records:
        replay.note(record, begun)
        on_record(replay)
        yield record


def _minutes(last: int | None, now: Micros) -> Iterator[Observation]:
    """The ticks that diagnosis would have written since the minute ``last``."""
    for number in range(now // MINUTE if last is None else last + 1, now // MINUTE + 1):
        yield Observation(
            kind=ObservationKind.TICK, pipeline="", at=number * MINUTE, arrived_at=number * MINUTE, tick=number
        )
