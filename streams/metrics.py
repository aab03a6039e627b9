"""Every metric Headwater exposes: one table, one cap on label sets, nothing that identifies a row or a person."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.task.reaction import Reaction

MOST_SERIES = 2_000
OVERFLOW = "overflow"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Labels: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric as it stands in the README; ``kind`` is counter, gauge or histogram."""

    name: str
    kind: str
    labels: Labels
    help: str


DATASET = ("pipeline", "dataset")
COLUMN = ("pipeline", "dataset", "column")
MODEL = ("pipeline", "model")
VIEW = ("pipeline", "feature_view")
STAGE = ("pipeline", "stage")
RECENT = "Accuracy of the last 5,000 predictions, estimated where outcomes are missing."
REFUSED = "Links that would close a cycle, nodes and findings beyond the bounds, so far."
UNJOINED = "Outcomes and predictions that were never joined or judged so far."

DEFINITIONS = (
    Definition("headwater_build_info", "gauge", ("version",), "Always 1; the version is a label."),
    Definition("headwater_events_total", "counter", ("topic", "result"), "Events read, by what became of them."),
    Definition("headwater_rows_total", "counter", ("topic",), "Rows the events held."),
    Definition("headwater_event_processing_seconds", "histogram", ("agent",), "Time one chunk of events took."),
    Definition("headwater_last_event_timestamp_seconds", "gauge", ("topic",), "Arrival of the newest event read."),
    Definition("headwater_consumer_lag_events", "gauge", ("topic", "partition"), "Events not yet applied."),
    Definition("headwater_dead_letters_total", "counter", ("topic", "reason"), "Events that could not be read."),
    Definition("headwater_alerts_opened_total", "counter", ("pipeline", "severity"), "Alerts opened."),
    Definition("headwater_alerts_firing", "gauge", ("pipeline", "severity"), "Alerts firing now."),
    Definition("headwater_lineage_refused", "gauge", ("pipeline", "what"), REFUSED),
    Definition("headwater_findings_total", "counter", ("statistic",), "Findings that began."),
    Definition("headwater_false_alarms_budget_per_month", "gauge", (), "False alarms accepted over everything."),
    Definition("headwater_monitored_statistics", "gauge", (), "Statistics that share the budget, of all workers."),
    Definition("headwater_alarms_per_month", "gauge", (), "Alarms in 30 days of event time, of all workers."),
    Definition("headwater_dataset_rows", "gauge", DATASET, "Rows of the last batch."),
    Definition("headwater_dataset_last_batch_timestamp_seconds", "gauge", DATASET, "Event time of the last batch."),
    Definition("headwater_dataset_missing_ratio", "gauge", COLUMN, "Missing share of the column's last batch."),
    Definition("headwater_dataset_drift_evidence_nats", "gauge", COLUMN, "Strongest evidence of change in the column."),
    Definition("headwater_dataset_drift_psi", "gauge", COLUMN, "Population stability index against the baseline."),
    Definition("headwater_model_calibration_error_ratio", "gauge", MODEL, "Debiased expected calibration error."),
    Definition("headwater_model_brier_score", "gauge", MODEL, "Brier score of matured outcomes."),
    Definition("headwater_model_log_loss", "gauge", MODEL, "Logarithmic loss of matured outcomes, in nats."),
    Definition("headwater_model_roc_auc_ratio", "gauge", MODEL, "Area under the ROC curve of matured outcomes."),
    Definition("headwater_model_mean_absolute_error", "gauge", MODEL, "Of a regression, in its own unit."),
    Definition("headwater_model_root_mean_squared_error", "gauge", MODEL, "Of a regression, in its own unit."),
    Definition("headwater_model_interval_coverage_ratio", "gauge", MODEL, "Outcomes inside their prediction interval."),
    Definition("headwater_model_calibration_evidence_nats", "gauge", MODEL, "Evidence that calibration changed."),
    Definition("headwater_model_estimated_accuracy_ratio", "gauge", MODEL, "Accuracy estimated without outcomes."),
    Definition("headwater_model_estimate_valid", "gauge", MODEL, "1 while calibration holds, on which estimates rest."),
    Definition("headwater_model_estimated_accuracy_error_ratio", "gauge", MODEL, "Estimated less observed accuracy."),
    Definition("headwater_model_recent_accuracy_ratio", "gauge", MODEL, RECENT),
    Definition("headwater_model_recent_accuracy_lower_ratio", "gauge", MODEL, "Lower end of its 95 % interval."),
    Definition("headwater_model_recent_accuracy_upper_ratio", "gauge", MODEL, "Upper end of its 95 % interval."),
    Definition("headwater_model_recent_roc_auc_ratio", "gauge", MODEL, "Area under the ROC curve, likewise."),
    Definition("headwater_model_outcomes_pending", "gauge", MODEL, "Predictions that wait for their outcome."),
    Definition("headwater_model_outcome_delay_seconds", "gauge", MODEL, "Delay within which 99.8 % of outcomes come."),
    Definition("headwater_model_outcomes_unjoined", "gauge", (*MODEL, "reason"), UNJOINED),
    Definition("headwater_model_latency_seconds", "gauge", MODEL, "Mean latency of a window's scoring calls."),
    Definition("headwater_model_error_ratio", "gauge", MODEL, "Share of a window's scoring calls that failed."),
    Definition("headwater_feature_age_seconds", "gauge", VIEW, "Age of the features at prediction time."),
    Definition("headwater_feature_reads_total", "counter", (*VIEW, "result"), "Feature store reads: hit or miss."),
    Definition("headwater_feature_read_latency_seconds", "gauge", VIEW, "Mean feature store latency of a window."),
    Definition("headwater_stage_duration_seconds", "gauge", STAGE, "Duration of the stage's last run."),
    Definition("headwater_stage_runs_total", "counter", (*STAGE, "status"), "Runs seen, by their status."),
    Definition("headwater_notify_failures_total", "counter", (), "Posts to Alertmanager that failed."),
    Definition("headwater_degraded", "gauge", ("dependency",), "1 while something we depend on is away."),
    Definition("headwater_state_bytes", "gauge", ("agent",), "State written at the last snapshots."),
    Definition("headwater_agent_restarts_total", "counter", ("agent",), "Times the supervisor restarted an agent."),
    Definition("headwater_metric_series_dropped_total", "counter", ("metric",), "Updates of series beyond the cap."),
)


class Metrics:
    """The metrics of one process, in a registry that is handed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._kinds = {one.name: one.kind for one in DEFINITIONS}
        self._families: dict[str, Any] = {one.name: _family(one, registry) for one in DEFINITIONS}
        self._seen: dict[str, set[Labels]] = {one.name: set() for one in DEFINITIONS}
        self._owned: dict[tuple[str, int], set[tuple[str, Labels]]] = {}

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """Add to a counter; beyond the cap to its ``overflow`` series, so that totals stay right."""
        self._child(name, labels if self._admit(name, labels) else (OVERFLOW,) * len(labels)).inc(by)

    def gauge(self, name: str, *labels: str, value: float) -> None:
        """Set a gauge; beyond the cap it is dropped and counted."""
        if self._admit(name, labels):
            self._child(name, labels).set(value)

    def observe(self, name: str, *labels: str, value: float) -> None:
        """Add an observation to a histogram."""
        if self._admit(name, labels):
            self._child(name, labels).observe(value)

    def apply(self, reaction: Reaction, owner: tuple[str, int] = ("", 0)) -> None:
        """Count what a reaction held, once it has become visible; its gauges belong to ``owner`` (agent, partition)."""
        for (name, labels), amount in reaction.counts.items():
            self.count(name, *labels, by=amount)
        owned = self._owned.setdefault(owner, set())
        for (name, labels), value in reaction.gauges.items():
            self.gauge(name, *labels, value=value)
            owned.add((name, labels))

    def release(self, owner: tuple[str, int]) -> None:
        """The partition has moved away: its subjects' gauges vanish."""
        for name, labels in self._owned.pop(owner, ()):
            if labels in self._seen[name]:
                self._seen[name].discard(labels)
                self._families[name].remove(*labels)

    def _admit(self, name: str, labels: Labels) -> bool:
        seen = self._seen[name]
        if labels in seen:
            return True
        if len(seen) >= MOST_SERIES:
            self._families["headwater_metric_series_dropped_total"].labels(name).inc()
            return False
        seen.add(labels)
        return True

    def _child(self, name: str, labels: Labels) -> Any:
        family = self._families[name]
        return family.labels(*labels) if labels else family


def _family(one: Definition, registry: CollectorRegistry) -> Any:
    if one.kind == "counter":
        return Counter(one.name, one.help, one.labels, registry=registry)
    if one.kind == "gauge":
        return Gauge(one.name, one.help, one.labels, registry=registry)
    return Histogram(one.name, one.help, one.labels, buckets=SECONDS, registry=registry)
