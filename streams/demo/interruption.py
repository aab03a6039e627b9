"""Ctrl-C and SIGTERM: at once where nothing can go wrong, between two events while Kafka's client is at work."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While it is entered, both signals raise ``KeyboardInterrupt``; within ``patiently`` they only set ``asked``.

    A ``KeyboardInterrupt`` inside librdkafka's ``poll`` may come out as ``SystemError`` (confluent-kafka 2.16).
    Usable in the main thread only, as signals are.
    """

    def __init__(self) -> None:
        self.asked = False
        self._patient = False
        self._usual: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Take the signals over."""
        self._usual = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the signals back."""
        for number, usual in self._usual.items():
            signal.signal(number, usual)

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """The code inside asks ``asked`` now and then; what was asked is raised at its end."""
        self._patient = True
        try:
            yield
        finally:
            self._patient = False
        self.check()

    def check(self) -> None:
        """Raises ``KeyboardInterrupt`` if it was asked for."""
        if self.asked:
            raise KeyboardInterrupt

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if not self._patient:
            raise KeyboardInterrupt
