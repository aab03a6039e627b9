"""Prometheus, Alertmanager and Redis as Debian packages them, started with the configuration we ship."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import redis
import yaml

from streams.embedded.ports import free_ports
from tests.broker.installation import wait_until
from tests.deploy.debian import DEPLOY, program


@dataclass(frozen=True)
class Api:
    """A server's HTTP API."""

    url: str

    def get(self, path: str) -> Any:
        """What it answers, from JSON."""
        with urlopen(f"{self.url}{path}", timeout=10) as answer:
            return json.load(answer)

    def is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/-/ready", timeout=2):
                return True
        except (URLError, OSError):
            return False


@contextmanager
def prometheus(folder: Path, *, worker: str, alertmanager: str) -> Iterator[Api]:
    """Prometheus with our configuration, but for the addresses (``host:port``) and its pace."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    (port,) = free_ports(1)
    places = {"headwater:9187": worker, "alertmanager:9093": alertmanager, "127.0.0.1:9090": f"127.0.0.1:{port}"}
    config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    for found in (*config["scrape_configs"], *config["alerting"]["alertmanagers"]):
        for target in found["static_configs"]:
            target["targets"] = [places[address] for address in target["targets"]]
    folder.mkdir()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "rules.yml").write_text((DEPLOY / "prometheus/rules.yml").read_text())
    arguments = (
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",  # what fires before Alertmanager is discovered would come a minute later
    )
    with _running(folder, "prometheus", *arguments):
        api = Api(f"http://127.0.0.1:{port}")
        wait_until(api.is_ready, 30, "Prometheus")
        yield api


@contextmanager
def alertmanager(folder: Path, port: int | None = None) -> Iterator[Api]:
    """Alertmanager with our configuration, on any free port."""
    folder.mkdir()
    port = port or free_ports(1)[0]
    arguments = (
        f"--config.file={DEPLOY / 'alertmanager/alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    with _running(folder, "prometheus-alertmanager", *arguments):
        api = Api(f"http://127.0.0.1:{port}")
        wait_until(api.is_ready, 30, "Alertmanager")
        yield api


class RedisServer:
    """A Redis that forgets everything when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        (self._port,) = free_ports(1)
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = ("--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder))
        self._stack.enter_context(_running(self._folder, "redis-server", *options))
        with redis.Redis.from_url(self.url) as client:
            wait_until(lambda: _answers(client), 30, "Redis")

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> "RedisServer":
        self._folder.mkdir()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def value_of(api: Api, query: str) -> float | None:
    """The value of a PromQL expression with one series; None where it has none."""
    results = api.get(f"/api/v1/query?query={quote(query)}")["data"]["result"]
    return float(results[0]["value"][1]) if results else None


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@contextmanager
def _running(folder: Path, name: str, *arguments: str) -> Iterator[None]:
    command = [program(name), *arguments]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "TZ": "UTC"})
    try:
        yield
    finally:
        process.kill()
        process.wait()
