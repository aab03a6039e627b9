"""The servers we bring are real ones, and they leave when we do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.embedded import CannotStart, KafkaBroker, ValkeyServer, start_kafka

WITHIN_S = 30.0
PARENT = """
import json, sys, time
from pathlib import Path
from streams.embedded import start
with start(Path(sys.argv[1])) as servers:
    print(json.dumps([servers.kafka.process.pid, servers.valkey.process.pid]), flush=True)
    time.sleep(600)
"""
OFFLINE = """
import socket, sys
from pathlib import Path

def loopback_only(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        host = arguments[1][0] if event == "socket.connect" else arguments[0]
        if host not in ("127.0.0.1", "localhost"):
            raise OSError(f"no network here: {host}")

sys.addaudithook(loopback_only)
from streams.embedded import start
with start(Path(sys.argv[1])) as servers:
    print("up", flush=True)
"""


def create(bootstrap: str, topic: str, partitions: int = 1) -> None:
    """The topic, ready to be written to."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(WITHIN_S)


def produce(bootstrap: str, topic: str, *values: bytes, **settings: str | int) -> None:
    """Every value acknowledged, or an error."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, **settings})
    refused: list[KafkaError] = []
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: refused.append(error) if error else None)
    assert producer.flush(WITHIN_S) == 0
    assert not refused


def consume(bootstrap: str, topic: str, count: int, **settings: str | int) -> list[bytes]:
    """The first ``count`` values of partition 0, or as many as there are."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "enable.partition.eof": True, **settings}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes] = []
    deadline = time.monotonic() + WITHIN_S
    while len(values) < count and time.monotonic() < deadline:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if (error := message.error()) is not None:
            assert error.code() == KafkaError._PARTITION_EOF, error
            break
        values.append(message.value() or b"")
    consumer.close()
    return values


def lives(pid: int) -> bool:
    """Whether there is such a process, and not only its unread exit status."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() not in ("", "Z")


def descendants(pid: int) -> list[int]:
    """Its children, their children, and so on."""
    shown = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in shown.stdout.splitlines()]
    children = [child for child, parent in pairs if parent == pid]
    return children + [lower for child in children for lower in descendants(child)]


def gone(*pids: int) -> bool:
    """Waits for processes that nobody can wait for otherwise: they are not ours."""
    deadline = time.monotonic() + WITHIN_S
    while any(map(lives, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(lives, pids))


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_what_is_produced_is_consumed(bootstrap: str, topic_prefix: str, codec: str) -> None:
    create(bootstrap, f"{topic_prefix}events")
    produce(bootstrap, f"{topic_prefix}events", b"one" * 100, b"two", **{"compression.type": codec})
    assert consume(bootstrap, f"{topic_prefix}events", 2) == [b"one" * 100, b"two"]


def test_a_message_of_eight_megabytes_passes(bootstrap: str, topic_prefix: str) -> None:
    create(bootstrap, f"{topic_prefix}large")
    large = os.urandom(8 << 20)
    produce(bootstrap, f"{topic_prefix}large", large, **{"message.max.bytes": 16 << 20})
    assert consume(bootstrap, f"{topic_prefix}large", 1) == [large]


def test_a_topic_is_not_created_by_asking_for_it(bootstrap: str, topic_prefix: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.list_topics(f"{topic_prefix}misspelt", timeout=WITHIN_S)
    assert f"{topic_prefix}misspelt" not in admin.list_topics(timeout=WITHIN_S).topics


def test_only_what_was_committed_is_read(bootstrap: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}committed"
    create(bootstrap, topic)
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic})
    producer.init_transactions(WITHIN_S)
    for value, finish in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(WITHIN_S)
        finish(WITHIN_S)
    assert consume(bootstrap, topic, 2) == [b"committed"]
    assert consume(bootstrap, topic, 2, **{"isolation.level": "read_uncommitted"}) == [b"aborted", b"committed"]


def test_a_second_writer_of_one_id_fences_the_first(bootstrap: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}fenced"
    create(bootstrap, topic)
    first, second = (Producer({"bootstrap.servers": bootstrap, "transactional.id": topic}) for _ in range(2))
    first.init_transactions(WITHIN_S)
    first.begin_transaction()
    first.produce(topic, b"from the first")
    first.flush(WITHIN_S)
    second.init_transactions(WITHIN_S)
    with pytest.raises(KafkaException) as refused:
        first.commit_transaction(WITHIN_S)
    assert refused.value.args[0].fatal()
    assert consume(bootstrap, topic, 1) == []


def test_valkey_speaks_redis(redis_url: str, topic_prefix: str) -> None:
    with redis.Redis.from_url(redis_url, protocol=3) as client:
        client.set(f"{topic_prefix}key", "value", ex=60)
        assert client.get(f"{topic_prefix}key") == b"value"
        assert client.config_get("appendonly") == {"appendonly": "no"}


def test_a_killed_broker_has_everything_again_at_the_same_address(own_kafka: Callable[..., KafkaBroker]) -> None:
    kafka = own_kafka()
    create(kafka.bootstrap, "kept")
    produce(kafka.bootstrap, "kept", b"one", b"two")
    kafka.kill()
    kafka.restart()
    assert consume(kafka.bootstrap, "kept", 2) == [b"one", b"two"]


def test_a_frozen_broker_goes_on_where_it_was(own_kafka: Callable[..., KafkaBroker]) -> None:
    kafka = own_kafka()
    create(kafka.bootstrap, "frozen")
    kafka.freeze()
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=0.5)
    kafka.thaw()
    produce(kafka.bootstrap, "frozen", b"one")
    assert consume(kafka.bootstrap, "frozen", 1) == [b"one"]


def test_a_folder_used_again_keeps_its_data_on_other_ports(tmp_path: Path) -> None:
    folder = tmp_path / "a folder, with space"
    with start_kafka(folder) as kafka:
        first = kafka.bootstrap
        create(first, "kept")
        produce(first, "kept", b"one")
    with start_kafka(folder) as kafka:
        assert kafka.bootstrap != first
        assert consume(kafka.bootstrap, "kept", 1) == [b"one"]


def test_two_brokers_at_once_know_nothing_of_each_other(own_kafka: Callable[..., KafkaBroker], bootstrap: str) -> None:
    other = own_kafka()
    create(other.bootstrap, "only-here")
    ids = {
        AdminClient({"bootstrap.servers": at}).list_topics(timeout=WITHIN_S).cluster_id
        for at in (other.bootstrap, bootstrap)
    }
    assert len(ids) == 2
    assert "only-here" not in AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=WITHIN_S).topics


def test_a_broker_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"(?s)ended before it answered.*--bootstrap.*log\.retention\.ms") as refused:
        start_kafka(tmp_path, properties={"log.retention.ms": "soon"})
    assert str(tmp_path) in str(refused.value)


def test_a_killed_valkey_starts_again_empty_at_the_same_address(own_valkey: Callable[[], ValkeyServer]) -> None:
    valkey = own_valkey()
    with redis.Redis.from_url(valkey.url) as client:
        client.set("key", "value")
        valkey.kill()
        valkey.restart()
        assert client.get("key") is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_server_is_left_when_we_are_ended(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        pids = json.loads(parent.stdout.readline())
        assert all(map(lives, pids))
        parent.send_signal(number)
    assert gone(*pids)


def test_no_server_is_left_when_we_are_killed_while_it_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        deadline = time.monotonic() + WITHIN_S
        while len(descendants(parent.pid)) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        started = descendants(parent.pid)
        parent.kill()
    assert len(started) == 4, "two servers, each with its keeper"
    assert gone(*started)
    with start_kafka(tmp_path / "kafka") as kafka:  # the folder is free again
        assert kafka.process.running


def test_a_warm_cache_needs_no_network(servers: object, tmp_path: Path) -> None:
    """``servers`` has filled the cache; any address but loopback is refused, and so would a proxy be."""
    assert servers is not None
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, "-c", OFFLINE, str(tmp_path)]
    done = subprocess.run(
        command, env={**os.environ, **nowhere}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "up\n", done.stderr
