"""How many statistics share the one number people set, and how often they have alarmed."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streams.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a subject, or all subjects of a task, have of the number: live statistics, and alarms of the last month."""

    version: int = 1
    statistics: int = 0
    alarms: int = 0

    @property
    def monitored(self) -> int:
        """The statistics as folds are told of them: as a power of two."""
        return 1 << max(0, self.statistics - 1).bit_length()

    def __add__(self, other: "Share") -> "Share":
        """Both together."""
        return Share(statistics=self.statistics + other.statistics, alarms=self.alarms + other.alarms)

    def __sub__(self, other: "Share") -> "Share":
        """Without the other."""
        return Share(statistics=self.statistics - other.statistics, alarms=self.alarms - other.alarms)


class Budget:
    """Adds up the shares of all tasks, of this worker and of the others.

    news: what tasks told since it was last called, by partition. What a task told last stands while nobody serves its
    partition: its statistics will be watched again. A fold writes the number it used to the journal; thresholds grow
    with its logarithm, so powers of two are enough and a fold seldom changes because of others.
    """

    def __init__(self, metrics: Metrics, news: Callable[[], Mapping[int, Share]] = dict) -> None:
        self._metrics = metrics
        self._news = news
        self._lock = threading.Lock()
        self._told: dict[int, Share] = {}
        self._here: dict[int, Share] = {}

    def listen(self) -> None:
        """Take in what tasks have told."""
        with self._lock:
            self._told |= self._news()
            self._show()

    def report(self, partition: int, share: Share) -> None:
        """The task of ``partition``, in this worker, has ``share``."""
        with self._lock:
            if self._here.get(partition) != share:
                self._here[partition] = share
                self._show()

    def withdraw(self, partition: int) -> None:
        """The task of ``partition`` has gone to another worker."""
        with self._lock:
            self._here.pop(partition, None)

    @property
    def monitored(self) -> int:
        """The statistics of the whole installation, as folds are told of them."""
        with self._lock:
            return self._total.monitored

    @property
    def _total(self) -> Share:
        return sum((self._told | self._here).values(), Share())

    def _show(self) -> None:
        total = self._total
        self._metrics.gauge("headwater_monitored_statistics", value=total.statistics)
        self._metrics.gauge("headwater_alarms_per_month", value=total.alarms)
