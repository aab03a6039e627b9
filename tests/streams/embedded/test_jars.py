"""The lock of jars, and the cache that is held to it. Nothing here touches the network."""

import hashlib
import socket
from pathlib import Path

import pytest

from streams.embedded.cache import default_cache
from streams.embedded.errors import CannotFetch
from streams.embedded.jars import LOCK, Jar, Lock, locked_jars, read_lock, sha256_of


def jar(name: str, content: bytes) -> Jar:
    digest = hashlib.sha256(content).hexdigest()
    return Jar(group="org.example", artifact=name, version="1", sha256=digest, bytes=len(content))


def filled(cache: Path, **contents: bytes) -> Lock:
    lock = Lock(title="Example", version="1", jars=tuple(jar(name, content) for name, content in contents.items()))
    (cache / "kafka-1").mkdir(parents=True)
    for name, content in contents.items():
        (cache / "kafka-1" / f"{name}-1.jar").write_bytes(content)
    return lock


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("there is no network here")

    monkeypatch.setattr("streams.embedded.jars.PAUSE_S", 0.0)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_the_committed_lock_is_the_broker_with_its_logging() -> None:
    lock = read_lock(LOCK.read_text())
    names = {jar.name for jar in lock.jars}
    assert lock.version == "4.3.1"
    assert {"kafka_2.13-4.3.1.jar", "kafka-clients-4.3.1.jar"} <= names
    assert any(name.startswith("log4j-slf4j-impl-") for name in names)


def test_the_committed_lock_names_no_address() -> None:
    assert "://" not in LOCK.read_text()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = ", "Invalid value"),
        ('title = "Kafka"\nversion = "4"\njars = []', "no jar"),
        ('title = "Kafka"\nversion = "4"', "'jars'"),
        ('title = "Kafka"\nversion = "4"\njars = [{ group = "a" }]', "missing"),
        ('title = "Kafka"\nversion = "4"\njars = [{ url = "a" }]', "unexpected"),
        (
            'title = "Kafka"\nversion = "4"\n'
            'jars = [{ group = "a", artifact = "b", version = "1", bytes = 1, sha256 = "beef" }]',
            "'beef'",
        ),
    ],
)
def test_a_lock_that_is_none_is_refused_with_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_lock(text)


@pytest.mark.usefixtures("no_network")
def test_a_warm_cache_is_used_without_the_network(tmp_path: Path) -> None:
    lock = filled(tmp_path, one=b"first", two=b"second")
    assert [path.read_bytes() for path in locked_jars(lock, tmp_path)] == [b"first", b"second"]


@pytest.mark.usefixtures("no_network")
def test_a_corrupted_jar_is_refused_and_the_way_out_is_named(tmp_path: Path) -> None:
    lock = filled(tmp_path, one=b"first", two=b"second")
    (tmp_path / "kafka-1" / "two-1.jar").write_bytes(b"secons")
    with pytest.raises(CannotFetch, match="--bootstrap HOST:PORT") as refused:
        locked_jars(lock, tmp_path)
    assert "no network here" in str(refused.value)
    assert str(tmp_path) in str(refused.value)


@pytest.mark.usefixtures("no_network")
def test_a_failed_fetch_leaves_nothing_behind(tmp_path: Path) -> None:
    lock = Lock(title="Example", version="1", jars=(jar("one", b"first"),))
    with pytest.raises(CannotFetch):
        locked_jars(lock, tmp_path)
    assert [path.name for path in (tmp_path / "kafka-1").iterdir()] == ["lock"]


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    lock = Lock(title="Example", version="1", jars=(jar("one", b"first"),))
    with pytest.raises(CannotFetch, match="--bootstrap"):
        locked_jars(lock, tmp_path / "cache")


def test_the_cache_is_where_it_is_asked_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWATER_CACHE_DIR", str(tmp_path))
    assert default_cache() == tmp_path


def test_a_file_that_is_not_there_has_no_sum(tmp_path: Path) -> None:
    assert sha256_of(tmp_path / "none") is None
