"""The split of the one number over all tasks, as one worker knows it."""

import pytest
from prometheus_client import CollectorRegistry

from streams.detect.budget import Budget, Share
from streams.metrics import Metrics


def budget(*news: dict[int, Share]) -> Budget:
    told = iter(news)
    return Budget(Metrics(CollectorRegistry()), lambda: next(told, {}))


@pytest.mark.parametrize(("statistics", "monitored"), [(0, 1), (1, 1), (2, 2), (3, 4), (64, 64), (65, 128)])
def test_the_total_is_rounded_up_to_a_power_of_two(statistics: int, monitored: int) -> None:
    one = budget()
    one.report(0, Share(statistics=statistics))
    assert one.monitored == monitored


def test_the_tasks_of_other_workers_count_as_they_last_told() -> None:
    one = budget({1: Share(statistics=60)}, {1: Share(statistics=7), 2: Share(statistics=5)})
    one.report(0, Share(statistics=4))
    one.listen()
    assert one.monitored == 64
    one.listen()
    assert one.monitored == 16


def test_of_a_task_here_the_live_count_stands_not_what_it_told() -> None:
    one = budget({0: Share(statistics=500)})
    one.report(0, Share(statistics=4))
    one.listen()
    assert one.monitored == 4


def test_a_partition_that_nobody_serves_counts_as_it_last_told() -> None:
    one = budget({0: Share(statistics=500)})
    one.report(0, Share(statistics=501))
    one.listen()
    one.withdraw(0)
    assert one.monitored == 512


def test_the_metrics_show_the_exact_totals() -> None:
    registry = CollectorRegistry()
    one = Budget(Metrics(registry), lambda: {1: Share(statistics=60, alarms=2)})
    one.report(0, Share(statistics=7, alarms=1))
    one.listen()
    assert registry.get_sample_value("headwater_monitored_statistics") == 67
    assert registry.get_sample_value("headwater_alarms_per_month") == 3
