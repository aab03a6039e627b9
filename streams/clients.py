"""How we speak to Kafka: one place that turns settings into librdkafka's configuration."""

from typing import Any

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from streams.settings import MissingBroker, Settings


def connection(settings: Settings) -> dict[str, Any]:
    """The configuration every librdkafka client shares.

    Raises:
        MissingBroker: no bootstrap is configured.
    """
    if settings.bootstrap is None:
        raise MissingBroker
    config: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": settings.kafka_security_protocol,
        "log_level": 0,  # what goes wrong comes back as an error, not as noise on stderr
    }
    if settings.kafka_sasl_mechanism:
        config["sasl.mechanism"] = settings.kafka_sasl_mechanism
        config["sasl.username"] = settings.kafka_sasl_username or ""
        config["sasl.password"] = (
            settings.kafka_sasl_password.get_secret_value() if settings.kafka_sasl_password else ""
        )
    if settings.kafka_ca_file:
        config["ssl.ca.location"] = str(settings.kafka_ca_file)
    return config


def producer(settings: Settings, **overrides: Any) -> Producer:
    """An idempotent producer that places keys as Java does, so that nothing of ours takes the inbox detour."""
    return Producer(
        connection(settings)
        | {
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "linger.ms": 5,
            "compression.type": "lz4",
            "message.max.bytes": settings.max_event_bytes,
        }
        | overrides
    )


def consumer(settings: Settings, group: str, **overrides: Any) -> Consumer:
    """A consumer that sees only what is committed and commits nothing by itself."""
    return Consumer(
        connection(settings)
        | {
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
        | overrides
    )


def admin(settings: Settings) -> AdminClient:
    """An admin client."""
    return AdminClient(connection(settings))
