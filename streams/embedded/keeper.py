"""Keeps one server: starts it, and ends it when whoever asked for it is gone.

Run as a script by ``process.py``, with nothing but the standard library:

    keeper.py PARENT_PID GRACE_S LOG COMMAND…

Standard output gets one line, the server's process id. Standard input says nothing; its end means "stop": the other
end of that pipe is held by the parent alone, so it closes when the parent stops the server and also when the parent is
killed, crashes or is interrupted. The parent's id is watched as well, in case a fork of it still holds the pipe.
The server is asked to end (SIGTERM), after the grace it is killed; where the system can (Linux), it dies with its
keeper, too. The exit status is the server's, 128 + n after signal n.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable

LOOK_UP_S = 1.0
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(arguments: list[str]) -> int:
    """Until the server has ended."""
    parent, grace_s, log, *command = arguments
    woken, waker = os.pipe()
    for end in (woken, waker):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(waker)
    asked = _ask_on(signal.SIGTERM)
    _ask_on(signal.SIGCHLD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's to act on
    with open(log, "ab") as out:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, preexec_fn=_die_with_us()
        )
    os.write(1, b"%d\n" % server.pid)
    os.close(1)
    while server.poll() is None:
        readable, _, _ = select.select([0, woken], [], [], LOOK_UP_S)
        if woken in readable:
            os.read(woken, 512)
        if asked or os.getppid() != int(parent) or (0 in readable and not os.read(0, 512)):
            _end(server, float(grace_s))
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


def _ask_on(number: int) -> list[int]:
    asked: list[int] = []
    signal.signal(number, lambda number, _: asked.append(number))
    return asked


def _die_with_us() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(server: "subprocess.Popen[bytes]", grace_s: float) -> None:
    server.terminate()
    server.send_signal(signal.SIGCONT)  # a frozen one hears nothing
    try:
        server.wait(grace_s)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
