"""One partition count for all topics, and what is said where it differs."""

from collections.abc import Mapping

import pytest

from streams.admin import WrongPartitions, refuse_other_counts, unreachable
from streams.settings import Settings
from streams.topics import Topic

SETTINGS = Settings(bootstrap="kafka:9092", partitions=12)


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
