"""Temporary folders, and those that killed processes leave."""

import subprocess
import sys
from pathlib import Path

from streams.scratch import remove_left, scratch

HOLD = """
import sys, pathlib
from streams.scratch import scratch
with scratch("worker", pathlib.Path(sys.argv[1])) as folder:
    (folder / "kept").write_text("")
    print(folder, flush=True)
    sys.stdin.read()
"""


def holder(place: Path) -> tuple["subprocess.Popen[str]", Path]:
    """Another process with a folder of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def test_a_folder_is_gone_with_everything_in_it_when_it_is_left(tmp_path: Path) -> None:
    with scratch("worker", tmp_path) as folder:
        (folder / "deep").mkdir()
        assert folder.name.startswith("headwater-worker-")

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    process, left = holder(tmp_path)
    end(process)
    assert (left / "kept").exists()

    with scratch("demo", tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_what_a_living_process_uses_is_left_alone(tmp_path: Path) -> None:
    process, used = holder(tmp_path)

    remove_left(tmp_path)

    assert (used / "kept").exists()
    end(process)


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "headwater-notes").mkdir()

    remove_left(tmp_path)

    assert (tmp_path / "headwater-notes").exists()
