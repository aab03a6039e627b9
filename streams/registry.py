"""The Schema Registry, which only events in the Confluent wire format need."""

import json

from schemas.codec import SchemaById
from schemas.shape import AvroSchema
from streams.settings import Settings

NOT_FOUND = 40403


def schema_by_id(settings: Settings) -> SchemaById | None:
    """A look-up of writers' schemas, cached by the client; None where no registry is configured."""
    if settings.schema_registry_url is None:
        return None
    # loaded only where a registry is used: it takes as long as all the rest of an agent
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.error import SchemaRegistryError

    config = {"url": settings.schema_registry_url}
    if settings.schema_registry_auth is not None:
        config["basic.auth.user.info"] = settings.schema_registry_auth.get_secret_value()
    client = SchemaRegistryClient(config)

    def look_up(schema_id: int) -> AvroSchema:
        try:
            schema: AvroSchema = json.loads(client.get_schema(schema_id).schema_str or "null")
        except SchemaRegistryError as error:
            if error.error_code == NOT_FOUND:
                raise LookupError(schema_id) from error
            raise
        return schema

    return look_up
