"""Fetching jars, from a repository on loopback that jgo's own configuration names."""

import gc
import hashlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from streams.embedded.errors import CannotFetch
from streams.embedded.jars import Jar, Lock, locked_jars

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # jgo never closes a refusal

FETCH = """
import sys
from pathlib import Path
from streams.embedded.jars import locked_jars, read_lock
locked_jars(read_lock(sys.stdin.read()), Path(sys.argv[1]))
"""


class Repository(SimpleHTTPRequestHandler):
    """Serves a folder and counts what was asked for; a file named in ``broken`` fails that many times first."""

    asked: ClassVar[Counter[str]]
    broken: ClassVar[Counter[str]]

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        self.asked[name] += 1
        if self.broken[name] >= self.asked[name]:
            self.send_error(503)
        else:
            super().do_GET()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Repository]]:
    class Ours(Repository):
        asked: ClassVar[Counter[str]] = Counter()
        broken: ClassVar[Counter[str]] = Counter()

    (tmp_path / "served").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Ours, directory=str(tmp_path / "served"))) as server:
        config = tmp_path / "jgo.conf"
        config.write_text(f"[repositories]\ncentral = http://127.0.0.1:{server.server_port}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(config))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr("streams.embedded.jars.PAUSE_S", 0.0)
        serving = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
        serving.start()
        yield Ours
        server.shutdown()
        serving.join()
    gc.collect()  # while the warning about what jgo left open is still ignored


def serve(folder: Path, name: str, content: bytes, promised: bytes | None = None) -> Jar:
    place = folder / "served" / "org" / "example" / name / "1"
    place.mkdir(parents=True)
    (place / f"{name}-1.jar").write_bytes(content)
    digest = hashlib.sha256(promised or content).hexdigest()
    return Jar(group="org.example", artifact=name, version="1", sha256=digest, bytes=len(content))


def lock_of(*jars: Jar) -> Lock:
    return Lock(title="Example", version="1", jars=jars)


@pytest.mark.usefixtures("repository")
def test_missing_jars_are_fetched_and_every_byte_is_told(tmp_path: Path) -> None:
    lock = lock_of(*(serve(tmp_path, f"jar{number}", bytes([number]) * 500_000) for number in range(8)))
    told: list[tuple[int, int]] = []
    paths = locked_jars(lock, tmp_path / "cache", lambda done, total: told.append((done, total)))
    assert [path.read_bytes()[0] for path in paths] == list(range(8))
    assert told[0] == (0, 4_000_000)
    assert told[-1] == (4_000_000, 4_000_000)
    assert told == sorted(told)


def test_what_is_here_already_is_not_fetched_again(tmp_path: Path, repository: type[Repository]) -> None:
    lock = lock_of(serve(tmp_path, "one", b"first"), serve(tmp_path, "two", b"second"))
    one, _ = locked_jars(lock, tmp_path / "cache")
    one.write_bytes(b"damage")
    locked_jars(lock, tmp_path / "cache")
    assert one.read_bytes() == b"first"
    assert (repository.asked["one-1.jar"], repository.asked["two-1.jar"]) == (2, 1)


@pytest.mark.usefixtures("repository")
def test_a_jar_that_is_not_what_was_promised_is_refused(tmp_path: Path) -> None:
    lock = lock_of(serve(tmp_path, "one", b"something else", promised=b"first"))
    with pytest.raises(CannotFetch, match=r"refused one-1\.jar: its SHA-256 is [0-9a-f]{64}, but the lock says"):
        locked_jars(lock, tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.jar"))


def test_a_repository_that_fails_once_is_asked_again(tmp_path: Path, repository: type[Repository]) -> None:
    lock = lock_of(serve(tmp_path, "one", b"first"))
    repository.broken["one-1.jar"] = 2
    assert locked_jars(lock, tmp_path / "cache")[0].read_bytes() == b"first"


@pytest.mark.usefixtures("repository")
def test_a_jar_that_no_repository_has_is_named_but_no_address(tmp_path: Path) -> None:
    absent = Jar(group="org.example", artifact="gone", version="1", sha256="0" * 64, bytes=1)
    with pytest.raises(CannotFetch, match=r"gone-1\.jar is not to be had from central") as refused:
        locked_jars(lock_of(absent), tmp_path / "cache")
    assert "://" not in str(refused.value)


@pytest.mark.usefixtures("repository")
def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "cache" / "kafka-1" / "fetch-left" / "1" / "org"
    left.mkdir(parents=True)
    (left / "half.jar").write_bytes(b"fir")
    locked_jars(lock_of(serve(tmp_path, "one", b"first")), tmp_path / "cache")
    assert sorted(path.name for path in (tmp_path / "cache" / "kafka-1").iterdir()) == ["lock", "one-1.jar"]


def test_two_first_starts_at_once_fetch_each_jar_once(tmp_path: Path, repository: type[Repository]) -> None:
    jars = [serve(tmp_path, f"jar{number}", bytes([number]) * 100_000) for number in range(4)]
    entries = ",\n".join(
        f'{{ group = "{jar.group}", artifact = "{jar.artifact}", version = "1", bytes = 1, sha256 = "{jar.sha256}" }}'
        for jar in jars
    )
    text = f'title = "Example"\nversion = "1"\njars = [{entries}]'
    command = [sys.executable, "-c", FETCH, str(tmp_path / "cache")]
    starts = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in range(2)]
    for start in starts:
        assert start.stdin is not None
        start.stdin.write(text)
        start.stdin.close()
    assert [start.wait(60) for start in starts] == [0, 0]
    assert {repository.asked[jar.name] for jar in jars} == {1}
