"""The jars of Apache Kafka: fetched once with jgo, held to the SHA-256 of a committed lock ever after.

The cache is only read when every jar in it is what the lock says; then no network is touched. Whatever is missing or
differs is fetched into a folder aside and moved into place once its sum is right, so a broken download, a killed
process or two first starts at once leave either a good jar or none.
"""

import hashlib
import importlib.util
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.embedded.cache import alone, default_cache, remove_left_overs
from streams.embedded.errors import WAY_OUT, CannotFetch

LOCK = Path(__file__).with_name("kafka.lock.toml")
AT_ONCE = 6  # downloads: most of the time of a small jar is the round trip
ATTEMPTS = 3
PAUSE_S = 0.5
ASIDE = "fetch-"
TELL_BYTES = 1 << 18

OnProgress = Callable[[int, int], None]
"""Called with the bytes fetched so far and the bytes there are to fetch, from any thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One jar of the lock: where it is found, and what it must be."""

    group: str
    artifact: str
    version: str
    sha256: str
    bytes: int

    @property
    def name(self) -> str:
        """Its file's name; no two jars of a lock share one."""
        return f"{self.artifact}-{self.version}.jar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What makes up one version of a program."""

    title: str
    version: str
    jars: tuple[Jar, ...]

    @property
    def bytes(self) -> int:
        """All jars together."""
        return sum(jar.bytes for jar in self.jars)


def read_lock(text: str) -> Lock:
    """The lock in ``text`` (TOML: ``title``, ``version``, ``jars``).

    Raises:
        ValueError: it is not one: a field is missing or unknown, a sum is no SHA-256, two jars share a name.
    """
    try:
        table = tomllib.loads(text)
        lock = Lock(
            title=table["title"],
            version=table["version"],
            jars=tuple(Jar(**entry) for entry in table["jars"]),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"not a lock of jars: {error}") from error
    if len({jar.name for jar in lock.jars}) < len(lock.jars) or not lock.jars:
        raise ValueError("not a lock of jars: no jar, or two of one name")
    for jar in lock.jars:
        if len(jar.sha256) != 64 or not set(jar.sha256) <= set("0123456789abcdef"):
            raise ValueError(f"not a lock of jars: {jar.name} has no SHA-256 but {jar.sha256!r}")
    return lock


def kafka_jars(cache: Path | None = None, on_progress: OnProgress | None = None) -> tuple[Path, ...]:
    """The jars to start Kafka with, in the lock's order.

    Raises:
        CannotFetch: one is missing (or not what the lock says) and could not be fetched.
    """
    return locked_jars(read_lock(LOCK.read_text()), (cache or default_cache()).absolute(), on_progress)


def locked_jars(lock: Lock, cache: Path, on_progress: OnProgress | None = None) -> tuple[Path, ...]:
    """The jars of ``lock`` in ``cache``, fetched if need be. See ``kafka_jars``."""
    folder = cache / f"kafka-{lock.version}"
    if importlib.util.find_spec("jgo") is None:
        raise CannotFetch(f"a Kafka of our own comes with headwater[embedded]: install that, {WAY_OUT}")
    try:
        if _absent(lock, folder):
            with alone(folder):
                if absent := _absent(lock, folder):  # again: another process may have fetched them meanwhile
                    _fetch(absent, folder, on_progress or _unseen)
    except (OSError, RuntimeError) as error:
        raise CannotFetch(
            f"cannot fetch {lock.title} {lock.version} ({len(lock.jars)} jars, {lock.bytes >> 20} MB): {error}\n"
            f"It is needed once, and then kept in {folder}. Connect and try again, {WAY_OUT}"
        ) from error
    return tuple(folder / jar.name for jar in lock.jars)


def _absent(lock: Lock, folder: Path) -> list[Jar]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sums = pool.map(sha256_of, (folder / jar.name for jar in lock.jars))
        return [jar for jar, found in zip(lock.jars, sums, strict=True) if found != jar.sha256]


def sha256_of(path: Path) -> str | None:
    """The file's sum in hexadecimal; none if there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _unseen(done: int, total: int) -> None:
    """Progress that nobody watches."""


def _fetch(jars: Sequence[Jar], folder: Path, on_progress: OnProgress) -> None:
    """Into a folder aside, then into place; by one process at a time."""
    remove_left_overs(folder, ASIDE)
    meter = _Meter(sum(jar.bytes for jar in jars), on_progress)
    with tempfile.TemporaryDirectory(dir=folder, prefix=ASIDE) as aside:
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for jar, path in zip(jars, pool.map(lambda jar: _download(jar, Path(aside), meter), jars), strict=True):
                path.replace(folder / jar.name)
        finally:
            pool.shutdown(cancel_futures=True)


def _download(jar: Jar, aside: Path, meter: "_Meter") -> Path:
    for attempt in range(ATTEMPTS):
        try:
            path = _ask(jar, aside / str(attempt), meter)
            if (found := sha256_of(path)) == jar.sha256:
                return path
            failure: Exception = RuntimeError(
                f"refused {jar.name}: its SHA-256 is {found}, but the lock says {jar.sha256}"
            )
        except (OSError, RuntimeError) as error:
            failure = error
        time.sleep(PAUSE_S)
    raise failure


def _ask(jar: Jar, place: Path, meter: "_Meter") -> Path:
    """The sum is what we trust, not the source: so repositories of jgo's own configuration (a company's) go first."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    sources = GlobalSettings.load().repositories
    sources = {**sources, "central": sources.get("central", MAVEN_CENTRAL_URL)}
    resolver = PythonResolver(progress_callback=meter.watch)
    context = MavenContext(resolver=resolver, repo_cache=place, remote_repos=sources)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    try:
        path: Path = artifact.resolve()
    except RuntimeError as error:  # its text has the addresses, and an address may have a password
        raise RuntimeError(f"{jar.name} is not to be had from {', '.join(sources)}") from error
    return path


class _Meter:
    """Adds up what several threads have fetched; what is fetched again after a failure counts once."""

    def __init__(self, total: int, on_progress: OnProgress) -> None:
        self._total, self._on_progress = total, on_progress
        self._fetched: dict[str, int] = {}
        self._told = 0
        self._lock = threading.Lock()
        on_progress(0, total)

    @contextmanager
    def watch(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        """jgo's idea of a progress callback."""
        del size
        with self._lock:
            self._fetched[name] = 0

        def add(count: int) -> None:
            with self._lock:
                self._fetched[name] += count
                done = min(sum(self._fetched.values()), self._total)
                if done >= self._told + TELL_BYTES or done == self._total:
                    self._told = done
                    self._on_progress(done, self._total)

        yield add
