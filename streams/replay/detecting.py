"""Events through the detect agent's logic in this process, as if all topics had one partition."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry

from diagnosis.observation import Observation
from schemas import Codec
from streams.detect.budget import Budget
from streams.detect.logic import DetectLogic
from streams.detect.role import decoders_of
from streams.detect.subject import Policies
from streams.kafka.chunk import Chunk, size_of
from streams.metrics import Metrics
from streams.replay.reading import Recorded
from streams.settings import Settings
from streams.task.reaction import Reaction
from streams.topics import Topic


class Detection:
    """Begins without a baseline, as an installation does."""

    def __init__(self, settings: Settings, policies: Policies) -> None:
        alone = settings.model_copy(update={"partitions": 1})
        metrics = Metrics(CollectorRegistry())
        self._codec = Codec("observation", Observation)
        self._logic = DetectLogic(0, alone, decoders_of(alone, metrics), self._codec.encode, policies, Budget(metrics))
        self._prefix = settings.topic_prefix
        self.unreadable = 0

    def hear(self, record: Recorded) -> Iterator[Observation]:
        """What is written to the observations log for an event, and for the time that has passed until it came."""
        chunk = Chunk(
            topic=self._prefix + record.topic,
            partition=record.partition,
            begin=record.offset,
            end=record.offset + 1,
            epoch=0,
            bytes=size_of(record),
            records=(record,),
        )
        reaction = Reaction()
        self._logic.tick(record.stored_at, reaction)
        self._logic.read(chunk, reaction)
        for output in reaction.outputs:
            self.unreadable += output.topic == self._prefix + Topic.DEAD_LETTERS
            if output.topic == self._prefix + Topic.OBSERVATIONS:
                yield self._codec.decode(output.value or b"")
