"""The work of a task whose inputs may be gone when it recovers: what it folds goes to its journal."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from streams.kafka.chunk import Chunk
from streams.kafka.log import read_partition
from streams.kafka.transaction import Output, Transactor
from streams.kafka.trim import Trimmer
from streams.metrics import Metrics
from streams.settings import Settings
from streams.task import journal
from streams.task.reaction import Reaction
from streams.task.snapshots import SNAPSHOT_BYTES_PER_TRANSACTION, Ledger
from streams.task.state_topic import StateTopic
from streams.task.work import Micros, clock
from streams.topics import Topic


class Logic(Protocol):
    """Decides what happens; holds the states of its subjects and knows no Kafka."""

    def read(self, chunk: Chunk, reaction: Reaction) -> None:
        """Fold the records of a chunk."""

    def tick(self, now: Micros, reaction: Reaction) -> None:
        """Fold what is due by the clock."""

    def replay(self, subject: str, step: bytes) -> None:
        """Fold a step again, without effects."""

    def restore(self, subject: str, body: bytes) -> None:
        """Take a subject's state as it was written."""

    def dump(self, subject: str) -> bytes:
        """A subject's state, to be written."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """The task ends here."""


class JournaledWork:
    """One journal, one state, one transaction at a time (see ``streams.task.work.Work``)."""

    def __init__(self, agent: str, partition: int, settings: Settings, logic: Logic, metrics: Metrics) -> None:
        self.positions: dict[str, int] = {}
        self._agent = agent
        self._partition = partition
        self._settings = settings
        self._logic = logic
        self._metrics = metrics
        self._transactor = Transactor(settings, f"{settings.topic_prefix}{agent}-{partition}")
        self._trimmer = Trimmer(settings, settings.topic_prefix + Topic.JOURNAL, partition)
        self._journal = settings.topic_prefix + Topic.JOURNAL
        self._state = StateTopic(settings, agent, partition)
        self._recovered = False
        self._reset()

    def _reset(self) -> None:
        self.positions = {}
        self._sequence = 0
        self._last_entry = 0
        self._ledger = Ledger()
        self._logic.clear()

    def recover(self) -> Mapping[str, int | None]:
        """Fence, load the states, fold the later journal entries; the inputs are never read again."""
        if not self._recovered:
            self._reset()
            self._transactor.open()
            self._load()
            self._recovered = True
        return dict(self.positions)

    def _load(self) -> None:
        stored = self._state.load()
        for snapshot in stored.states.values():
            self._logic.restore(snapshot.subject, snapshot.body)
            self._ledger.cover(snapshot.subject, len(snapshot.body))
        records = read_partition(self._settings, self._journal, self._partition, stored.floor)
        for entry in journal.entries((record.offset() or 0, record.value() or b"") for record in records):
            for subject, step in entry.steps:
                known = stored.states.get(subject)
                if known is None or entry.sequence > known.position:
                    self._logic.replay(subject, step)
                    self._ledger.note(subject, entry.offset, len(step), clock())
            self.positions = dict(entry.offsets)
            self._sequence, self._last_entry = entry.sequence, entry.offset

    def take(self, chunks: Sequence[Chunk], now: Micros) -> None:
        """Fold the chunks and publish what follows, with the new positions, in one transaction."""
        reaction = Reaction()
        positions = dict(self.positions)
        for chunk in chunks:
            self._logic.read(chunk, reaction)
            positions[chunk.topic] = chunk.end
        self._publish(reaction, positions, now)

    def tick(self, now: Micros) -> None:
        """Fold what is due by the clock; nothing is written where nothing is due."""
        reaction = Reaction()
        self._logic.tick(now, reaction)
        if not reaction.empty or self._ledger.due(now):
            self._publish(reaction, self.positions, now)
        self._trimmer.trim(min(self._ledger.floor(self._last_entry), self._last_entry), now)

    def _publish(self, reaction: Reaction, positions: dict[str, int], now: Micros) -> None:
        sequence = self._sequence + 1
        entry = [
            Output(topic=self._journal, partition=self._partition, key=None, value=value)
            for value in journal.pieces(sequence, positions, reaction.steps)
        ]
        written = self._due_states(now)
        states = self._state.records(written, sequence, self._ledger.floor(self._last_entry, without=written))
        offsets = self._transactor.commit([*entry, *states, *reaction.outputs])
        self._sequence, self._last_entry, self.positions = sequence, offsets[0], positions
        for subject, step in reaction.steps:
            self._ledger.note(subject, offsets[0], len(step), now)
        for subject, body in written.items():
            self._ledger.cover(subject, len(body))
        self._metrics.apply(reaction, (self._agent, self._partition))

    def _due_states(self, now: Micros) -> dict[str, bytes]:
        written: dict[str, bytes] = {}
        held = 0
        for subject in self._ledger.due(now):
            written[subject] = self._logic.dump(subject)
            held += len(written[subject])
            if held > SNAPSHOT_BYTES_PER_TRANSACTION:
                break
        return written

    @property
    def state_bytes(self) -> int:
        """Bytes of state at the last snapshots."""
        return self._ledger.bytes

    def forget(self) -> None:
        """Throw memory away."""
        self._recovered = False

    def close(self) -> None:
        """Let go of the producer and of the subjects' gauges."""
        self._transactor.close()
        self._logic.close()
        self._metrics.release((self._agent, self._partition))
