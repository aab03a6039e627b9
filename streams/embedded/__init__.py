"""Servers of our own: a real Apache Kafka and a real Valkey on loopback, from packages alone."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.embedded.errors import CannotFetch, CannotStart, EmbeddedError, Stopped
from streams.embedded.jars import OnProgress
from streams.embedded.kafka import KafkaBroker, prepare_kafka, start_kafka
from streams.embedded.progress import download_bar
from streams.embedded.valkey import ValkeyServer, start_valkey

__all__ = [
    "CannotFetch",
    "CannotStart",
    "Embedded",
    "EmbeddedError",
    "KafkaBroker",
    "Stopped",
    "ValkeyServer",
    "start",
    "start_kafka",
    "start_valkey",
]


@dataclass(slots=True)
class Embedded:
    """Both servers, running; they end with ``stop``, with the ``with`` block, or with this process."""

    kafka: KafkaBroker
    valkey: ValkeyServer
    _stack: ExitStack = field(repr=False)

    @property
    def bootstrap(self) -> str:
        """Kafka's address, ``host:port``."""
        return self.kafka.bootstrap

    @property
    def redis_url(self) -> str:
        """Valkey's address, ``redis://…``."""
        return self.valkey.url

    def stop(self) -> None:
        """Ends both, Kafka last. Harmless if they have ended."""
        self._stack.close()

    def __enter__(self) -> Self:
        """The running servers."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops both."""
        self.stop()


def start(
    folder: Path, *, cache: Path | None = None, quick: bool = True, on_progress: OnProgress | None = None
) -> Embedded:
    """A Kafka and a Valkey in folders of their own under ``folder``, both answering already.

    See ``start_kafka`` for the options. Unless ``on_progress`` is given, a first download is shown on standard error.

    Raises:
        CannotFetch: Kafka's jars are not here and cannot be fetched.
        CannotStart: one of them did not come up.
    """
    with ExitStack() as stack:
        with download_bar() as bar:
            kafka = prepare_kafka(folder / "kafka", cache=cache, quick=quick, on_progress=on_progress or bar)
        valkey = ValkeyServer(folder / "valkey")
        stack.callback(kafka.stop)
        stack.callback(valkey.stop)
        valkey.launch()
        kafka.launch()
        valkey.await_answer()
        kafka.await_answer()
        return Embedded(kafka, valkey, stack.pop_all())
