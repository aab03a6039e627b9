"""Producers as strangers write them: every client, codec, framing and habit is read, and their topics stay theirs."""

import asyncio
import io
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import avro.io
import avro.schema
import fastavro
import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer

from diagnosis.provenance import ObservationKind
from schemas import Reason
from streams.topics import EVENT_TOPICS, Topic, key_of, partition_of
from tests.broker.installation import Installation, Worker, wait_until

SCHEMAS = Path(__file__).parents[2] / "schemas"
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def installation(tmp_path: Path, bootstrap: str, topic_prefix: str) -> Iterator[Installation]:
    with Installation(tmp_path, bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=5) as made:
        yield made


@pytest.fixture
def worker(installation: Installation) -> Iterator[Worker]:
    with installation.worker() as running:
        yield running


def minimal(name: str, number: int) -> dict[str, object]:
    """A batch with nothing but what is required."""
    return {"pipeline": "shop", "dataset": name, "produced_at": AT.isoformat(), "rows": number}


def framed(name: str, body: bytes) -> bytes:
    fingerprint = fastavro.schema.fingerprint(
        fastavro.schema.to_parsing_canonical_form(json.loads((SCHEMAS / f"{name}.avsc").read_text())), "CRC-64-AVRO"
    )
    return b"\xc3\x01" + bytes.fromhex(fingerprint) + body


def by_fastavro(number: int) -> bytes:
    schema = fastavro.parse_schema(json.loads((SCHEMAS / "data_batch.avsc").read_text()))
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, {**minimal("fastavro", number), "produced_at": AT})
    return framed("data_batch", body.getvalue())


def by_avro(number: int) -> bytes:
    schema = avro.schema.parse((SCHEMAS / "data_batch.avsc").read_text())
    body = io.BytesIO()
    defaults = {field.name: field.default for field in schema.fields if field.has_default}
    event = {**defaults, **minimal("avro", number), "produced_at": AT}
    avro.io.DatumWriter(schema).write(event, avro.io.BinaryEncoder(body))
    return framed("data_batch", body.getvalue())


def rows_observed(installation: Installation) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for one in installation.observations():
        if one.kind is ObservationKind.BATCH:
            rows.setdefault(one.name, []).append(one.rows)
    return rows


def test_every_client_codec_and_habit_is_read_and_no_subject_is_split(
    installation: Installation, worker: Worker
) -> None:
    assert worker.process.poll() is None
    topic = installation.settings.topic_prefix + Topic.DATA_BATCHES
    address = installation.settings.bootstrap or ""
    sent: dict[str, int] = {}
    for number, codec in enumerate(("none", "gzip", "snappy", "lz4", "zstd")):
        plain = Producer({"bootstrap.servers": address, "compression.type": codec})  # places keys in its own way
        for keyed in (True, False):
            for turn in range(3):
                name = f"{codec}-{'keyed' if keyed else 'unkeyed'}"
                event = minimal(name, 10 * number + turn) | {"produced_at": AT.timestamp() + turn}
                key = key_of("shop", name) if keyed else None
                plain.produce(topic, json.dumps(event).encode(), key=key)
                sent[name] = sent.get(name, 0) + 1
        plain.flush()
    asyncio.run(_by_aiokafka(address, topic, [by_fastavro(1), by_avro(2)]))
    sent |= {"fastavro": 1, "avro": 1}
    if shutil.which("kcat"):
        lines = "\n".join(json.dumps(minimal("kcat", number)) for number in range(3))
        subprocess.run(["kcat", "-P", "-b", address, "-t", topic], input=lines, text=True, check=True)
        sent["kcat"] = 3
    else:
        assert not os.environ.get("CI"), "CI installs kcat"
    wait_until(lambda: {name: len(rows) for name, rows in rows_observed(installation).items()} == sent, what="all")
    assert len(installation.records(Topic.DATA_BATCHES)) == sum(sent.values()), "something was written to their topic"
    assert installation.records(Topic.DEAD_LETTERS) == []
    for key, value, headers in installation.records(Topic.INBOX):
        assert headers["headwater-topic"] == Topic.DATA_BATCHES
        del key, value


async def _by_aiokafka(address: str, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address) as plain:
        for value in values:
            await plain.send_and_wait(topic, value)


def test_garbage_becomes_dead_letters_with_reasons_and_the_next_good_event_is_read(
    installation: Installation, worker: Worker
) -> None:
    assert worker.process.poll() is None
    good = by_fastavro(1)
    garbage = {
        Reason.EMPTY: b"",
        Reason.UNKNOWN_FRAMING: b"hello",
        Reason.BAD_JSON: b"{not json",
        Reason.UNKNOWN_FIELD: json.dumps({**minimal("x", 1), "secret-field": 1}).encode(),
        Reason.MISSING_FIELD: b'{"pipeline": "shop"}',
        Reason.TRAILING_BYTES: good + b"\0",
        Reason.TRUNCATED: good[:-3],
        Reason.UNKNOWN_SCHEMA: b"\xc3\x01" + bytes(8) + b"x",
        Reason.BAD_VALUE: json.dumps({**minimal("x", 1), "rows": -1}).encode(),
    }
    for place, value in enumerate(garbage.values()):
        partition = partition_of(key_of("shop", "fastavro"), 5)
        installation.produce(Topic.DATA_BATCHES, value, key=b"k%d" % place, partition=partition)
        installation.produce(Topic.DATA_BATCHES, json.dumps(minimal("good", place)).encode())
    installation.producer.flush()
    wait_until(lambda: len(rows_observed(installation).get("good", [])) == len(garbage), what="every good event")
    wait_until(lambda: len(installation.records(Topic.DEAD_LETTERS)) == len(garbage), what="every dead letter")
    dead = {
        headers["headwater-reason"]: (key, value) for key, value, headers in installation.records(Topic.DEAD_LETTERS)
    }
    assert dead == {reason: (b"k%d" % place, value) for place, (reason, value) in enumerate(garbage.items())}
    offsets = [headers["headwater-offset"] for _, _, headers in installation.records(Topic.DEAD_LETTERS)]
    assert len(set(offsets)) == len(garbage)
    assert 'headwater_dead_letters_total{reason="BAD_JSON",topic="data-batches"} 1.0' in worker.metrics()


class Registry(BaseHTTPRequestHandler):
    """As much of a Schema Registry as a reader asks for: one schema, under the id 7."""

    def do_GET(self) -> None:
        known = self.path.startswith("/schemas/ids/7")
        body = (
            {"schema": (SCHEMAS / "data_batch.avsc").read_text()} if known else {"error_code": 40403, "message": "no"}
        )
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def test_the_confluent_wire_format_is_read_once_the_registry_answers(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        address = reserved.getsockname()
    body = by_fastavro(3)[10:]
    for schema_id in (7, 8):
        installation.produce(Topic.DATA_BATCHES, b"\0" + schema_id.to_bytes(4, "big") + body)
    installation.producer.flush()
    waiting = 'headwater_degraded{dependency="schema_registry"} 1.0'
    with installation.worker(schema_registry_url=f"http://{address[0]}:{address[1]}") as worker:
        wait_until(lambda: waiting in worker.metrics(), what="waiting for the registry")
        with ThreadingHTTPServer(address, Registry) as registry:
            threading.Thread(target=registry.serve_forever, daemon=True).start()
            wait_until(lambda: rows_observed(installation) == {"fastavro": [3]}, what="the event")
            wait_until(lambda: len(installation.records(Topic.DEAD_LETTERS)) == 1, what="the dead letter")
            assert waiting not in worker.metrics()
            registry.shutdown()
    ((_, _, headers),) = installation.records(Topic.DEAD_LETTERS)
    assert headers["headwater-reason"] == Reason.UNKNOWN_SCHEMA


def test_what_is_delivered_twice_counts_once(installation: Installation, worker: Worker) -> None:
    event = by_fastavro(7)
    for _ in range(3):
        installation.produce(Topic.DATA_BATCHES, event)  # without a key: wherever librdkafka likes
    installation.producer.flush()
    wait_until(lambda: "duplicate" in worker.metrics(), what="the duplicates")
    wait_until(lambda: len(installation.records(Topic.DATA_BATCHES)) == 3)
    assert rows_observed(installation) == {"fastavro": [7]}


def test_all_event_topics_may_be_empty(installation: Installation, worker: Worker) -> None:
    wait_until(worker.ready, what="readiness")
    assert all(installation.records(topic) == [] for topic in EVENT_TOPICS)
