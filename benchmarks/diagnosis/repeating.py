"""The same again: one log folded twice and across a restart, and the same events with their topics interleaved anew."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from benchmarks.diagnosis.folding import Run, benchmark_policy, live
from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.pipeline import fold, start
from diagnosis.state import PipelineState
from schemas import Codec
from schemas.events import Change, Event, Outcome, Prediction
from simulation.life import Arrival, Life
from streams.plain import from_bytes, to_bytes

LAGS: dict[type[Event], int] = {Outcome: 45_000_000, Change: 20_000_000, Prediction: 10_000_000}  # microseconds


def replayed(run: Run) -> bool:
    """Whether a life's log gives the same alerts again, byte by byte: folded at once, and with a restart halfway."""
    seen = [observation for _, observation in run.observations]
    half = len(seen) // 2
    told = _bytes(revision.alert for revision in run.revisions)
    return all(_bytes(_folded(run.state.pipeline, parts)) == told for parts in ([seen], [seen[:half], seen[half:]]))


def interleaved(life: Life, run: Run) -> bool:
    """Whether the same events give the same causes and onsets where other topics than the batches' lag behind."""
    late = sorted(map(_late, life), key=lambda arrival: arrival.at)
    return _causes(live(late, life.pipeline.name)) == _causes(run)


def _late(arrival: Arrival) -> Arrival:
    return replace(arrival, at=arrival.at + LAGS.get(type(arrival.event), 0))


def _folded(pipeline: str, parts: Iterable[Sequence[Observation]]) -> list[Alert]:
    """What is said of a log whose reader stores its state after each part, and starts again from what it stored."""
    state, told, policy = start(pipeline), list[Alert](), benchmark_policy()
    for part in parts:
        for observation in part:
            state, alerts = fold(state, observation, policy)
            told += alerts
        state = from_bytes(PipelineState, to_bytes(state))
    return told


def _bytes(alerts: Iterable[Alert]) -> list[bytes]:
    codec = Codec("alert", Alert)
    return [codec.encode(alert) for alert in alerts]


def _causes(run: Run) -> list[tuple[str, str, str | None, str | None]]:
    causes = ((revision.alert.cause, revision.alert.onset.batch_id) for revision in run.alerts)
    return sorted(((str(c.kind), c.component, c.column, onset) for c, onset in causes), key=str)
