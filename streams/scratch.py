"""Folders of a process among the system's temporary files; what killed processes have left there is removed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PREFIX = "headwater-"
IN_USE = ".in-use"


@contextmanager
def scratch(what: str, place: Path | None = None) -> Iterator[Path]:
    """A fresh folder, gone at the end; if this process is killed, the next one that asks for a folder removes it."""
    where = place or Path(tempfile.gettempdir())
    remove_left(where)
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{what}-", dir=where, ignore_cleanup_errors=True) as name:
        unlisted = Path(name) / "lock"
        with unlisted.open("wb") as lock:
            _lock(lock)
            unlisted.rename(unlisted.with_name(IN_USE))  # under its name it is locked from the first moment on
            yield Path(name)


def remove_left(place: Path) -> None:
    """Remove the folders whose processes are gone: the system itself gives a dead process's lock back."""
    for path in place.glob(f"{PREFIX}*/{IN_USE}"):
        with suppress(OSError), path.open("r+b") as lock:  # in use, somebody else's, or removed meanwhile
            _lock(lock)
            shutil.rmtree(path.parent, ignore_errors=True)


def _lock(file: IO[bytes]) -> None:
    """Lock a file, or raise ``BlockingIOError`` at once where a living process holds it."""
    import fcntl  # only here: Windows has none

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
