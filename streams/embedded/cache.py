"""Where programs are kept between runs, shared by every process of this user."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def default_cache() -> Path:
    """``HEADWATER_CACHE_DIR``, else the folder that this platform gives programs to cache things in."""
    if given := os.environ.get("HEADWATER_CACHE_DIR"):
        return Path(given).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "headwater"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headwater"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until no other process is here; then we are, until the block ends or we are killed."""
    import fcntl  # only here: Windows has none, and no embedded server either

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remove_left_overs(folder: Path, prefix: str) -> None:
    """What a killed process left; to be called ``alone``, when nobody can be working there."""
    for left_over in folder.glob(f"{prefix}*"):
        shutil.rmtree(left_over, ignore_errors=True)
