"""Changes announced to Kafka: confirmed by a broker, or an error that says why not."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, Message

from schemas.events import Change
from streams.admin import Broker, name_of
from streams.clients import producer
from streams.ingest.encoding import Encoding
from streams.mendable import Mendable
from streams.settings import Settings
from streams.topics import Topic, key_of

ANSWER_S = 20.0


class NotAnnounced(Mendable, ConnectionError):
    """Kafka did not take a change."""


def announce(changes: Sequence[Change], settings: Settings) -> None:
    """Produce every change to the changes topic and wait until brokers have confirmed all of them.

    Raises:
        MissingBroker, BrokerUnreachable, NotAllowed: there is no Kafka to announce to.
        NotAnnounced: the topic is missing, or a broker did not confirm within 20 s.
    """
    topic = name_of(Topic.CHANGES, settings)
    with Broker(settings) as broker:
        if Topic.CHANGES not in broker.partition_counts([Topic.CHANGES]):
            raise NotAnnounced(
                f"the topic {topic} does not exist at {settings.bootstrap}: start a worker, or run "
                "`headwater topics create`"
            )
    failed: list[str] = []

    def report(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(error.str())

    client, encoding = producer(settings, **{"message.timeout.ms": int(ANSWER_S * 1000)}), Encoding()
    for change in changes:
        key = key_of(change.pipeline, change.component)
        client.produce(topic, encoding.encode(change), key, on_delivery=report)
    left = client.flush(ANSWER_S + 1)
    if failed or left:
        why = failed[0] if failed else f"no answer within {ANSWER_S:.0f} s"
        raise NotAnnounced(f"Kafka confirmed {len(changes) - len(failed) - left} of {len(changes)} changes: {why}")
