"""The judgements of the doctor."""

import json
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from streams.doctor import api_versions
from streams.doctor.broker import clock_line
from streams.doctor.environment import check_settings
from streams.doctor.events import Sampled, judge
from streams.doctor.line import Level
from streams.settings import Settings
from streams.topics import Topic, partition_of

SETTINGS = Settings(partitions=12)
NOW = 1_795_428_000_000_000


def sampled(key: bytes | None, value: bytes, partition: int | None = None) -> Sampled:
    home = partition_of(key, 12) if key is not None else 0
    return Sampled(partition=home if partition is None else partition, key=key, value=value, stored_at=NOW)


def outcome(at: int = NOW) -> bytes:
    event = {"pipeline": "taxi", "model": "fare", "observed_at": at, "prediction_ids": ["a"], "outcomes": [1]}
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    ("skew", "level"), [(0.0, Level.OK), (-4.0, Level.OK), (20.0, Level.WARN), (-400.0, Level.FAIL)]
)
def test_the_clocks_may_differ_by_so_much(skew: float, level: Level) -> None:
    assert clock_line(1000.0 + skew, 999.9, 1000.1).level is level


def test_a_slow_answer_accuses_no_clock() -> None:
    assert clock_line(1010.0, 1000.0, 1020.0).level is Level.OK


def test_a_misspelt_setting_is_pointed_out() -> None:
    lines = check_settings(SETTINGS, {"HEADWATER_PARTITONS": "3", "HEADWATER_BOOTSTRAP": "x", "PATH": "/"})

    (line,) = (line for line in lines if line.level is Level.WARN)
    assert line.mend == "did you mean HEADWATER_PARTITIONS?"


def test_good_events_are_left_in_peace() -> None:
    (line,) = judge(Topic.OUTCOMES, [sampled(b"taxi/fare", outcome())] * 5, SETTINGS)

    assert line.level is Level.OK


@pytest.mark.parametrize(
    ("event", "check"),
    [
        (sampled(None, outcome()), "keys"),
        (sampled(b"taxi/fare", outcome(), partition=(partition_of(b"taxi/fare", 12) + 1) % 12), "partitioner"),
        (sampled(b"taxi/fare", b"nothing"), "events"),
        (sampled(b"taxi/fare", outcome(NOW + 301_000_000)), "clock"),
    ],
)
def test_what_is_wrong_with_an_event_is_named(event: Sampled, check: str) -> None:
    (line,) = judge(Topic.OUTCOMES, [sampled(b"taxi/fare", outcome()), event], SETTINGS)

    assert (line.check, line.level) == (check, Level.WARN)
    assert "1 of" in line.text
    assert line.mend


def test_the_confluent_wire_format_is_left_to_the_registry() -> None:
    (line,) = judge(Topic.OUTCOMES, [sampled(b"taxi/fare", b"\x00\x00\x00\x00\x07abc")], SETTINGS)

    assert line.level is Level.OK


@pytest.fixture
def answer() -> Iterator[tuple[list[bytes], Settings]]:
    """A listener that answers one request with whatever the test puts into the list."""
    answers: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answers[0])

        thread = threading.Thread(target=serve)
        thread.start()
        yield answers, Settings(bootstrap=f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_the_release_is_told_from_what_the_broker_speaks(answer: tuple[list[bytes], Settings]) -> None:
    answers, settings = answer
    body = struct.pack(">ihi", 1, 0, 2) + struct.pack(">hhh", 1, 4, 17) + struct.pack(">hhh", 22, 0, 5)
    answers.append(struct.pack(">i", len(body)) + body)

    versions = api_versions.ask(settings)

    assert api_versions.release(versions) == "3.9"
    assert api_versions.recovers_transactions(versions)


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n", struct.pack(">iihi", 10, 1, 0, 9000), b"\x00"])
def test_what_is_no_kafka_is_told_apart(answer: tuple[list[bytes], Settings], said: bytes) -> None:
    answers, settings = answer
    answers.append(said)

    with pytest.raises((ValueError, OSError)):
        api_versions.ask(settings)


def test_an_old_broker_is_known_as_such() -> None:
    assert api_versions.release({1: 8}) == "older than 2.3"
    assert not api_versions.recovers_transactions({22: 1})
