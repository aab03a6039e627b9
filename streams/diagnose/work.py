"""The diagnose agent's work: its journal is its input, the ``observations`` log: one log, the same alerts."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from diagnosis.alert import Alert, Severity, Status
from diagnosis.observation import Observation
from diagnosis.policy import Policy
from diagnosis.provenance import ObservationKind, Origin
from diagnosis.state import PipelineState
from streams.diagnose.folding import addressees, advance
from streams.kafka.chunk import Chunk
from streams.kafka.log import read_partition
from streams.kafka.transaction import Output, Transactor
from streams.metrics import Metrics
from streams.plain import from_bytes, to_bytes
from streams.records import bury, our_fault
from streams.settings import Settings
from streams.task.reaction import Reaction
from streams.task.snapshots import SNAPSHOT_BYTES_PER_TRANSACTION, Ledger
from streams.task.state_topic import StateTopic
from streams.task.work import Micros, clock
from streams.topics import Topic, partition_of

AGENT = "diagnose"
MINUTE_MICROS = 60_000_000
TASK = ""  # the subject under which the task notes how far its alerts are published

Decode = Callable[[bytes], Observation]
logger = logging.getLogger(__name__)

Write = Callable[[Alert], bytes]


class DiagnoseWork:
    """The pipelines of one partition (see ``streams.task.work.Work``).

    Alerts, letters to other pipelines and the note of how far they are published go out in one transaction; one that
    publishes nothing needs no note, because folding its observations again says nothing new.
    """

    def __init__(
        self, partition: int, settings: Settings, decode: Decode, encode: Callable[[Observation], bytes],
        write: Write, policy: Policy, metrics: Metrics,
    ) -> None:  # fmt: skip
        self._partition = partition
        self._settings = settings
        self._decode = decode
        self._encode = encode
        self._write = write
        self._policy = policy
        self._metrics = metrics
        self._log = settings.topic_prefix + Topic.OBSERVATIONS
        self._state = StateTopic(settings, AGENT, partition)
        self._alerts = settings.topic_prefix + Topic.ALERTS
        self._transactor = Transactor(settings, f"{settings.topic_prefix}{AGENT}-{partition}")
        self._recovered = False
        self._reset()

    def _reset(self) -> None:
        self.positions: dict[str, int] = {}
        self._pipelines: dict[str, PipelineState] = {}
        self._ledger = Ledger()
        self._tick = 0

    def recover(self) -> Mapping[str, int | None]:
        """Fence, load the pipelines, fold the later observations, publish what was not published yet."""
        if not self._recovered:
            self._reset()
            self._transactor.open()
            self._load()
            self._recovered = True
        return dict(self.positions)

    def _load(self) -> None:
        stored = self._state.load()
        published = stored.states[TASK].position if TASK in stored.states else 0
        for name, snapshot in stored.states.items():
            if name != TASK:
                self._pipelines[name] = from_bytes(PipelineState, snapshot.body)
                self._ledger.cover(name, len(snapshot.body))
        known = {name: snapshot.position for name, snapshot in stored.states.items()}
        reaction = Reaction()
        position = stored.floor
        for record in read_partition(self._settings, self._log, self._partition, stored.floor):
            offset, value = record.offset() or 0, record.value() or b""
            again = Reaction()
            self._fold(value, offset, known, again)
            if offset >= published:
                reaction.outputs += again.outputs
            position = offset + 1
        self.positions[self._log] = position
        if reaction.outputs:
            self._publish(reaction, position, clock())

    def take(self, chunks: Sequence[Chunk], now: Micros) -> None:
        """Fold the chunks and publish the alerts that follow."""
        reaction = Reaction()
        position = self.positions.get(self._log, 0)
        for chunk in chunks:
            for record in chunk.records:
                self._fold(record.value or b"", record.offset, {}, reaction)
            position = chunk.end
        self._publish(reaction, position, now)

    def _fold(self, value: bytes, offset: int, known: Mapping[str, int], reaction: Reaction) -> None:
        began = time.thread_time()
        seen = self._decode(value)
        if seen.kind is ObservationKind.TICK:
            self._tick = max(self._tick, seen.tick or 0)
        for name in addressees(seen, self._pipelines):
            if offset < known.get(name, 0):
                continue
            try:
                alerts, letters = advance(self._pipelines, name, seen, self._policy)
            except Exception as failure:  # noqa: BLE001  # a defect of ours costs one observation, not the partition
                self._bury(value, offset, failure, reaction)
                continue
            ended = time.thread_time()
            self._ledger.note(name, offset, len(value), clock(), ended - began)
            began = ended
            for letter in letters:
                self._send(letter, reaction)
            for alert in alerts:
                self._announce(alert, reaction)

    def _bury(self, value: bytes, offset: int, failure: Exception, reaction: Reaction) -> None:
        logger.exception("%s[%d] at %d is a dead letter", self._log, self._partition, offset)
        origin = Origin(topic=Topic.OBSERVATIONS, partition=self._partition, offset=offset)
        error, grave = our_fault(failure), self._settings.topic_prefix + Topic.DEAD_LETTERS
        reaction.outputs.append(bury(None, value, origin, grave, self._partition, error))
        reaction.count("headwater_dead_letters_total", Topic.OBSERVATIONS, error.reason)

    def _announce(self, alert: Alert, reaction: Reaction) -> None:
        key = alert.alert_id.encode()
        home = partition_of(key, self._settings.partitions)
        reaction.outputs.append(Output(topic=self._alerts, partition=home, key=key, value=self._write(alert)))
        if alert.revision == 1:
            reaction.count("headwater_alerts_opened_total", alert.pipeline, alert.severity)

    def _send(self, letter: Observation, reaction: Reaction) -> None:
        """Write to the partition of the pipeline that is to fold it, our own perhaps."""
        key = letter.addressee.encode()
        home = partition_of(key, self._settings.partitions)
        reaction.outputs.append(Output(topic=self._log, partition=home, key=key, value=self._encode(letter)))

    def tick(self, now: Micros) -> None:
        """Number the minutes in our own partition of the log: silence is told by them, the same for everybody."""
        reaction = Reaction()
        number = now // MINUTE_MICROS
        if self._pipelines and number > self._tick:
            self._tick = number
            value = self._encode(
                Observation(kind=ObservationKind.TICK, pipeline="", at=now, arrived_at=now, tick=number)
            )
            reaction.outputs.append(Output(topic=self._log, partition=self._partition, key=None, value=value))
        if reaction.outputs or self._ledger.due(now):
            self._publish(reaction, self.positions.get(self._log, 0), now)

    def _publish(self, reaction: Reaction, position: int, now: Micros) -> None:
        written: dict[str, bytes] = {}
        for name in self._ledger.due(now):
            written[name] = to_bytes(self._pipelines[name])
            if sum(map(len, written.values())) > SNAPSHOT_BYTES_PER_TRANSACTION:
                break
        if reaction.outputs:
            written[TASK] = b""
        if reaction.outputs or written:
            states = self._state.records(written, position, self._ledger.floor(position, without=written))
            self._transactor.commit([*states, *reaction.outputs])
        for name, body in written.items():
            self._ledger.cover(name, len(body))
        self.positions[self._log] = position
        self._gauges(reaction)
        self._metrics.apply(reaction, (AGENT, self._partition))

    def _gauges(self, reaction: Reaction) -> None:
        for pipeline, state in self._pipelines.items():
            refused = {"cycle": state.cycles_refused, "node": state.nodes_refused, "finding": state.findings_refused}
            for what, number in refused.items():
                reaction.gauge("headwater_lineage_refused", pipeline, what, value=number)
            firing = [fault.alert.severity for fault in state.faults if fault.alert.status is Status.FIRING]
            for severity in ("CRITICAL", "WARNING", "INFO"):
                reaction.gauge("headwater_alerts_firing", pipeline, severity, value=firing.count(Severity(severity)))

    @property
    def state_bytes(self) -> int:
        """Bytes of state at the last snapshots."""
        return self._ledger.bytes

    def forget(self) -> None:
        """Throw memory away."""
        self._recovered = False

    def close(self) -> None:
        """Let go of the producer and of the pipelines' gauges."""
        self._transactor.close()
        self._metrics.release((AGENT, self._partition))
