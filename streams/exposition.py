"""``/metrics``, ``/healthz`` and ``/readyz``: served by every process, gathered by the one that supervises."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from streams.mendable import Mendable

Answer: TypeAlias = tuple[int, str]
SCRAPE_TIMEOUT_S = 5.0
SUMMED = {"counter", "histogram"}


class CannotListen(Mendable, OSError):
    """The address of /metrics cannot be had."""


class Server:
    """A small HTTP server in a thread of its own; ``port`` is the one it really listens on.

    Raises:
        CannotListen: another process listens there, or the host is not this machine's.
    """

    def __init__(
        self, host: str, port: int, registry: CollectorRegistry, pages: Mapping[str, Callable[[], Answer]]
    ) -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), _pages(registry, pages))
        except OSError as error:
            raise CannotListen(
                f"/metrics cannot listen on {host}:{port} ({error.strerror}): is another worker running? "
                "Set HEADWATER_METRICS_PORT to another port, or to 0 for any free one."
            ) from error
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="exposition", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _pages(registry: CollectorRegistry, pages: Mapping[str, Callable[[], Answer]]) -> type[BaseHTTPRequestHandler]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._send(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            elif path in pages:
                status, text = pages[path]()
                self._send(status, "text/plain; charset=utf-8", text.encode() + b"\n")
            else:
                self._send(404, "text/plain; charset=utf-8", b"/metrics /healthz /readyz\n")

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    return Pages


def fetch(port: int, path: str) -> Answer:
    """A page of another of our processes on this machine; status 0 where it does not answer."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=SCRAPE_TIMEOUT_S) as answer:
            return answer.status, answer.read().decode()
    except URLError as error:
        status = getattr(error, "code", 0)
        return status, error.read().decode() if status else str(error.reason)  # type: ignore[attr-defined]
    except OSError as error:
        return 0, str(error)


class Gathered(Collector):
    """The metrics of several processes as one: counters and histograms add up, of gauges the largest stands.

    own: families that the gathering process exposes itself.
    """

    def __init__(self, ports: Callable[[], Iterable[int]], own: Collection[str] = ()) -> None:
        self._ports = ports
        self._own = own

    def collect(self) -> Iterator[Metric]:
        """One family per name, over all processes that answer."""
        texts = (text for status, text in (fetch(port, "/metrics") for port in self._ports()) if status == 200)
        yield from (family for family in gather(texts) if family.name not in self._own)


def gather(texts: Iterable[str]) -> Iterator[Metric]:
    """Merge expositions in the Prometheus text format."""
    families: dict[str, tuple[Metric, dict[tuple[str, tuple[tuple[str, str], ...]], float]]] = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            merged, values = families.setdefault(
                family.name, (Metric(family.name, family.documentation, family.type), {})
            )
            for sample in family.samples:
                key = sample.name, tuple(sorted(sample.labels.items()))
                before = values.get(key)
                if before is None:
                    values[key] = sample.value
                elif merged.type in SUMMED:
                    values[key] = before + sample.value
                else:
                    values[key] = max(before, sample.value)
    for merged, values in families.values():
        for (name, labels), value in values.items():
            merged.add_sample(name, dict(labels), value)
        yield merged
