"""Topics on a real broker: one partition count for all, and a way to mend everything else."""

from collections.abc import Callable

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public there, says its manual
    AclOperation,
    AdminClient,
    NewTopic,
    ResourceType,
)

from streams.admin import BrokerUnreachable, NotAllowed, WrongPartitions, check_topics, create_topics
from streams.embedded import KafkaBroker
from streams.settings import Settings
from streams.topics import Topic
from tests.broker.guarded import GUARDED, forbid
from tests.broker.installation import wait_until


@pytest.fixture
def settings(bootstrap: str, topic_prefix: str) -> Settings:
    return Settings(bootstrap=bootstrap, topic_prefix=topic_prefix, partitions=3)


def make_topic(settings: Settings, topic: Topic, partitions: int) -> None:
    """A topic made by somebody else."""
    client = AdminClient({"bootstrap.servers": settings.bootstrap})
    name = settings.topic_prefix + topic
    for future in client.create_topics([NewTopic(name, partitions)]).values():
        future.result(15)
    wait_until(lambda: name in client.list_topics(timeout=10).topics, what=f"the topic {name}")


def test_all_topics_are_created_once(settings: Settings) -> None:
    first = create_topics(settings)
    again = create_topics(settings)

    assert len(first.created) == len(Topic)
    assert first.created[0] == f"{settings.topic_prefix}state"
    assert again.created == ()
    assert set(again.existing) == set(first.created)
    assert check_topics(settings).missing == ()
    assert check_topics(settings).kept_otherwise == ()


def test_looking_creates_nothing(settings: Settings) -> None:
    assert len(check_topics(settings).missing) == len(Topic)
    assert len(check_topics(settings).missing) == len(Topic)


def test_the_number_of_partitions_is_fixed_by_the_first_start(settings: Settings) -> None:
    create_topics(settings)

    with pytest.raises(WrongPartitions, match="set HEADWATER_PARTITIONS=3"):
        create_topics(settings.model_copy(update={"partitions": 4}))


def test_a_topic_that_a_producer_made_is_taken_as_it_is(settings: Settings) -> None:
    make_topic(settings, Topic.PREDICTIONS, 3)

    report = create_topics(settings)

    assert f"{settings.topic_prefix}predictions" in report.existing


@pytest.mark.parametrize(
    ("topic", "partitions", "way"),
    [
        (Topic.PREDICTIONS, 1, "HEADWATER_PARTITIONS=1"),
        (Topic.JOURNAL, 1, "delete it"),
    ],
)
def test_a_topic_of_another_size_is_refused_with_a_way_to_mend_it(
    settings: Settings, topic: Topic, partitions: int, way: str
) -> None:
    make_topic(settings, topic, partitions)

    with pytest.raises(WrongPartitions, match=way):
        create_topics(settings)


def test_too_few_partitions_can_be_added_once_the_number_is_recorded(settings: Settings) -> None:
    make_topic(settings, Topic.STATE, 3)
    make_topic(settings, Topic.PREDICTIONS, 1)

    with pytest.raises(WrongPartitions, match=r"--alter --topic .*predictions --partitions 3"):
        create_topics(settings)


def test_a_state_topic_that_would_forget_is_pointed_out(settings: Settings) -> None:
    make_topic(settings, Topic.STATE, 3)
    create_topics(settings)

    (sentence,) = (line for line in check_topics(settings).kept_otherwise if "cleanup.policy" in line)
    assert sentence == f"{settings.topic_prefix}state: cleanup.policy is delete, it must be compact"


def test_a_broker_without_the_right_to_create_topics_names_the_acl(
    own_kafka: Callable[..., KafkaBroker], settings: Settings
) -> None:
    guarded = settings.model_copy(update={"bootstrap": own_kafka("guarded", properties=GUARDED).bootstrap})
    forbid(guarded.bootstrap or "", AclOperation.CREATE, ResourceType.BROKER, "kafka-cluster")
    forbid(guarded.bootstrap or "", AclOperation.CREATE, ResourceType.TOPIC, "*")

    with pytest.raises(NotAllowed, match=f"CREATE on topic {settings.topic_prefix}state"):
        create_topics(guarded)


def test_nobody_at_the_address_is_said(settings: Settings) -> None:
    with pytest.raises(BrokerUnreachable, match="Connection refused"):
        create_topics(settings.model_copy(update={"bootstrap": "127.0.0.1:1"}))
