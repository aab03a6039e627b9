"""An alert with everything in it, as the diagnosis of a deploy that broke a column would publish it."""

import pytest

from detectors.finding import Finding
from diagnosis.alert import (
    Alert,
    Cause,
    CauseKind,
    Context,
    Contribution,
    Grounding,
    Hop,
    Impact,
    Interval,
    LastGood,
    Links,
    Match,
    Onset,
    Rejected,
    Rejection,
    Severity,
    StageOfDiagnosis,
    Status,
    Verdict,
)

MINUTE = 60_000_000
TEN = 1_795_428_000_000_000  # 2026-11-23 10:00:00 UTC


def finding(subject: str, statistic: str, column: str | None, sentence: str, evidence: float) -> Finding:
    return Finding(
        subject=subject,
        statistic=statistic,
        column=column,
        evidence_nats=evidence,
        alarm_batch_id="cleaned-0412",
        alarm_at=TEN + 6 * MINUTE,
        onset_earliest=TEN + MINUTE,
        onset_latest=TEN + 3 * MINUTE,
        sentence=sentence,
    )


def hop(dataset: str, stage: str, verdict: Verdict, match: Match = Match.EXACT) -> Hop:
    return Hop(pipeline="taxi", dataset=dataset, stage=stage, batch_id=f"{dataset}-0412", match=match, verdict=verdict)


@pytest.fixture
def broken_deploy() -> Alert:
    return Alert(
        alert_id="3f2a9c41d07be855",
        revision=3,
        status=Status.FIRING,
        stage_of_diagnosis=StageOfDiagnosis.DIAGNOSED,
        environment="production",
        pipeline="taxi",
        severity=Severity.CRITICAL,
        kind=CauseKind.CODE_CHANGE,
        title="Code v42 of clean multiplies distance by 1,000",
        summary="Since 10:01 the mean of distance in cleaned is 3,204 instead of 3.2.",
        next_steps=("Roll clean back from v42 to v41.", "Then run it again for the batches from cleaned-0412 on."),
        onset=Onset(earliest=TEN + MINUTE, latest=TEN + 3 * MINUTE, batch_id="cleaned-0412"),
        last_good=LastGood(batch_id="cleaned-0411", at=TEN),
        detected_at=TEN + 6 * MINUTE,
        cause=Cause(
            kind=CauseKind.CODE_CHANGE,
            component="clean",
            column="distance",
            before="v41",
            after="v42",
            confidence=0.93,
            grounding=Grounding.PATH_AND_MECHANISM,
            evidence=("the code version changed from v41 to v42 in cleaned-0412, the first bad batch",),
        ),
        cause_key="taxi/clean/CODE_CHANGE",
        suspects=(Cause(kind=CauseKind.SOURCE_DATA, component="rides", column="distance", confidence=0.04),),
        rejected=(
            Rejected(
                kind=CauseKind.MODEL_CHANGE,
                component="fare",
                change_id="m8",
                reason=Rejection.AFTER_ONSET,
                detail="7 min later",
            ),
        ),
        path=(
            hop("rides", "ingest", Verdict.HEALTHY),
            hop("cleaned", "clean", Verdict.INTRODUCED),
            hop("features", "features", Verdict.INHERITED, Match.PARTITION),
            hop("fare", "model", Verdict.INHERITED),
        ),
        symptoms=(
            finding("taxi/cleaned", "location", "distance", "mean of distance rose from 3.2 to 3,204", 54.0),
            finding("taxi/fare", "score_location", None, "mean score rose from 14.20 to 31.90", 33.0),
        ),
        context=Context(source="postgres://rides", code_version="v42", run_id="run-1001", toggles={"new_units": "on"}),
        impact=Impact(
            models=("fare",),
            predictions_affected=12480,
            share_of_predictions=0.31,
            first_prediction_id="p-2f81",
            match=Match.EXACT,
            performance_change=-0.041,
            interval=Interval(lower=-0.06, upper=-0.02),
            attribution=(Contribution(column="distance", share=0.81), Contribution(column="hour", share=-0.1)),
        ),
        owner="data-platform",
        runbook_url="https://wiki/runbooks/units",
        links=Links(dashboard="https://grafana/taxi"),
    )
