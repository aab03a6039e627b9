"""What the start of a command loads: whoever reads the index waits for it every time."""

import subprocess
import sys

import pytest

NOT_NEEDED = {"confluent_kafka", "fastavro", "faust", "numpy", "polars", "schemas", "scipy"}
LOADED = "import sys; from streams.__main__ import load; load(sys.argv[1]); print(*sys.modules)"


@pytest.mark.parametrize("command", ["trace", "explain"])
def test_a_command_that_reads_the_index_loads_no_arrays_no_codec_and_no_kafka(command: str) -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED, command], capture_output=True, text=True, check=True)

    modules = set(loaded.stdout.split())
    assert f"streams.commands.{command}" in modules
    assert not NOT_NEEDED & modules
