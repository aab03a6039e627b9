"""How many statistics share the one number people set."""

import threading
from collections.abc import Callable, Mapping

from streams.metrics import Metrics


class Budget:
    """Counts the live statistics of all tasks, of this worker and of the others.

    news: what tasks told since it was last called, by partition. What a task told last stands while nobody serves its
    partition: its statistics will be watched again. A fold writes the number it used to the journal; thresholds grow
    with its logarithm, so powers of two are enough and a fold seldom changes because of others.
    """

    def __init__(self, metrics: Metrics, news: Callable[[], Mapping[int, int]] = dict) -> None:
        self._metrics = metrics
        self._news = news
        self._lock = threading.Lock()
        self._told: dict[int, int] = {}
        self._here: dict[int, int] = {}

    def listen(self) -> None:
        """Take in what tasks have told."""
        with self._lock:
            self._told |= self._news()
            self._show()

    def report(self, partition: int, statistics: int) -> None:
        """The task of ``partition``, in this worker, watches so many statistics."""
        with self._lock:
            if self._here.get(partition) != statistics:
                self._here[partition] = statistics
                self._show()

    def withdraw(self, partition: int) -> None:
        """The task of ``partition`` has gone to another worker."""
        with self._lock:
            self._here.pop(partition, None)

    @property
    def monitored(self) -> int:
        """The statistics of the whole installation, as a power of two."""
        with self._lock:
            return 1 << max(0, self._total - 1).bit_length()

    @property
    def _total(self) -> int:
        return sum((self._told | self._here).values())

    def _show(self) -> None:
        self._metrics.gauge("headwater_monitored_statistics", value=self._total)
