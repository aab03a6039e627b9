"""Every setting of Headwater in one class: ``HEADWATER_*`` environment variables or a ``.env`` file, units in names."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.mendable import Mendable


class AlertsFormat(StrEnum):
    """How alerts are written to their topic."""

    AVRO = "avro"
    JSON = "json"


class SecondDetector(StrEnum):
    """A detector that may run beside ours on standardised statistics, and then shares the budget."""

    NONE = "none"
    PAGE_HINKLEY = "page_hinkley"
    ADWIN = "adwin"


Positive = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """Everything has a working default; a secret never appears in a log, an error or ``doctor``."""

    model_config = SettingsConfigDict(env_prefix="HEADWATER_", env_file=".env", extra="ignore", frozen=True)

    bootstrap: str | None = Field(
        None, description="Kafka brokers, `host:port,…`; without it only embedded commands run"
    )
    environment: str = Field("production", description="written into every alert; part of its id", min_length=1)
    topic_prefix: str = Field("headwater.", description="before every topic's name", pattern=r"^[a-zA-Z0-9._-]*$")
    partitions: int = Field(
        12, description="of every topic we create; fixed for ever by the first start", ge=1, le=1000
    )
    replication_factor: int = Field(-1, description="of every topic we create; -1 is the broker's default", ge=-1)

    kafka_security_protocol: str = Field("PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
    kafka_sasl_mechanism: str | None = Field(None, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    kafka_sasl_username: str | None = Field(None, description="who we are to the brokers")
    kafka_sasl_password: SecretStr | None = Field(None, description="and how we prove it")
    kafka_ca_file: Path | None = Field(None, description="certificate authority of the brokers, PEM")

    redis_url: SecretStr | None = Field(
        None, description="the index behind trace and explain; without it there is none"
    )
    index_retention_days: Positive = Field(30.0, description="how long the index keeps batches and predictions")
    schema_registry_url: str | None = Field(None, description="needed only to read the Confluent wire format")
    schema_registry_auth: SecretStr | None = Field(None, description="`user:password` of the registry")

    alerts_format: AlertsFormat = Field(AlertsFormat.AVRO, description="how alerts are written: avro or json")
    alertmanager_url: str | None = Field(None, description="alerts are posted to its API v2 when set")
    notify_after_s: Positive = Field(60.0, description="people are told of an undiagnosed alert after this long")
    notify_repeat_s: Positive = Field(60.0, description="a firing alert is posted again after this long")
    runbook_url: str | None = Field(None, description="template, `{kind}` `{pipeline}` `{component}` are filled in")
    console_url: str | None = Field(None, description="template, `{alert_id}` is filled in")
    dashboard_url: str | None = Field(None, description="template, `{pipeline}` is filled in")

    metrics_host: str = Field("127.0.0.1", description="where /metrics, /healthz and /readyz listen")
    metrics_port: int = Field(9187, description="0 takes any free port", ge=0, le=65535)

    false_alarms_per_month: Positive = Field(1.0, description="accepted over everything that is watched")
    tolerance: float = Field(0.05, description="shifts below this many standard deviations never alarm", ge=0)
    pool_rows: int = Field(500, description="smaller batches are judged together until they have as many rows", ge=1)
    pool_s: Positive = Field(900.0, description="or until they span as much event time")
    window_rows: int = Field(500, description="predictions judged together", ge=1)
    window_s: Positive = Field(900.0, description="or as much event time of them")
    pending_bytes: int = Field(16_000_000, description="for predictions of one model that wait for outcomes", ge=65536)
    pending_days: Positive = Field(60.0, description="a prediction without an outcome is given up after this long")
    second_detector: SecondDetector = Field(
        SecondDetector.NONE, description="beside ours, on half the budget: none, page_hinkley or adwin"
    )

    settle_s: Positive = Field(60.0, description="an alert is called diagnosed at the latest after this long")
    resolve_batches: int = Field(3, description="healthy batches in a row before an alert is resolved", ge=1)

    max_event_bytes: int = Field(16_000_000, description="a larger event is a dead letter", ge=1024)
    transaction_interval_ms: int = Field(100, description="how long a transaction gathers", ge=1, le=5000)
    buffer_bytes: int = Field(64_000_000, description="fetched and not yet folded, per worker process", ge=1_000_000)
    hash_salt: SecretStr = Field(SecretStr("headwater"), description="keys the hashes of sensitive columns")

    worker_id: str | None = Field(
        None, description="a stable name of this worker, unlike any other's: lets a restart rejoin at once"
    )
    data_dir: Path | None = Field(
        None, description="where `worker --embedded` keeps its Kafka; a fresh folder if unset"
    )
    cache_dir: Path | None = Field(None, description="downloaded jars; the user's cache folder if unset")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")

    @field_validator("bootstrap", "schema_registry_url", "alertmanager_url", "kafka_sasl_mechanism", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings that differ from their defaults, as environment variables for a process of ours."""
    given = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        given[f"HEADWATER_{name.upper()}"] = "" if plain is None else str(plain)
    return given


class MissingBroker(Mendable, ValueError):
    """No broker is configured where one is needed."""

    def __init__(self) -> None:
        super().__init__(
            "no Kafka is configured: pass --bootstrap host:port or set HEADWATER_BOOTSTRAP "
            "(or let Headwater bring its own: `headwater worker --embedded`, `headwater demo`)"
        )
