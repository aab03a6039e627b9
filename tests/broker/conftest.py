"""One Kafka and one Valkey for the whole run; topics of its own for every test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from streams.embedded import Embedded, KafkaBroker, ValkeyServer, start, start_kafka, start_valkey

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder needs a broker."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.broker)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """The run's own servers, which every test shares; be kind to them."""
    with start(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture(scope="session")
def bootstrap(servers: Embedded) -> str:
    """The shared Kafka's address."""
    return servers.bootstrap


@pytest.fixture(scope="session")
def redis_url(servers: Embedded) -> str:
    """The shared Valkey's address."""
    return servers.redis_url


@pytest.fixture
def topic_prefix() -> str:
    """What the test's topics (and groups, and keys in Valkey) begin with, so that tests do not meet."""
    return f"t{uuid4().hex[:10]}."


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Callable[..., KafkaBroker]]:
    """Starts brokers of the test's own, to kill, freeze and restart; takes ``start_kafka``'s options."""
    with ExitStack() as stack:

        def started(name: str = "own-kafka", **options: object) -> KafkaBroker:
            return stack.enter_context(start_kafka(tmp_path / name, **options))  # type: ignore[arg-type]  # passed on

        yield started


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Callable[[], ValkeyServer]]:
    """Starts Valkeys of the test's own."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(start_valkey(tmp_path / f"valkey-{uuid4().hex[:6]}"))
