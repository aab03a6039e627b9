"""One record of the log into the pipelines it is for: what the diagnose agent does, and what a replay does again."""

from collections.abc import Mapping

from diagnosis import neighbours
from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.pipeline import fold, start
from diagnosis.policy import Policy
from diagnosis.provenance import ObservationKind
from diagnosis.state import PipelineState
from streams.settings import Settings


def policy_of(settings: Settings) -> Policy:
    """What the settings decide about diagnosis."""
    return Policy(
        environment=settings.environment,
        settle_s=settings.settle_s,
        resolve_batches=settings.resolve_batches,
        runbook_url=settings.runbook_url,
        console_url=settings.console_url,
        dashboard_url=settings.dashboard_url,
    )


def addressees(seen: Observation, pipelines: Mapping[str, PipelineState]) -> list[str]:
    """The pipelines that are to fold a record: a tick is for all of its partition."""
    return list(pipelines) if seen.kind is ObservationKind.TICK else [seen.addressee]


def advance(
    pipelines: dict[str, PipelineState], name: str, seen: Observation, policy: Policy
) -> tuple[tuple[Alert, ...], tuple[Observation, ...]]:
    """Fold a record into one of the pipelines: the alerts to publish, and the letters to write to other pipelines."""
    before = pipelines.get(name) or start(name)
    after, alerts = fold(before, seen, policy)
    letters = neighbours.letters(before, after, seen, alerts)
    pipelines[name] = after
    return alerts, letters
