"""A server's process: it ends when asked, and it ends when nobody is left to ask."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.embedded.errors import CannotStart, Stopped
from streams.embedded.process import ServerProcess, tail

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
PARENT = """
import sys, time
from pathlib import Path
from streams.embedded.process import ServerProcess
server = ServerProcess(["sleep", "60"], folder=Path(sys.argv[1]), log=Path(sys.argv[1]) / "log", grace_s=1)
print(server.pid, flush=True)
time.sleep(60)
"""


def server(folder: Path, *command: str, grace_s: float = 5.0) -> ServerProcess:
    return ServerProcess(command or ("sleep", "60"), folder=folder, log=folder / "log", grace_s=grace_s)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1] if Path("/proc/self").exists() else True


def soon(condition: Callable[[], bool], within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_a_stopped_server_is_gone(tmp_path: Path) -> None:
    process = server(tmp_path)
    assert process.running
    process.stop()
    assert not process.running
    assert not lives(process.pid)


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    process = server(tmp_path)
    process.stop()
    process.stop()


def test_a_server_that_does_not_listen_is_killed_after_the_grace(tmp_path: Path) -> None:
    process = server(tmp_path, sys.executable, "-c", DEAF, grace_s=0.1)
    assert soon(lambda: "deaf" in (tmp_path / "log").read_text())
    process.stop()
    assert not lives(process.pid)


def test_a_frozen_server_can_be_stopped(tmp_path: Path) -> None:
    process = server(tmp_path)
    process.freeze()
    assert process.running
    process.stop()
    assert not lives(process.pid)


def test_a_thawed_server_goes_on(tmp_path: Path) -> None:
    process = server(tmp_path, sys.executable, "-c", "import time; time.sleep(0.2); print('done', flush=True)")
    process.freeze()
    process.thaw()
    assert soon(lambda: "done" in (tmp_path / "log").read_text())
    process.stop()


def test_a_killed_server_is_gone_and_says_so(tmp_path: Path) -> None:
    process = server(tmp_path)
    process.kill()
    assert not process.running
    with pytest.raises(Stopped):
        process.freeze()
    process.stop()


def test_a_server_that_ends_by_itself_is_not_running(tmp_path: Path) -> None:
    process = server(tmp_path, sys.executable, "-c", "print('no room left')")
    assert soon(lambda: not process.running)
    assert "no room left" in tail(tmp_path / "log")
    process.stop()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="no-such-program could not be run"):
        server(tmp_path, "/no-such-program")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_server_outlives_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert lives(pid)
        parent.send_signal(number)
    assert soon(lambda: not lives(pid))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot tie a process to its parent")
def test_no_server_outlives_its_keeper(tmp_path: Path) -> None:
    process = server(tmp_path)
    parent = int(Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(parent, signal.SIGKILL)
    assert soon(lambda: not lives(process.pid))
    process.stop()


def test_a_tail_is_the_end_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"line {number}\n" for number in range(100_000)))
    assert tail(tmp_path / "log").splitlines()[-1] == "  line 99999"
    assert len(tail(tmp_path / "log").splitlines()) == 16
    assert tail(tmp_path / "none") == ""
