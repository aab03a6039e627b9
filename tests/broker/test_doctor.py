"""The doctor on real services: what is wrong is found and named, and what is right is left in peace."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AclOperation, ResourceType  # type: ignore[attr-defined]  # public, says its manual

from streams.admin import check_topics, create_topics, name_of
from streams.doctor.broker import check_all_topics, check_broker, check_rights, check_transaction_and_clock
from streams.doctor.events import check_events
from streams.doctor.line import Level, Line
from streams.doctor.services import check_redis
from streams.embedded import KafkaBroker
from streams.kafka.log import read_partition
from streams.settings import Settings
from streams.topics import Topic, partition_of
from tests.broker.guarded import GUARDED, forbid
from tests.broker.installation import wait_until


@pytest.fixture
def settings(bootstrap: str, redis_url: str, topic_prefix: str) -> Settings:
    return Settings(bootstrap=bootstrap, redis_url=redis_url, topic_prefix=topic_prefix, partitions=3)


def troubles(lines: list[Line]) -> dict[str, str]:
    return {line.check: line.text for line in lines if line.level is not Level.OK}


def produce(settings: Settings, topic: Topic, *events: tuple[bytes | None, bytes, int]) -> None:
    """Key, value and partition of events, by a client that is not ours."""
    client = Producer({"bootstrap.servers": settings.bootstrap})
    for key, value, partition in events:
        client.produce(name_of(topic, settings), value, key, partition)
    client.flush(15)


def prediction(model: str, at: int) -> bytes:
    return f'{{"pipeline":"taxi","model":"{model}","scored_at":{at},"scores":[0.5]}}'.encode()


def test_a_sound_installation_is_left_in_peace(settings: Settings) -> None:
    create_topics(settings)
    existing = check_topics(settings).existing

    lines = [
        *check_broker(settings),
        *check_all_topics(settings),
        *check_rights(settings, existing),
        *check_transaction_and_clock(settings),
        *check_events(settings),
        *check_redis(settings),
    ]

    assert troubles(lines) == {}
    assert {line.check for line in lines} >= {"broker", "topics", "rights", "transactions", "clock", "redis"}


def test_the_transaction_it_tries_leaves_nothing_to_read(settings: Settings) -> None:
    create_topics(settings)

    check_transaction_and_clock(settings)

    assert list(read_partition(settings, name_of(Topic.INBOX, settings), 0)) == []


def test_the_release_of_the_broker_is_named(settings: Settings) -> None:
    (line,) = check_broker(settings)

    assert "is Kafka 4.1 or newer" in line.text


def test_missing_topics_are_named_with_the_command_that_makes_them(settings: Settings) -> None:
    (line,) = check_all_topics(settings)

    assert line.level is Level.FAIL
    assert "headwater topics create" in line.mend


def test_another_number_of_partitions_fails(settings: Settings) -> None:
    create_topics(settings)

    (line,) = check_all_topics(settings.model_copy(update={"partitions": 5}))

    assert line.level is Level.FAIL
    assert "HEADWATER_PARTITIONS=3" in line.text


def test_producers_that_place_keys_otherwise_are_told_of_the_setting(settings: Settings) -> None:
    create_topics(settings)
    now = int(time.time() * 1e6)
    elsewhere = (partition_of(b"taxi/fare", 3) + 1) % 3
    produce(settings, Topic.PREDICTIONS, (b"taxi/fare", prediction("fare", now), elsewhere))

    (line,) = (line for line in check_events(settings) if line.check == "partitioner")

    assert line.text.startswith("predictions: 1 of 1 keys")
    assert "partitioner=murmur2_random" in line.mend


def test_events_without_key_from_the_future_or_unreadable_are_named(settings: Settings) -> None:
    create_topics(settings)
    now, home = int(time.time() * 1e6), partition_of(b"taxi/fare", 3)
    produce(
        settings,
        Topic.PREDICTIONS,
        (None, prediction("fare", now), 0),
        (b"taxi/fare", prediction("fare", now + 3_600_000_000), home),
        (b"taxi/fare", b"hello", home),
        (b"taxi/fare", b"\xc3\x01" + bytes(12), home),
    )

    found = troubles(check_events(settings))

    assert found["keys"].startswith("predictions: 1 of 4")
    assert found["clock"] == "predictions: 1 of 4 are from the future, up to 3,600 s"
    assert found["events"].startswith("predictions: 2 of 4 cannot be read")


def test_dead_letters_are_counted(settings: Settings) -> None:
    create_topics(settings)
    produce(settings, Topic.DEAD_LETTERS, (b"k", b"hello", 0), (b"k", b"hello", 1))

    assert troubles(check_events(settings)) == {"dead-letters": "2 kept"}


def test_rights_that_are_missing_are_named(own_kafka: Callable[..., KafkaBroker], settings: Settings) -> None:
    guarded = settings.model_copy(update={"bootstrap": own_kafka("guarded", properties=GUARDED).bootstrap})
    create_topics(guarded)
    batches = name_of(Topic.DATA_BATCHES, guarded)
    forbid(guarded.bootstrap or "", AclOperation.READ, ResourceType.TOPIC, batches)
    forbid(guarded.bootstrap or "", AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, "*")
    wait_until(lambda: check_rights(guarded, [batches])[0].level is Level.FAIL, what="the ACL")

    (rights,) = check_rights(guarded, check_topics(guarded).existing)
    (transaction,) = check_transaction_and_clock(guarded)

    assert rights.text == f"missing: READ on topic {batches}"
    assert transaction.level is Level.FAIL
    assert "ACL WRITE and DESCRIBE on transactional ids" in transaction.mend


def test_something_else_than_kafka_at_the_address_fails(settings: Settings, redis_url: str) -> None:
    address = redis_url.removeprefix("redis://").split("/")[0]

    (line,) = check_broker(settings.model_copy(update={"bootstrap": address}))

    assert line.level is Level.FAIL
