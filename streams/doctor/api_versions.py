"""Which Kafka answers: asked with one ApiVersions request, which every broker answers before any authentication."""

import socket
import ssl
import struct

from streams.settings import Settings

TIMEOUT_S = 5.0
_API_VERSIONS, _FETCH, _INIT_PRODUCER_ID = 18, 1, 22
_LARGEST_ANSWER = 1 << 20
_RELEASES = ((18, "4.1"), (17, "3.9"), (16, "3.7"), (15, "3.5"), (13, "3.1"), (12, "2.7"), (11, "2.3"))
RECOVERABLE_TRANSACTIONS = 3  # version of InitProducerId, KIP-360, Kafka 2.5


def ask(settings: Settings) -> dict[int, int]:
    """The highest version the first broker that answers speaks, for every request type.

    Raises:
        OSError: no broker could be asked.
        ValueError: what answers is not Kafka.
    """
    error: OSError = OSError("no broker is configured")
    for address in (settings.bootstrap or "").split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), TIMEOUT_S) as plain:
                return _ask(_secured(plain, host, settings))
        except OSError as failed:
            error = failed
    raise error


def release(versions: dict[int, int]) -> str:
    """The Kafka release these versions came with, or one after it."""
    return next((name for fetch, name in _RELEASES if versions.get(_FETCH, 0) >= fetch), "older than 2.3")


def recovers_transactions(versions: dict[int, int]) -> bool:
    """Whether a producer that was fenced or timed out can go on (Kafka 2.5 and newer)."""
    return versions.get(_INIT_PRODUCER_ID, 0) >= RECOVERABLE_TRANSACTIONS


def _secured(plain: socket.socket, host: str, settings: Settings) -> socket.socket:
    if "SSL" not in settings.kafka_security_protocol:
        return plain
    context = ssl.create_default_context(cafile=settings.kafka_ca_file)
    return context.wrap_socket(plain, server_hostname=host)


def _ask(connection: socket.socket) -> dict[int, int]:
    client = b"headwater-doctor"
    request = struct.pack(f">hhih{len(client)}s", _API_VERSIONS, 0, 1, len(client), client)
    connection.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _read(connection, 4))
    if not 10 <= size <= _LARGEST_ANSWER:
        raise ValueError(f"an answer of {size} bytes")
    answer = _read(connection, size)
    _, refused, count = struct.unpack_from(">ihi", answer)
    if refused or len(answer) < 10 + 6 * count:
        raise ValueError(f"ApiVersions refused with error {refused}")
    return {key: highest for key, _, highest in struct.iter_unpack(">hhh", answer[10 : 10 + 6 * count])}


def _read(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        more = connection.recv(size - len(read))
        if not more:
            raise ConnectionError("the connection was closed in the middle of the answer")
        read += more
    return read
