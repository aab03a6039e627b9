"""What ``headwater send`` puts on the topics of a real Kafka."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # public there, says its manual
from typer.testing import CliRunner, Result

from schemas.codec import SINGLE_OBJECT, Codec
from schemas.events import Change, ChangeKind, Codes, DataBatch, Numbers, Outcome, Prediction
from streams.admin import create_topics, name_of
from streams.clients import admin, consumer
from streams.commands.send import send_app
from streams.settings import Settings
from streams.topics import Topic, partition_of

pytestmark = pytest.mark.broker

PARTITIONS = 4
ROWS = 3_000
NAMES = ["--pipeline", "loans", "--model", "car"]
CODECS: dict[Topic, Codec[Any]] = {
    Topic.DATA_BATCHES: Codec("data_batch", DataBatch),
    Topic.PREDICTIONS: Codec("prediction", Prediction),
    Topic.OUTCOMES: Codec("outcome", Outcome),
    Topic.CHANGES: Codec("change", Change),
}


@dataclass(frozen=True, slots=True)
class Landed:
    """A record as it lies on its topic."""

    key: bytes
    partition: int
    arrived_ms: int
    event: Any


@pytest.fixture
def settings(bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADWATER_BOOTSTRAP", bootstrap)
    monkeypatch.setenv("HEADWATER_TOPIC_PREFIX", topic_prefix)
    return Settings(bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS)


@pytest.fixture
def scored(tmp_path: Path) -> str:
    """Scored rows, one a second, with the truth beside them."""
    path = tmp_path / "scored.csv"
    lines = ["id,timestamp,amount,region,score,repaid"]
    for row in range(ROWS):
        time = f"2026-01-01T{row // 3600:02}:{row // 60 % 60:02}:{row % 60:02}Z"
        amount = "" if row % 100 == 0 else str(row / 8)
        lines.append(f"p{row},{time},{amount},{'north' if row % 3 else 'süd'},{row % 97 / 97},{row % 2}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(send_app, list(arguments))


def landed(settings: Settings, topic: Topic) -> list[Landed]:
    """Everything on a topic, partition by partition."""
    reader = consumer(settings, "test-send", **{"enable.partition.eof": True})
    name = name_of(topic, settings)
    found = reader.list_topics(name, timeout=10).topics[name].partitions
    reader.assign([TopicPartition(name, partition, 0) for partition in found])
    records: list[Landed] = []
    unfinished = set(found)
    while unfinished:
        message = reader.poll(10)
        assert message is not None, "the topic's end was not reached"
        if message.error() is not None:
            unfinished.discard(message.partition())
            continue
        value, key = message.value(), message.key()
        assert isinstance(value, bytes)
        assert isinstance(key, bytes)
        assert value.startswith(SINGLE_OBJECT)
        event = CODECS[topic].decode(value)
        records.append(Landed(key, message.partition() or 0, message.timestamp()[1], event))
    reader.close()
    return records


def test_predictions_land_whole_in_order_and_where_their_key_belongs(settings: Settings, scored: str) -> None:
    create_topics(settings)
    result = run("predictions", scored, *NAMES, "--outcome", "repaid", "--batch-rows", "1000", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["sent"] == ROWS

    records = landed(settings, Topic.PREDICTIONS)
    assert {(one.key, one.partition) for one in records} == {(b"loans/car", partition_of(b"loans/car", PARTITIONS))}
    events: list[Prediction] = [one.event for one in records]
    assert [name for event in events for name in event.prediction_ids] == [f"p{row}" for row in range(ROWS)]
    assert np.concatenate([event.scores for event in events]).tolist() == [row % 97 / 97 for row in range(ROWS)]
    assert [column.name for column in events[0].features] == ["amount", "region"]

    batches = landed(settings, Topic.DATA_BATCHES)
    key = b"loans/car-features"
    assert {(one.key, one.partition) for one in batches} == {(key, partition_of(key, PARTITIONS))}
    assert [one.event.rows for one in batches] == [1000, 1000, 1000]
    assert {reference.batch_id for event in events for reference in event.batches} == {
        one.event.batch_id for one in batches
    }
    amount, region = (column.values for column in batches[0].event.columns)
    assert isinstance(amount, Numbers)
    assert np.isnan(amount.values).sum() == 10
    assert isinstance(region, Codes)
    assert region.dictionary[region.codes[0]] == "süd"


def test_a_reference_is_declared_for_every_subject_before_its_events(settings: Settings, scored: str) -> None:
    create_topics(settings)
    result = run("predictions", scored, *NAMES, "--outcome", "repaid", "--batch-rows", "1000", "--as-reference")
    assert result.exit_code == 0, result.stderr
    changes = landed(settings, Topic.CHANGES)
    assert {one.key for one in changes} == {b"loans/car", b"loans/car-features"}
    last = max(one.event.scored_at for one in landed(settings, Topic.PREDICTIONS))
    assert {(one.event.kind, one.event.after, one.event.at) for one in changes} == {
        (ChangeKind.BASELINE, "reference", last)
    }
    others = [*landed(settings, Topic.PREDICTIONS), *landed(settings, Topic.DATA_BATCHES)]
    assert max(one.arrived_ms for one in changes) <= min(one.arrived_ms for one in others)


def test_outcomes_land_with_the_time_of_their_prediction_and_the_delay(
    settings: Settings, scored: str, tmp_path: Path
) -> None:
    create_topics(settings)
    truth = tmp_path / "truth.jsonl"
    truth.write_text("".join(json.dumps({"id": f"p{row}", "repaid": row % 2}) + "\n" for row in range(ROWS)))
    result = run("outcomes", str(truth), *NAMES, "--times-from", scored, "--delay", "1h", "--rows-per-event", "1000")
    assert result.exit_code == 0, result.stderr
    records = landed(settings, Topic.OUTCOMES)
    assert {(one.key, one.partition) for one in records} == {(b"loans/car", partition_of(b"loans/car", PARTITIONS))}
    events: list[Outcome] = [one.event for one in records]
    assert np.concatenate([event.outcomes for event in events]).tolist() == [row % 2 for row in range(ROWS)]
    second = 1_000_000
    start = 1_767_225_600 * second
    assert [event.observed_at for event in events] == [start + (3600 + end) * second for end in (999, 1999, 2999)]


def test_nothing_is_sent_where_a_row_is_wrong_or_a_topic_is_missing(settings: Settings, scored: str) -> None:
    missing = run("predictions", scored, *NAMES)
    assert missing.exit_code == 3
    assert "headwater topics create" in missing.stderr
    create_topics(settings)
    with Path(scored).open("a") as file:
        file.write("p-1,2026-01-02,1,north,much,1\n")
    wrong = run("predictions", scored, *NAMES)
    assert wrong.exit_code == 1
    assert f"scored.csv:{ROWS + 2}: score is 'much'" in wrong.stderr
    assert landed(settings, Topic.PREDICTIONS) == []


def test_what_the_broker_refuses_is_reported(settings: Settings, scored: str) -> None:
    name = name_of(Topic.PREDICTIONS, settings)
    small = NewTopic(name, num_partitions=PARTITIONS, replication_factor=1, config={"max.message.bytes": "1000"})
    client = admin(settings)  # kept: an admin client that is collected ends its requests
    client.create_topics([small])[name].result()
    result = run("predictions", scored, *NAMES, "--rows-per-event", "3000")
    assert result.exit_code == 3
    assert "1 event not delivered" in result.stderr
    assert "fewer --rows-per-event" in result.stderr


def test_an_interrupt_ends_it_and_says_how_far_it_came(settings: Settings, scored: str, tmp_path: Path) -> None:
    create_topics(settings)
    command = [sys.executable, "-c", "from streams.commands.send import send_app; send_app()"]
    options = [*NAMES, "--speed", "60", "--rows-per-event", "10"]
    with subprocess.Popen(
        [*command, "predictions", scored, *options],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
    ) as process:
        assert process.stderr is not None
        # This line comes when the pace has been kept for some seconds, so that something has been sent.
        next(line for line in process.stderr if line.startswith("sending"))
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    said = re.search(r"sent ([\d,]+) rows", rest)
    assert said is not None
    sent = int(said[1].replace(",", ""))
    assert 0 < sent < ROWS
    assert sum(len(one.event.scores) for one in landed(settings, Topic.PREDICTIONS)) == sent
