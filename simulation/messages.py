"""What producers send about batches, predictions, outcomes and deploys."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from schemas.events import (
    BatchRef,
    Change,
    DataBatch,
    FeatureRead,
    Outcome,
    Prediction,
    Run,
    RunKind,
    Task,
    Window,
)
from simulation.columns import Floats, rows_of, sent_columns
from simulation.faults import Effect, Release, Toggle
from simulation.pipeline import Pipeline
from simulation.production import Made
from simulation.scoring import Call
from simulation.stages import Headers, Source, Stage


def data_batch(
    pipeline: Pipeline, stage: Source | Stage, made: Made, effects: Sequence[Effect], *, end: int, attempt: int = 1
) -> DataBatch:
    """The event a stage sends when it has finished a batch, at its first ``attempt`` or at a later one."""
    headers = released(stage.headers, stage.dataset, effects)
    parents = () if isinstance(stage, Source) else zip(stage.parents, made.parents, strict=True)
    return DataBatch(
        pipeline=pipeline.name,
        dataset=stage.dataset,
        produced_at=made.produced_at,
        rows=rows_of(made.table),
        batch_id=made.batch_id,
        stage=stage.stage,
        source=stage.system if isinstance(stage, Source) else None,
        parents=tuple(BatchRef(dataset=dataset, batch_id=batch_id) for dataset, batch_id in parents),
        run=_run(stage, made, headers, attempt),
        schema_version=headers.schema_version,
        feature_version=headers.feature_version,
        window=Window(start=end - pipeline.tick, end=end),
        join_keys=() if isinstance(stage, Source) else stage.join_keys,
        owner=pipeline.owner,
        columns=sent_columns(made.table),
    )


def _run(stage: Source | Stage, made: Made, headers: Headers, attempt: int) -> Run:
    return Run(
        run_id=f"{stage.stage}-{made.batch_id}-{attempt}",
        kind=RunKind.SCHEDULED,
        attempt=attempt,
        started_at=made.started_at,
        finished_at=made.produced_at,
        status="SUCCESS",
        code_version=headers.code_version,
        config_version=headers.config_version,
        host=headers.host,
        toggles=dict(headers.toggles),
    )


def released(headers: Headers, component: str, effects: Sequence[Effect]) -> Headers:
    """The headers of a component after the releases and toggles among ``effects``."""
    for effect in effects:
        if isinstance(effect, Release) and effect.component == component:
            headers = headers.released(effect.versioned, effect.after)
        if isinstance(effect, Toggle) and effect.dataset == component:
            headers = replace(headers, toggles={**headers.toggles, effect.switch: effect.value})
    return headers


def prediction(
    pipeline: Pipeline, call: Call, served: Made, effects: Sequence[Effect], feature: str | None
) -> Prediction:
    """The event a serving process sends for a scoring call; ``feature`` is the feature version it was served."""
    model = pipeline.model
    versions = {e.versioned: e.after for e in effects if isinstance(e, Release) and e.component == model.name}
    scores = call.scores.copy()
    scores.setflags(write=False)
    return Prediction(
        pipeline=pipeline.name,
        model=model.name,
        scored_at=call.at,
        scores=scores,
        prediction_ids=call.ids,
        task=Task.BINARY,
        model_version=versions.get("model", model.version),
        code_version=versions.get("code", model.code_version),
        feature_version=feature,
        batches=(BatchRef(dataset=served.dataset, batch_id=served.batch_id),),
        features=sent_columns(call.features),
        feature_reads=tuple(
            FeatureRead(
                feature_view=served.dataset, version=feature, event_time=at, latency_ms=round(latency, 3), hit=found
            )
            for at, latency, found in zip(
                call.features_at.tolist(), call.read_ms.tolist(), call.found.tolist(), strict=True
            )
        ),
    )


def outcome(pipeline: Pipeline, ids: Sequence[str], happened: Floats, at: int) -> Outcome:
    """The event that tells what became of predictions."""
    outcomes = np.array(happened, float)
    outcomes.setflags(write=False)
    return Outcome(
        pipeline=pipeline.name, model=pipeline.model.name, observed_at=at, prediction_ids=tuple(ids), outcomes=outcomes
    )


def deploy(pipeline: Pipeline, release: Release, before: str | None, at: int) -> Change:
    """What a deploy script announces."""
    return Change(
        pipeline=pipeline.name,
        component=release.component,
        kind=release.kind,
        at=at,
        change_id=f"deploy-{release.component}-{release.after}",
        before=before,
        after=release.after,
        by="deploy script",
    )
