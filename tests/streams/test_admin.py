"""One partition count for all topics, and what is said where it differs."""

from collections.abc import Mapping
from typing import Any

import pytest

from streams.admin import Broker, BrokerUnreachable, WrongPartitions, refuse_other_counts, unreachable
from streams.settings import Settings
from streams.topics import Topic

SETTINGS = Settings(bootstrap="kafka:9092", partitions=12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kafka_security_protocol": "TLS"},
        {"kafka_security_protocol": "SASL_PLAINTEXT"},
        {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "NTLM", "kafka_sasl_password": "hush"},
        {"kafka_security_protocol": "SSL", "kafka_ca_file": "/no/such/file.pem"},
    ],
)
def test_security_settings_that_no_client_takes_are_told_in_a_sentence(wrong: Mapping[str, Any]) -> None:
    with pytest.raises(BrokerUnreachable, match="HEADWATER_KAFKA_") as told:
        Broker(Settings(bootstrap="kafka:9092", **wrong))

    assert "hush" not in str(told.value)


@pytest.mark.parametrize("found", [{}, {Topic.STATE: 12}, dict.fromkeys(Topic, 12)])
def test_equal_counts_are_accepted(found: Mapping[Topic, int]) -> None:
    refuse_other_counts(found, SETTINGS)


@pytest.mark.parametrize(
    ("found", "way"),
    [
        ({Topic.STATE: 8}, "set HEADWATER_PARTITIONS=8"),
        ({Topic.PREDICTIONS: 8, Topic.OUTCOMES: 8}, "set HEADWATER_PARTITIONS=8 instead"),
        ({Topic.PREDICTIONS: 8, Topic.OUTCOMES: 4}, "--alter --topic headwater.predictions --partitions 12"),
        ({Topic.STATE: 12, Topic.PREDICTIONS: 8}, "--alter --topic headwater.predictions --partitions 12"),
        ({Topic.STATE: 12, Topic.PREDICTIONS: 16}, "cannot take partitions away"),
        ({Topic.STATE: 12, Topic.JOURNAL: 1}, "--delete --topic headwater.journal"),
    ],
)
def test_another_count_is_refused_with_a_way_to_mend_it(found: Mapping[Topic, int], way: str) -> None:
    with pytest.raises(WrongPartitions) as raised:
        refuse_other_counts(found, SETTINGS)

    assert way in str(raised.value)


def test_the_reason_why_nobody_answers_is_the_first_that_explains() -> None:
    complaints = [
        "1/1 brokers are down",
        "kafka:9092/bootstrap: Failed to resolve 'kafka' (after 3ms in state CONNECT)",
    ]

    assert (
        str(unreachable(SETTINGS, complaints))
        == "no Kafka answers at kafka:9092 (PLAINTEXT): Failed to resolve 'kafka'"
    )
