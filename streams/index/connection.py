"""The way to the index: a client for the configured Redis."""

import redis

from streams.mendable import Mendable
from streams.settings import Settings

SOCKET_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0


class IndexMissing(Mendable, ValueError):
    """No Redis is configured where one is needed."""

    def __init__(self) -> None:
        super().__init__("no Redis is configured: set HEADWATER_REDIS_URL (for example redis://127.0.0.1:6379/0)")


class IndexUnreachable(Mendable, ConnectionError):
    """Redis does not answer, or refuses us."""


def connect(settings: Settings) -> redis.Redis:
    """A client for the configured Redis; nothing is sent yet.

    Raises:
        IndexMissing: none is configured.
        IndexUnreachable: its URL cannot be read.
    """
    if settings.redis_url is None or not settings.redis_url.get_secret_value():
        raise IndexMissing
    try:
        return redis.Redis.from_url(
            settings.redis_url.get_secret_value(),
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
        )
    except ValueError:  # its text may quote the URL, and with it the password
        message = "HEADWATER_REDIS_URL (or --redis-url) is no address of a Redis: write redis://host:6379/0"
        raise IndexUnreachable(message) from None
