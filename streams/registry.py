"""The Schema Registry, which only events in the Confluent wire format need."""

import json
import logging
import time

from schemas.codec import SchemaById
from schemas.shape import AvroSchema
from streams.metrics import Metrics
from streams.settings import Settings

NOT_FOUND = 404
RETRY_S = 1.0
TIMEOUT_S = 5.0

logger = logging.getLogger(__name__)


def schema_by_id(settings: Settings, metrics: Metrics) -> SchemaById | None:
    """A look-up of writers' schemas, cached by the client; None where no registry is configured.

    While the registry is away it waits: an event is not unreadable because a third party is.
    """
    if settings.schema_registry_url is None:
        return None
    # loaded only where a registry is used: it takes as long as all the rest of an agent
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.error import SchemaRegistryError

    config: dict[str, str | float] = {"url": settings.schema_registry_url, "timeout": TIMEOUT_S, "max.retries": 0}
    if settings.schema_registry_auth is not None:
        config["basic.auth.user.info"] = settings.schema_registry_auth.get_secret_value()
    client = SchemaRegistryClient(config)

    def look_up(schema_id: int) -> AvroSchema:
        while True:
            try:
                schema: AvroSchema = json.loads(client.get_schema(schema_id).schema_str or "null")
            except Exception as error:  # the client lets through whatever its HTTP library raises
                if isinstance(error, SchemaRegistryError) and error.http_status_code == NOT_FOUND:
                    raise LookupError(schema_id) from error
                logger.warning("the schema registry is away, events that need schema %d wait: %s", schema_id, error)
                metrics.gauge("headwater_degraded", "schema_registry", value=1)
                time.sleep(RETRY_S)
            else:
                metrics.gauge("headwater_degraded", "schema_registry", value=0)
                return schema

    return look_up
