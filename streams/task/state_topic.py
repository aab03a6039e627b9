"""One task's share of the compacted ``state`` topic."""

from collections.abc import Mapping

from streams.kafka.log import read_partition
from streams.kafka.transaction import Output
from streams.settings import Settings
from streams.task.snapshots import Snapshots, assemble, pieces
from streams.topics import Topic


class StateTopic:
    """Where the task of ``agent`` on ``partition`` finds and leaves its snapshots."""

    def __init__(self, settings: Settings, agent: str, partition: int) -> None:
        self._settings = settings
        self._agent = agent
        self._partition = partition
        self._topic = settings.topic_prefix + Topic.STATE

    def load(self) -> Snapshots:
        """The newest snapshots, and from where the log is still needed."""
        return assemble(self._agent, read_partition(self._settings, self._topic, self._partition))

    def records(self, states: Mapping[str, bytes], position: int, floor: int) -> list[Output]:
        """The records that hold ``states`` (by subject) as they are after the log entry ``position``."""
        return [
            Output(topic=self._topic, partition=self._partition, key=key, value=value)
            for subject, body in states.items()
            for key, value in pieces(self._agent, subject, position, floor, body)
        ]
