"""From an event's header and what the detectors said to an observation."""

from collections.abc import Mapping

from detectors.dataset import BatchSummary
from detectors.judgement import Judgement
from detectors.model import WindowJudgement
from diagnosis.observation import Deliberate, Observation
from diagnosis.provenance import ObservationKind, Origin, Parent
from schemas.events import BatchRef, Change, DataBatch, Prediction, Run
from streams.detect.inputs import Micros, batch_id_of
from streams.detect.subject import WindowHead


def parent_of(reference: BatchRef) -> Parent:
    """A batch reference as lineage reads it."""
    return Parent(
        dataset=reference.dataset,
        pipeline=reference.pipeline,
        batch_id=reference.batch_id,
        partition=reference.partition,
        version=reference.version,
        window_start=reference.window.start if reference.window else None,
        window_end=reference.window.end if reference.window else None,
    )


def known(versions: Mapping[str, str | None]) -> dict[str, str]:
    """Only the versions that are known."""
    return {name: version for name, version in versions.items() if version is not None}


def batch_observation(batch: DataBatch, judgement: Judgement, origin: Origin, arrived_at: Micros) -> Observation:
    """What was seen of a batch."""
    run = batch.run or Run(run_id="")
    return Observation(
        kind=ObservationKind.BATCH,
        pipeline=batch.pipeline,
        name=batch.dataset,
        stage=batch.stage or batch.dataset,
        batch_id=batch_id_of(batch),
        at=batch.produced_at,
        arrived_at=arrived_at,
        origin=origin,
        rows=batch.rows,
        source=batch.source,
        partition=batch.partition,
        replaces=batch.replaces,
        window_start=batch.window.start if batch.window else None,
        window_end=batch.window.end if batch.window else None,
        parents=tuple(map(parent_of, batch.parents)),
        join_keys=batch.join_keys,
        run_id=run.run_id or None,
        run_kind=run.kind.value if batch.run else None,
        run_status=run.status,
        host=run.host,
        owner=batch.owner,
        trace_id=batch.trace_id,
        versions=known(
            {
                "data": batch.data_version,
                "schema": batch.schema_version,
                "feature": batch.feature_version,
                "code": run.code_version,
                "config": run.config_version,
            }
        ),
        toggles=dict(run.toggles),
        parameters=dict(run.parameters),
        segments=dict(batch.segments),
        findings=judgement.findings,
        readings=judgement.readings,
        profiles=judgement.profiles,
        gauges=judgement.gauges,
        warming_up=judgement.warming_up,
        late=judgement.late,
    )


def change_observation(change: Change, change_id: str, origin: Origin, arrived_at: Micros) -> Observation:
    """A deliberate change, as diagnosis reads it."""
    return Observation(
        kind=ObservationKind.CHANGE,
        pipeline=change.pipeline,
        name=change.component,
        batch_id=change_id,
        at=change.at,
        arrived_at=arrived_at,
        origin=origin,
        change=Deliberate(
            component=change.component,
            kind=change.kind.value,
            at=change.at,
            change_id=change_id,
            before=change.before,
            after=change.after,
            by=change.by,
            reason=change.reason,
            url=change.url,
        ),
    )


def versions_of(prediction: Prediction) -> dict[str, str]:
    """The versions a prediction was made under."""
    return known(
        {"model": prediction.model_version, "code": prediction.code_version, "feature": prediction.feature_version}
    )


def model_observation(subject: str, said: WindowJudgement, head: WindowHead | None, arrived_at: Micros) -> Observation:
    """What was seen of a window of predictions, or of matured outcomes."""
    pipeline, _, name = subject.partition("/")
    return Observation(
        kind=ObservationKind.WINDOW if head else ObservationKind.OUTCOMES,
        pipeline=pipeline,
        name=name,
        stage=name,
        batch_id=said.window_id,
        at=said.last_at,
        arrived_at=arrived_at,
        origin=head.origin if head else None,
        rows=said.rows,
        window_start=said.first_at,
        window_end=said.last_at,
        parents=head.parents if head else (),
        versions=head.versions if head else {},
        segments=head.segments if head else {},
        host=head.host if head else None,
        predictions=head.refs if head else (),
        findings=said.findings,
        readings=said.readings,
        profiles=said.profiles,
        gauges=said.gauges,
        warming_up=said.warming_up,
        late=said.late,
    )


def given_up_observation(batch: BatchSummary, judgement: Judgement, now: Micros) -> Observation:
    """What was seen of a batch whose missing parts nobody waits for any more."""
    pipeline, _, name = batch.subject.partition("/")
    return Observation(
        kind=ObservationKind.BATCH,
        pipeline=pipeline,
        name=name,
        stage=name,
        batch_id=batch.batch_id,
        at=batch.at,
        arrived_at=now,
        rows=batch.rows,
        findings=judgement.findings,
        warming_up=judgement.warming_up,
    )
