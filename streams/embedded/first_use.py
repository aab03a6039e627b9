"""What is prepared once for a Java and a Kafka, so that later starts are quick.

Kafka's own tool formats one folder. What it wrote is the template of every other folder (1 s of Java saved each
time), and what it loaded is recorded, from which Java makes an archive of loaded and linked classes (JEP 483, from
release 25 in the form used here): a broker that starts from it needs about two thirds of the time.
"""

import os
import re
import shutil
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from streams.embedded.cache import alone, remove_left_overs
from streams.embedded.errors import CannotStart
from streams.embedded.java import Java
from streams.embedded.properties import DATA, broker_properties

ARCHIVES_SINCE = 25
ASIDE = "preparing-"
WITHIN_S = 120.0
TEMPLATE = ("bootstrap.checkpoint", "meta.properties")  # the last is what makes a folder a formatted one
ARCHIVE = "classes.aot"
MADE_FOR = "java"
ID = re.compile(r"^(cluster\.id|directory\.id)=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A folder with the template and, if this Java can, the archive."""

    folder: Path

    @property
    def flags(self) -> list[str]:
        """For a JVM with the same class path."""
        archive = self.folder / ARCHIVE
        if not archive.exists():
            return []
        # Its sum is checked when it is opened, which costs nothing that can be measured: a damaged one is ignored.
        return [f"-XX:AOTCache={archive}", "-XX:+VerifySharedSpaces", "-Xlog:aot*=off"]

    def format(self, data: Path) -> None:
        """Makes ``data`` the empty store of a cluster of its own; leaves a store that is there already alone."""
        if (data / TEMPLATE[-1]).exists():
            return
        data.mkdir(parents=True, exist_ok=True)
        for name in TEMPLATE[:-1]:
            shutil.copyfile(self.folder / name, data / name)
        told = ID.sub(lambda found: f"{found[1]}={new_id()}", (self.folder / TEMPLATE[-1]).read_text())
        aside = data / f"{TEMPLATE[-1]}.new"
        aside.write_text(told)
        aside.replace(data / TEMPLATE[-1])


def new_id() -> str:
    """A random id as Kafka writes them: 22 letters of URL-safe base 64, none of them leading with a dash."""
    while (text := urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()).startswith("-"):
        pass
    return text


def prepare(java: Java, jars: Sequence[Path], cache: Path) -> Prepared:
    """What is in ``cache`` for this Java and these jars, made now (3 s) if it is not there.

    Raises:
        CannotStart: Kafka's tool does not run on this Java, or ``cache`` cannot be written.
    """
    classpath = os.pathsep.join(map(str, jars))
    stamp = java.program.stat().st_mtime_ns
    mark = sha256(f"{java.program}\n{stamp}\n{classpath}\n{broker_properties(port=1, controller_port=2)}".encode())
    folder = cache / f"prepared-java-{java.release}-{mark.hexdigest()[:12]}"
    if folder.exists():
        return Prepared(folder)
    with alone(cache):
        if not folder.exists():  # else another process was here first
            remove_left_overs(cache, ASIDE)
            _forget_lost(cache)
            with tempfile.TemporaryDirectory(dir=cache, prefix=ASIDE) as place:
                _make(java, classpath, Path(place)).rename(folder)
    return Prepared(folder)


def _make(java: Java, classpath: str, work: Path) -> Path:
    made = work / "made"
    made.mkdir()
    (made / MADE_FOR).write_text(str(java.program))
    _format(java, classpath, work)
    for name in TEMPLATE:
        (work / DATA / name).rename(made / name)
    if java.release >= ARCHIVES_SINCE:
        _archive(java, classpath, work, made)
    return made


def _forget_lost(cache: Path) -> None:
    """What was made for a Java that is gone (a virtual environment of the past) serves nobody: 36 MB each."""
    for made_for in cache.glob(f"prepared-*/{MADE_FOR}"):
        if not Path(made_for.read_text()).exists():
            shutil.rmtree(made_for.parent, ignore_errors=True)


def _format(java: Java, classpath: str, work: Path) -> None:
    (work / "server.properties").write_text(broker_properties(port=1, controller_port=2))
    recording = ["-XX:AOTMode=record", "-XX:AOTConfiguration=recorded"] if java.release >= ARCHIVES_SINCE else []
    tool = ["kafka.tools.StorageTool", "format", "-t", new_id(), "-c", "server.properties"]
    done = _run([str(java.program), "-XX:+UseSerialGC", *recording, "-cp", classpath, *tool], work)
    if done.returncode != 0:
        raise CannotStart(f"Kafka's own tool cannot format a folder with {java.program}:\n{done.stdout}")


def _archive(java: Java, classpath: str, work: Path, made: Path) -> None:
    """Best effort: without an archive Kafka only starts more slowly."""
    making = ["-XX:AOTMode=create", "-XX:AOTConfiguration=recorded", f"-XX:AOTCache={ARCHIVE}"]
    done = _run([str(java.program), "-XX:+UseSerialGC", *making, "-cp", classpath], work)
    if done.returncode == 0 and (work / ARCHIVE).exists():
        (work / ARCHIVE).rename(made / ARCHIVE)


def _run(command: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=WITHIN_S,
        check=False,
    )
