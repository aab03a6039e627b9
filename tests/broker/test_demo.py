"""The demo as its user runs it, on a real Kafka."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

ROOT = Path(__file__).parents[2]


def demo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "streams", "demo", *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=180, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("fault", ["code-deploy", "stale-features"])
def test_the_demo_says_what_was_broken_and_leaves_no_topics_behind(fault: str, bootstrap: str) -> None:
    result = demo("--fault", fault, "--json", "--bootstrap", bootstrap)
    assert result.returncode == 0, result.stderr[-3000:]
    said = json.loads(result.stdout)
    assert set(said) == {"fault", "expected", "said", "right", "seconds_to_alert", "seconds"}
    assert said["fault"] == fault
    assert said["right"] is True
    assert said["seconds"] < 150
    topics = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics
    assert not [name for name in topics if name.startswith("headwater-demo-")]


def test_a_broker_that_is_not_there_is_told_in_a_sentence() -> None:
    result = demo("--bootstrap", "127.0.0.1:1", "--json")
    assert result.returncode != 0
    assert result.stdout == ""
    assert "127.0.0.1:1" in result.stderr
    assert "Traceback" not in result.stderr
