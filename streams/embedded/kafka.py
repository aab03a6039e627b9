"""An Apache Kafka of our own: one node, KRaft, loopback, a folder of its own."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.embedded.errors import WAY_OUT, CannotStart
from streams.embedded.first_use import Prepared, prepare
from streams.embedded.jars import OnProgress, kafka_jars
from streams.embedded.java import find_java
from streams.embedded.ports import LOOPBACK, free_ports
from streams.embedded.process import ServerProcess, tail
from streams.embedded.properties import DATA, LOG, broker_properties, log_properties
from streams.embedded.server import PORT_TAKEN, TRIES, Server

START_WITHIN_S = 60.0
GRACE_S = 15.0
LOCKED_FOR_S = GRACE_S + 5.0
HEAP_MB = 384
UNSAFE_WARNS_SINCE = 24
ANSWER_S = 1.0
LOOK_S = 0.02


class KafkaBroker(Server):
    """A broker; what was written stays in ``folder``, and is there again when a broker is started on that folder later
    (then on other ports).
    """

    def __init__(
        self, folder: Path, *, command: Sequence[str], prepared: Prepared, properties: Mapping[str, str]
    ) -> None:
        super().__init__(folder)
        self._command = [*command, "kafka.Kafka", "server.properties"]
        self._prepared = prepared
        self._properties = dict(properties)
        self._ports = free_ports(2)

    @property
    def bootstrap(self) -> str:
        """The address for clients, ``host:port``."""
        return f"{LOOPBACK}:{self._ports[0]}"

    def launch(self) -> None:
        """See ``Server.launch``."""
        try:
            (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
            self._configure()
            _await_unlocked(self.folder / DATA / ".lock")
            self._prepared.format(self.folder / DATA)
        except OSError as error:
            raise CannotStart(f"cannot keep a Kafka in {self.folder}: {error}") from error
        self._process = ServerProcess(self._command, folder=self.folder, log=self._jvm_log, grace_s=GRACE_S)

    def await_answer(self) -> None:
        """See ``Server.await_answer``: a client can then list its topics."""
        deadline = time.monotonic() + START_WITHIN_S
        for _ in range(TRIES):
            if self._answers(deadline):
                return
            if self.process.running or PORT_TAKEN not in self._tail():
                break
            self._ports = free_ports(2)
            self.launch()
        state = f"did not answer within {START_WITHIN_S:.0f} s" if self.process.running else "ended before it answered"
        self.stop()
        raise CannotStart(f"Kafka in {self.folder} {state}; try again, {WAY_OUT}{self._tail()}")

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
    return prepare_kafka(
        folder, cache=cache, heap_mb=heap_mb, quick=quick, properties=properties, on_progress=on_progress
    ).start()


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
