"""Free ports on loopback.

From below the range that systems give to outgoing connections (Linux: 32768 on, macOS: 49152 on). A port from that
range can be lost to any client between two starts of a server, and a client that keeps calling a dead port of it may
at last connect to itself.
"""

import random
import socket

LOWEST, HIGHEST = 15_000, 32_000
LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> tuple[int, ...]:
    """``count`` different ports nobody listens on; no promise that it stays so."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(LOWEST, HIGHEST), HIGHEST - LOWEST):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return tuple(found)
    raise OSError(f"no {count} ports free between {LOWEST} and {HIGHEST}")


def is_free(port: int) -> bool:
    """Whether we could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the past do not count
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
