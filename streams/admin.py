"""The topics on the broker: created with one partition count for all, recorded by the ``state`` topic itself."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic  # type: ignore[attr-defined]  # public there, says its manual

from streams.clients import connection
from streams.mendable import Mendable
from streams.settings import Settings
from streams.topics import EVENT_TOPICS, KEPT, Topic

REQUEST_TIMEOUT_S = 15.0
PROPAGATION_TIMEOUT_S = 10.0
PROPAGATION_POLL_S = 0.1
CONNECT_TIMEOUT_S = 5.0

_DENIED = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
_ABSENT = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)
_OURS_ALONE = ("cleanup.policy", "retention.ms", "retention.bytes")


class BrokerUnreachable(Mendable, ConnectionError):
    """No broker answered: wrong address, wrong protocol, refused credentials, or it is down."""


class NotAllowed(Mendable, PermissionError):
    """The broker refuses what we asked for; the message names the ACL that is missing."""


class WrongPartitions(Mendable, ValueError):
    """A topic's partition count is not N; the message says how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsReport:
    """What is on the broker: full topic names; ``partitions`` is N, the count that all of them have.

    missing: only of ``check_topics``. kept_otherwise: sentences about our own topics whose configuration would lose
    what we need.
    """

    partitions: int
    created: tuple[str, ...] = ()
    existing: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    kept_otherwise: tuple[str, ...] = ()


def create_topics(settings: Settings) -> TopicsReport:
    """Create every topic that is missing, ``state`` first: its partition count is the record of N. Idempotent.

    Raises:
        MissingBroker: no bootstrap is configured.
        BrokerUnreachable: no broker answered within 5 s.
        NotAllowed: the broker's ACLs forbid it.
        WrongPartitions: N or a topic that exists already differs from ``settings.partitions``.
    """
    with Broker(settings) as broker:
        found = broker.partition_counts(Topic)
        refuse_other_counts(found, settings)
        missing = [topic for topic in (Topic.STATE, *Topic) if topic not in found]
        created = [topic for topic in dict.fromkeys(missing) if broker.create(topic)]
        refuse_other_counts(broker.await_topics(), settings)
    return TopicsReport(
        partitions=settings.partitions,
        created=tuple(name_of(topic, settings) for topic in created),
        existing=tuple(name_of(topic, settings) for topic in Topic if topic not in created),
    )


def check_topics(settings: Settings) -> TopicsReport:
    """What ``create_topics`` would find, without creating anything.

    Raises:
        MissingBroker, BrokerUnreachable, NotAllowed, WrongPartitions: as ``create_topics``.
    """
    with Broker(settings) as broker:
        found = broker.partition_counts(Topic)
        refuse_other_counts(found, settings)
        kept_otherwise = broker.kept_otherwise([topic for topic in found if topic not in EVENT_TOPICS])
    return TopicsReport(
        partitions=settings.partitions,
        existing=tuple(name_of(topic, settings) for topic in Topic if topic in found),
        missing=tuple(name_of(topic, settings) for topic in Topic if topic not in found),
        kept_otherwise=tuple(kept_otherwise),
    )


def name_of(topic: Topic, settings: Settings) -> str:
    """The topic's full name."""
    return f"{settings.topic_prefix}{topic}"


def refuse_other_counts(found: Mapping[Topic, int], settings: Settings) -> None:
    """Every topic must have the partition count that ``state`` records and the settings name.

    Raises:
        WrongPartitions: the first difference, with what to do about it.
    """
    wanted, recorded = settings.partitions, found.get(Topic.STATE)
    if recorded is not None and recorded != wanted:
        raise WrongPartitions(
            f"{name_of(Topic.STATE, settings)} records {recorded} partitions, the settings say {wanted}; the number "
            f"is fixed by the first start: set HEADWATER_PARTITIONS={recorded}, or start afresh under another "
            "HEADWATER_TOPIC_PREFIX"
        )
    others = {topic: count for topic, count in found.items() if count != wanted}
    if others:
        raise WrongPartitions(_other_counts(others, recorded is not None, wanted, settings))


def _other_counts(others: Mapping[Topic, int], recorded: bool, wanted: int, settings: Settings) -> str:
    topic, count = next(iter(others.items()))
    name = name_of(topic, settings)
    problem = f"{name} has {count} partitions, every topic must have {wanted}"
    counts = set(others.values())
    if not recorded and len(counts) == 1 and set(others) <= set(EVENT_TOPICS):
        return f"{problem}; nothing is recorded yet, so you may set HEADWATER_PARTITIONS={count} instead"
    if topic in EVENT_TOPICS and count < wanted:
        return f"{problem}: kafka-topics --bootstrap-server … --alter --topic {name} --partitions {wanted}"
    if topic in EVENT_TOPICS:
        return (
            f"{problem}, and Kafka cannot take partitions away: let producers write to a topic of {wanted} partitions "
            "(delete this one and run `headwater topics create`, or use another HEADWATER_TOPIC_PREFIX)"
        )
    return (
        f"{problem}; it is Headwater's own and was made by something else: delete it "
        f"(kafka-topics --bootstrap-server … --delete --topic {name}) and run `headwater topics create`"
    )


class Broker:
    """Requests to the broker, with its refusals translated into errors that say what to do."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is asked yet.

        Raises:
            MissingBroker: no bootstrap is configured.
            BrokerUnreachable: the settings are such that no client can be made of them.
        """
        self._settings = settings
        self._errors: list[str] = []
        quiet = {"log_level": 0, "reconnect.backoff.ms": 500, "error_cb": self._note}
        config = connection(settings) | quiet
        try:
            self._client = AdminClient(config)
        except KafkaException as error:
            reason = error.args[0].str().removeprefix("Failed to create admin client: ")
            raise BrokerUnreachable(
                f"no client can be made for {settings.bootstrap}: {reason} (see the settings HEADWATER_KAFKA_…)"
            ) from error

    def _note(self, error: KafkaError) -> None:
        self._errors.append(error.str())

    def __enter__(self) -> "Broker":
        """Make sure that somebody answers, before anything is asked that would take long to give up."""
        self._answer(self._client.describe_cluster(request_timeout=CONNECT_TIMEOUT_S), "DESCRIBE on the cluster")
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.poll(0)

    def partition_counts(self, topics: Iterable[Topic]) -> dict[Topic, int]:
        """How many partitions each of ``topics`` has; those that do not exist are left out."""
        by_name = {name_of(topic, self._settings): topic for topic in topics}
        futures = self._client.describe_topics(TopicCollection(list(by_name)), request_timeout=REQUEST_TIMEOUT_S)
        counts: dict[Topic, int] = {}
        for name, future in futures.items():
            description = self._unless_absent(future, f"DESCRIBE on topic {name}")
            if description is not None:
                counts[by_name[name]] = len(description.partitions)
        return counts

    def await_topics(self) -> dict[Topic, int]:
        """The partition counts of all topics, once the broker we ask knows them all (or after 15 s those it knows)."""
        deadline = time.monotonic() + REQUEST_TIMEOUT_S
        while True:
            found = self.partition_counts(Topic)
            if len(found) == len(Topic) or time.monotonic() > deadline:
                return found
            time.sleep(PROPAGATION_POLL_S)

    def operations(self, names: Sequence[str]) -> dict[str, set[str]]:
        """What we may do with topics, by their full names: ``READ``, ``WRITE``, …"""
        if not names:
            return {}
        futures = self._client.describe_topics(
            TopicCollection(list(names)), include_authorized_operations=True, request_timeout=REQUEST_TIMEOUT_S
        )
        found = {name: self._answer(future, f"DESCRIBE on topic {name}") for name, future in futures.items()}
        return {name: {each.name for each in topic.authorized_operations or ()} for name, topic in found.items()}

    def create(self, topic: Topic) -> bool:
        """Create one topic; whether it was us who did (somebody else may have been quicker)."""
        settings, name = self._settings, name_of(topic, self._settings)
        new = NewTopic(
            name,
            num_partitions=settings.partitions,
            replication_factor=settings.replication_factor,
            config=KEPT[topic].config(),
        )
        future = self._client.create_topics(
            [new], request_timeout=REQUEST_TIMEOUT_S, operation_timeout=PROPAGATION_TIMEOUT_S
        )[name]
        try:
            self._answer(future, f"CREATE on topic {name} (or on the cluster)")
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            raise
        return True

    def kept_otherwise(self, topics: Iterable[Topic]) -> list[str]:
        """Sentences about topics whose stored configuration differs from ours where it matters."""
        names = {name_of(topic, self._settings): topic for topic in topics}
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
        if not resources:
            return []
        futures = self._client.describe_configs(resources, request_timeout=REQUEST_TIMEOUT_S)
        sentences = []
        for resource, future in futures.items():
            found = self._answer(future, f"DESCRIBE_CONFIGS on topic {resource.name}")
            sentences += _differences(resource.name, names[resource.name], found)
        return sentences

    def _unless_absent(self, future: "Future[Any]", right: str) -> Any | None:
        try:
            return self._answer(future, right)
        except KafkaException as error:
            if error.args[0].code() in _ABSENT:
                return None
            raise

    def _answer(self, future: "Future[Any]", right: str) -> Any:
        try:
            return future.result(REQUEST_TIMEOUT_S + 5)
        except KafkaException as error:
            raise self._translated(error, right) from error

    def _translated(self, error: KafkaException, right: str) -> Exception:
        code = error.args[0].code()
        if code in _DENIED:
            who = self._settings.kafka_sasl_username or "this client"
            return NotAllowed(f"the broker does not let {who} do this: it needs the ACL {right}")
        if code in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN):
            self._client.poll(0)
            return unreachable(self._settings, self._errors)
        return error


def unreachable(settings: Settings, errors: Iterable[str]) -> BrokerUnreachable:
    """The error for a broker that does not answer, with the first of librdkafka's complaints that explains it."""
    reason = next((text for text in errors if "brokers are down" not in text), "no answer within 5 s")
    reason = re.sub(r"^\S+/bootstrap: | \(after .*\)$", "", reason)
    return BrokerUnreachable(f"no Kafka answers at {settings.bootstrap} ({settings.kafka_security_protocol}): {reason}")


def _differences(name: str, topic: Topic, found: Mapping[str, Any]) -> list[str]:
    wanted = KEPT[topic].config()
    keys = _OURS_ALONE if topic in (Topic.STATE, Topic.JOURNAL, Topic.INBOX, Topic.BUDGET) else ("cleanup.policy",)
    sentences = []
    for key in keys:
        with suppress(KeyError):
            if found[key].value != wanted[key]:
                sentences.append(f"{name}: {key} is {found[key].value}, it must be {wanted[key]}")
    return sentences
