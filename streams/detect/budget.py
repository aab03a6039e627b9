"""How many statistics share the one number people set."""

import threading

from streams.metrics import Metrics


class Budget:
    """Counts the live statistics of a worker's tasks and scales them up to all partitions.

    A task reads the share once per step and writes what it used to its journal; the threshold grows with the logarithm,
    so powers of two are enough and a fold seldom changes because of others.
    """

    def __init__(self, partitions: int, metrics: Metrics) -> None:
        self._partitions = partitions
        self._metrics = metrics
        self._lock = threading.Lock()
        self._counts: dict[int, int] = {}

    def report(self, partition: int, statistics: int) -> None:
        """The task of ``partition`` watches so many statistics."""
        with self._lock:
            self._counts[partition] = statistics
            here = sum(self._counts.values())
        self._metrics.gauge("headwater_monitored_statistics", value=here)

    def withdraw(self, partition: int) -> None:
        """The task of ``partition`` has gone."""
        with self._lock:
            self._counts.pop(partition, None)

    @property
    def monitored(self) -> int:
        """The statistics of the whole installation, as a power of two."""
        with self._lock:
            seen, held = sum(self._counts.values()), len(self._counts)
        estimate = seen * self._partitions / held if held else 1
        return 1 << max(0, round(estimate) - 1).bit_length()
