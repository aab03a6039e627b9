import pytest
from prometheus_client import CollectorRegistry, generate_latest

from streams.exposition import gather
from streams.metrics import DEFINITIONS, MOST_SERIES, Metrics
from streams.task.reaction import Reaction


def test_beyond_the_cap_counters_overflow_gauges_are_dropped_and_both_are_told() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    for number in range(MOST_SERIES + 3):
        metrics.count("headwater_events_total", "predictions", f"r{number}")
        metrics.gauge("headwater_dataset_rows", "p", f"d{number}", value=1)
    overflow = {"topic": "overflow", "result": "overflow"}
    assert registry.get_sample_value("headwater_events_total", overflow) == 3
    dropped = "headwater_metric_series_dropped_total"
    assert registry.get_sample_value(dropped, {"metric": "headwater_dataset_rows"}) == 3
    assert registry.get_sample_value("headwater_dataset_rows", {"pipeline": "p", "dataset": "d2002"}) is None


def test_a_subjects_gauges_vanish_when_its_partition_moves_away() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    reaction = Reaction()
    reaction.gauge("headwater_dataset_rows", "p", "d", value=7)
    metrics.apply(reaction, ("detect", 3))
    where = {"pipeline": "p", "dataset": "d"}
    assert registry.get_sample_value("headwater_dataset_rows", where) == 7
    metrics.release(("detect", 3))
    assert registry.get_sample_value("headwater_dataset_rows", where) is None


def test_names_end_in_their_base_unit_and_counters_in_total() -> None:
    for one in DEFINITIONS:
        assert one.name.startswith("headwater_")
        assert one.name.endswith("_total") == (one.kind == "counter"), one.name


@pytest.mark.parametrize("label", ["id", "value", "text", "error", "batch", "prediction"])
def test_no_label_can_hold_an_id_or_a_value(label: str) -> None:
    assert not any(label in one.labels for one in DEFINITIONS)


def test_gathered_counters_add_up_and_of_gauges_the_largest_stands() -> None:
    texts = []
    for amount in (2, 5):
        registry = CollectorRegistry()
        metrics = Metrics(registry)
        metrics.count("headwater_rows_total", "predictions", by=amount)
        metrics.gauge("headwater_dataset_rows", "p", "d", value=amount)
        metrics.observe("headwater_event_processing_seconds", "detect", value=amount)
        texts.append(generate_latest(registry).decode())
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in gather(texts)
        for sample in family.samples
    }
    assert samples["headwater_rows_total", "predictions"] == 7
    assert samples["headwater_dataset_rows", "d", "p"] == 5
    assert samples["headwater_event_processing_seconds_sum", "detect"] == 7
    assert samples["headwater_event_processing_seconds_count", "detect"] == 2
