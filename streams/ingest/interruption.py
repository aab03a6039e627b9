"""Ctrl-C as a question that is answered between two events."""

import signal
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """While it is entered, the first SIGINT only sets ``asked``; a second one interrupts as usual.

    A ``KeyboardInterrupt`` inside librdkafka's ``poll`` may come out as ``SystemError`` (confluent-kafka 2.16).
    Usable in the main thread only, as signals are.
    """

    def __init__(self) -> None:
        self.asked = False
        self._usual: Any = signal.SIG_DFL

    def __enter__(self) -> "Interruption":
        self._usual = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, self._usual)

    def _ask(self, _signum: int, _frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, self._usual)
