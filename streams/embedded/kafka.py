"""An Apache Kafka of our own: one node, KRaft, loopback, a folder of its own."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.embedded.errors import WAY_OUT, CannotStart
from streams.embedded.first_use import Prepared, prepare
from streams.embedded.jars import OnProgress, kafka_jars
from streams.embedded.java import find_java
from streams.embedded.ports import LOOPBACK, free_ports
from streams.embedded.process import ServerProcess, tail
from streams.embedded.properties import DATA, LOG, broker_properties, log_properties

START_WITHIN_S = 60.0
GRACE_S = 15.0
LOCKED_FOR_S = GRACE_S + 5.0
TRIES = 3
HEAP_MB = 384
UNSAFE_WARNS_SINCE = 24
ANSWER_S = 1.0
LOOK_S = 0.02
PORT_TAKEN = "Address already in use"


class KafkaBroker:
    """A broker that ends with ``stop`` (or the ``with`` block), or with this process however that ends.

    ``bootstrap`` is where clients find it; it is the same after ``restart``. What was written stays in ``folder``, and
    is there again when a broker is started on that folder later (then on other ports).
    """

    def __init__(
        self, folder: Path, *, command: Sequence[str], prepared: Prepared, properties: Mapping[str, str]
    ) -> None:
        self.folder = folder.absolute()
        self._command = [*command, "kafka.Kafka", "server.properties"]
        self._prepared = prepared
        self._properties = dict(properties)
        self._ports = free_ports(2)
        self._process: ServerProcess | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, ``host:port``."""
        return f"{LOOPBACK}:{self._ports[0]}"

    @property
    def process(self) -> ServerProcess:
        """The running broker's process: its ``pid``, and ways to be unkind to it."""
        if self._process is None:
            raise CannotStart("the broker has not been started")
        return self._process

    def launch(self) -> None:
        """Starts it without waiting for its first answer.

        Raises:
            CannotStart: the folder is another broker's, or cannot be written, or the program cannot be run.
        """
        try:
            (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
            self._configure()
            _await_unlocked(self.folder / DATA / ".lock")
            self._prepared.format(self.folder / DATA)
        except OSError as error:
            raise CannotStart(f"cannot keep a Kafka in {self.folder}: {error}") from error
        self._process = ServerProcess(self._command, folder=self.folder, log=self._jvm_log, grace_s=GRACE_S)

    def await_answer(self, within_s: float = START_WITHIN_S) -> None:
        """Waits until a client can list its topics; tries other ports if somebody took ours.

        Raises:
            CannotStart: it ended, or did not answer in time; the text ends with its log.
        """
        deadline = time.monotonic() + within_s
        for _ in range(TRIES):
            if self._answers(deadline):
                return
            if self.process.running or PORT_TAKEN not in self._tail():
                break
            self._ports = free_ports(2)
            self.launch()
        state = f"did not answer within {within_s:.0f} s" if self.process.running else "ended before it answered"
        self.stop()
        raise CannotStart(f"Kafka in {self.folder} {state}; try again, {WAY_OUT}{self._tail()}")

    def stop(self) -> None:
        """Ends it in order. Harmless if it has ended."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()

    def freeze(self) -> None:
        """Holds it still, connections open."""
        self.process.freeze()

    def thaw(self) -> None:
        """Lets it go on."""
        self.process.thaw()

    def restart(self, within_s: float = START_WITHIN_S) -> None:
        """Starts it again at the same address with what it had; ends it first if it runs."""
        self.stop()
        self.launch()
        self.await_answer(within_s)

    def __enter__(self) -> Self:
        """The running broker."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops it."""
        self.stop()

    @property
    def _jvm_log(self) -> Path:
        return self.folder / "jvm.log"

    def _tail(self) -> str:
        return tail(self.folder / LOG, self._jvm_log)

    def _configure(self) -> None:
        port, controller_port = self._ports
        properties = broker_properties(port=port, controller_port=controller_port, overrides=self._properties)
        (self.folder / "server.properties").write_text(properties)
        (self.folder / "log4j2.properties").write_text(log_properties())
        for log in (self.folder / LOG, self._jvm_log):
            if log.exists():
                log.replace(log.with_suffix(".previous"))  # a tail should tell about this start

    def _answers(self, deadline: float) -> bool:
        """Whether it answers before the deadline; at once ``False`` when it has ended."""
        settings: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap,
            "reconnect.backoff.max.ms": 100,
            "log_level": 0,
            "error_cb": _expected,  # refused connections are what we wait out
        }
        client = AdminClient(settings)
        while self.process.running and time.monotonic() < deadline:
            try:
                if client.list_topics(timeout=ANSWER_S).brokers:
                    return True
            except KafkaException:
                time.sleep(LOOK_S)
        return False


def start_kafka(
    folder: Path,
    *,
    cache: Path | None = None,
    heap_mb: int = HEAP_MB,
    quick: bool = True,
    properties: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
) -> KafkaBroker:
    """A broker that keeps its data in ``folder`` and answers already.

    ``quick`` compiles less thoroughly: it starts sooner and is slower later (leave it out to measure speed).
    ``properties`` are put above ours. ``cache`` is where its jars are kept (``default_cache``), ``on_progress`` hears
    about their first download.

    Raises:
        CannotFetch: the jars are not here and cannot be fetched.
        CannotStart: no Java, a folder in use, or it did not come up in time; the text ends with its log.
    """
    broker = prepare_kafka(
        folder, cache=cache, heap_mb=heap_mb, quick=quick, properties=properties, on_progress=on_progress
    )
    try:
        broker.launch()
        broker.await_answer()
    except BaseException:  # Ctrl-C while it starts, too
        broker.stop()
        raise
    return broker


def prepare_kafka(
    folder: Path,
    *,
    cache: Path | None = None,
    heap_mb: int = HEAP_MB,
    quick: bool = True,
    properties: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
) -> KafkaBroker:
    """Like ``start_kafka``, but for ``launch`` and ``await_answer``."""
    if os.name != "posix":
        raise CannotStart(f"servers of our own need Linux or macOS; {WAY_OUT}")
    java, jars = find_java(), kafka_jars(cache, on_progress)
    prepared = prepare(java, jars, jars[0].parent)
    flags = [
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        *(["-XX:TieredStopAtLevel=1"] if quick else []),
        *(
            ["--sun-misc-unsafe-memory-access=allow"] if java.release >= UNSAFE_WARNS_SINCE else []
        ),  # Kafka's own affair
        "-XX:-UsePerfData",  # no file in the system's temporary folder
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Djava.io.tmpdir=tmp",  # codecs unpack libraries there, and leave them when killed
        "-Dlog4j2.configurationFile=log4j2.properties",
    ]
    command = [str(java.program), *prepared.flags, *flags, "-cp", os.pathsep.join(map(str, jars))]
    return KafkaBroker(folder, command=command, prepared=prepared, properties=properties or {})


def _expected(error: KafkaError) -> None:
    """Nobody needs to hear of it."""


def _await_unlocked(lock: Path) -> None:
    """A broker whose parent was killed takes a moment to end; what Kafka itself locks tells when."""
    import fcntl  # only here: Windows has none

    if not lock.exists():
        return
    deadline = time.monotonic() + LOCKED_FOR_S
    with lock.open("r+b") as file:
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise CannotStart(f"{lock.parent.parent} is in use by another broker") from error
            time.sleep(LOOK_S)
