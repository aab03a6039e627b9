"""Alertmanager's API v2."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import httpx

from streams.notify.message import Message
from streams.settings import Settings

TIMEOUT_S = 10.0


class Unreachable(ConnectionError):
    """Alertmanager does not answer, or cannot take anything now: try again later."""


class Refused(ValueError):
    """Alertmanager does not accept what was posted: trying the same again is of no use."""


class Alertmanager:
    """A client of one Alertmanager (a cluster of them shares what one was told)."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url.rstrip("/") + "/", timeout=TIMEOUT_S)

    def post(self, messages: Sequence[Message]) -> None:
        """Post alerts.

        Raises:
            Unreachable: no answer, a server error, or too many requests.
            Refused: the messages are not accepted.
        """
        self._ask("POST", "api/v2/alerts", json=list(messages))

    def version(self) -> str:
        """The version of the Alertmanager.

        Raises:
            Unreachable, Refused: as ``post``; ``Refused`` also where something else answers.
        """
        try:
            return str(self._ask("GET", "api/v2/status").json()["versionInfo"]["version"])
        except (ValueError, KeyError, TypeError) as error:
            raise Refused("what answers is not an Alertmanager (API v2)") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> "Alertmanager":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise Unreachable(f"Alertmanager does not answer: {error}") from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unreachable(f"Alertmanager answers {answer.status_code}: {answer.text[:200]}")
        if answer.status_code >= 300:
            raise Refused(f"Alertmanager answers {answer.status_code}: {answer.text[:200]}")
        return answer


def connect(settings: Settings) -> Alertmanager | None:
    """The configured Alertmanager, or None."""
    return None if settings.alertmanager_url is None else Alertmanager(settings.alertmanager_url)
