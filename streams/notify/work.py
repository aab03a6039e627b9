"""The notify agent's work: the alerts of one partition, told to Alertmanager until they are over."""

import logging
from collections.abc import Callable, Mapping, Sequence

from diagnosis.alert import Alert
from schemas.malformed import MalformedEvent
from streams.kafka.chunk import Chunk
from streams.kafka.log import read_partition
from streams.metrics import Metrics
from streams.notify.alertmanager import Alertmanager
from streams.notify.notifier import Notifier
from streams.settings import Settings
from streams.task.work import Micros
from streams.topics import Topic

logger = logging.getLogger(__name__)


class NotifyWork:
    """One partition of ``alerts`` (see ``streams.task.work.Work``): what was told before is read back from the log."""

    def __init__(
        self,
        partition: int,
        settings: Settings,
        decode: Callable[[bytes], Alert],
        alertmanager: Alertmanager,
        metrics: Metrics,
    ) -> None:
        self.positions: dict[str, int] = {}
        self._partition = partition
        self._settings = settings
        self._decode = decode
        self._alertmanager = alertmanager
        self._metrics = metrics
        self._topic = settings.topic_prefix + Topic.ALERTS
        self._notifier: Notifier | None = None

    def recover(self) -> Mapping[str, int | None]:
        """Read the partition's alerts back; whatever they say may be firing in Alertmanager already."""
        if self._notifier is None:
            self._notifier = Notifier(self._settings)
            position = 0
            for record in read_partition(self._settings, self._topic, self._partition):
                position = (record.offset() or 0) + 1
                for alert in self._read(record.value() or b"", position - 1):
                    self._notifier.recall(alert, record.timestamp()[1] * 1000)
            self.positions = {self._topic: position}
        return dict(self.positions)

    def take(self, chunks: Sequence[Chunk], now: Micros) -> None:
        """Take up new revisions and tell of them at once."""
        for chunk in chunks:
            for record in chunk.records:
                for alert in self._read(record.value or b"", record.offset):
                    self._held.take(alert, record.timestamp * 1000)
            self.positions[chunk.topic] = chunk.end
        self.tick(now)

    def tick(self, now: Micros) -> None:
        """Post what is due; a failure is counted and tried again."""
        delivery = self._held.post(self._alertmanager, now)
        if delivery.failures:
            logger.warning("Alertmanager was not told: %s", delivery.error)
            self._metrics.count("headwater_notify_failures_total", by=delivery.failures)
        if delivery.failures or delivery.posted:
            self._metrics.gauge("headwater_degraded", "alertmanager", value=float(bool(delivery.failures)))

    @property
    def _held(self) -> Notifier:
        if self._notifier is None:
            raise RuntimeError("the task has not recovered")
        return self._notifier

    def _read(self, value: bytes, offset: int) -> list[Alert]:
        try:
            return [self._decode(value)]
        except MalformedEvent as error:
            logger.warning("%s[%d] at %d is not told: %s", self._topic, self._partition, offset, error)
            return []

    @property
    def state_bytes(self) -> int:
        """Nothing is written to the state topic."""
        return 0

    def forget(self) -> None:
        """Throw memory away."""
        self._notifier = None

    def close(self) -> None:
        """The client is shared by all tasks of the worker."""
