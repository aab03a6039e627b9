"""A server's process, which cannot outlive ours."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from streams.embedded.errors import CannotStart, Stopped

KEEPER = Path(__file__).with_name("keeper.py")
KEEPER_GRACE_S = 5.0
TAIL_LINES = 15
TAIL_BYTES = 16_384


class ServerProcess:
    """A running server, kept by a process that ends it when ours is gone (killed with -9 or not).

    It runs in ``folder``; ``log`` receives what it writes to standard output and error.

    Raises:
        CannotStart: there is no such program, or it may not be run.
    """

    def __init__(self, command: Sequence[str | Path], *, folder: Path, log: Path, grace_s: float) -> None:
        self.log, self._grace_s = log, grace_s
        keeper = [sys.executable, "-I", "-S", str(KEEPER), str(os.getpid()), str(grace_s), str(log)]
        with log.open("ab") as out:
            self._keeper = subprocess.Popen(
                [*keeper, *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                cwd=folder,
                start_new_session=True,  # Ctrl-C is for us: servers go last, in order
            )
        assert self._keeper.stdout is not None
        with self._keeper.stdout as answer:
            said = answer.readline()
        if not said:
            self.stop()
            raise CannotStart(f"{Path(command[0]).name} could not be run:{tail(log)}")
        self.pid = int(said)

    @property
    def running(self) -> bool:
        """Whether it still runs (a frozen one does)."""
        return self._keeper.poll() is None

    def stop(self) -> None:
        """Ends it: politely first, with force after the grace. Harmless if it has ended already."""
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        try:
            self._keeper.wait(self._grace_s + KEEPER_GRACE_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()  # the server dies with it
            self._keeper.wait()

    def kill(self) -> None:
        """Ends it at once, as a power cut would (SIGKILL)."""
        self._signal(signal.SIGKILL)
        self._keeper.wait()

    def freeze(self) -> None:
        """Holds it still, connections and all (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen one go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if not self.running:
            raise Stopped(f"the server had ended already:{tail(self.log)}")
        os.kill(self.pid, number)


def tail(*logs: Path) -> str:
    """The last lines of logs, indented, to end an error's text with; nothing if there are none."""
    lines = [line for log in logs if log.exists() for line in _end_of(log).splitlines()[-TAIL_LINES:] if line.strip()]
    return "".join(f"\n  {line}" for line in lines)


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return file.read().decode(errors="replace")
