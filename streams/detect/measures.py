"""What the detect agent counts and shows on ``/metrics``."""

from collections.abc import Mapping

from diagnosis.observation import Observation
from schemas.events import DataBatch
from streams.detect.gathering import Gathering
from streams.task.reaction import Reaction

COLUMN_GAUGES = {
    "missing_ratio": "headwater_dataset_missing_ratio",
    "evidence": "headwater_dataset_drift_evidence_nats",
    "drift_psi": "headwater_dataset_drift_psi",
}
MODEL_GAUGES = {
    "calibration_error_ratio": "headwater_model_calibration_error_ratio",
    "brier_score": "headwater_model_brier_score",
    "log_loss": "headwater_model_log_loss",
    "roc_auc": "headwater_model_roc_auc_ratio",
    "mean_absolute_error": "headwater_model_mean_absolute_error",
    "root_mean_squared_error": "headwater_model_root_mean_squared_error",
    "interval_coverage_ratio": "headwater_model_interval_coverage_ratio",
    "calibration_evidence_nats": "headwater_model_calibration_evidence_nats",
    "estimated_accuracy_ratio": "headwater_model_estimated_accuracy_ratio",
    "estimated_valid": "headwater_model_estimate_valid",
    "estimated_accuracy_error_ratio": "headwater_model_estimated_accuracy_error_ratio",
    "recent_accuracy_ratio": "headwater_model_recent_accuracy_ratio",
    "recent_accuracy_lower_ratio": "headwater_model_recent_accuracy_lower_ratio",
    "recent_accuracy_upper_ratio": "headwater_model_recent_accuracy_upper_ratio",
    "recent_roc_auc": "headwater_model_recent_roc_auc_ratio",
    "outcomes_pending": "headwater_model_outcomes_pending",
    "outcome_delay_seconds": "headwater_model_outcome_delay_seconds",
    "latency_seconds": "headwater_model_latency_seconds",
    "error_ratio": "headwater_model_error_ratio",
}
UNJOINED = {
    f"outcomes_{reason}": reason for reason in ("orphaned", "expired", "late", "duplicate", "corrected", "refused")
}
VIEW_GAUGES = {
    "feature_age_seconds": "headwater_feature_age_seconds",
    "feature_read_latency_seconds": "headwater_feature_read_latency_seconds",
}


def findings(seen: Observation, reaction: Reaction) -> None:
    """Count the findings that begin with this observation."""
    for finding in seen.findings:
        if finding.alarm_batch_id == seen.batch_id:
            reaction.count("headwater_findings_total", finding.statistic)


def batch(event: DataBatch, seen: Observation, reaction: Reaction) -> None:
    """The gauges of a dataset after a batch."""
    where = seen.pipeline, seen.name
    reaction.gauge("headwater_dataset_rows", *where, value=event.rows)
    reaction.gauge("headwater_dataset_last_batch_timestamp_seconds", *where, value=seen.at / 1e6)
    by_column(seen.gauges, where, reaction)
    run, stage = event.run, seen.stage or seen.name
    if run is not None:
        reaction.count("headwater_stage_runs_total", seen.pipeline, stage, (run.status or "unknown").lower())
        if run.started_at is not None and run.finished_at is not None:
            lasted = (run.finished_at - run.started_at) / 1e6
            reaction.gauge("headwater_stage_duration_seconds", seen.pipeline, stage, value=lasted)


def by_column(gauges: Mapping[str, float], where: tuple[str, str], reaction: Reaction) -> None:
    """Gauges named ``<what>:<column>``."""
    for name, value in gauges.items():
        what, _, column = name.partition(":")
        if column and what in COLUMN_GAUGES:
            reaction.gauge(COLUMN_GAUGES[what], *where, column, value=value)


def model(seen: Observation, reaction: Reaction) -> None:
    """The gauges of a model after a window or matured outcomes."""
    where = seen.pipeline, seen.name
    for name, value in seen.gauges.items():
        what, _, view = name.partition("/")
        if not view and what in MODEL_GAUGES:
            reaction.gauge(MODEL_GAUGES[what], *where, value=value)
        elif what in UNJOINED:
            reaction.gauge("headwater_model_outcomes_unjoined", *where, UNJOINED[what], value=value)
        elif what in VIEW_GAUGES:
            reaction.gauge(VIEW_GAUGES[what], seen.pipeline, view, value=value)
    by_column(seen.gauges, where, reaction)


def reads(gathering: Gathering, reaction: Reaction) -> None:
    """Count the feature reads of gathered predictions."""
    for event, _ in gathering.events:
        for read in event.feature_reads:
            if read.hit is not None:
                result = "hit" if read.hit else "miss"
                reaction.count("headwater_feature_reads_total", event.pipeline, read.feature_view, result)
