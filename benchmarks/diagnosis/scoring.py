"""What was said of one life against what was true."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.diagnosis.folding import Revision, Run, live
from benchmarks.diagnosis.lives import HEALTHY, Case, Setting
from benchmarks.diagnosis.peers import PEERS
from diagnosis.alert import Alert, Cause, CauseKind, Severity
from diagnosis.impact import Reach, affected
from diagnosis.lineage import Lineage
from diagnosis.observation import ObservationKind
from simulation.catalogue import FAULTS
from simulation.faults import Fault, Truth


@dataclass(kw_only=True)
class Score:
    """One life's result; whatever does not apply is None.

    said: kind, component and column of the alert that is judged, the first one opened. rank: the place of the true
    component among cause and suspects, from 1. kind, column: whether they are right, given the right place. alerts:
    those not superseded. found: of two faults, how many places are named. blamed: a harmless deploy is called the
    cause. quiet: no alert, or none but INFO without a false cause; with a fault, none at all before it.
    onset_error: batches, signed. first, right: batches from the onset to the first revision, to the first right one.
    reached: predictions named, truly affected, and both.
    """

    case: Case
    said: str = "nothing"
    rank: int | None = None
    kind: bool | None = None
    column: bool | None = None
    confidence: float | None = None
    alerts: int = 0
    found: int = 0
    blamed: bool | None = None
    quiet: bool | None = None
    onset_error: float | None = None
    first: int | None = None
    right: int | None = None
    reached: tuple[int, int, int] | None = None
    counted: int | None = None
    peers: dict[str, int] = field(default_factory=dict)


def score(case: Case) -> Score:
    """Live a life and judge what was said of it."""
    life = case.life()
    run, fault = live(life), case.fault
    result = Score(case=case, alerts=len(run.alerts))
    early = any(revision.tick < HEALTHY for revision in run.revisions)
    if fault is not None and fault.innocent:
        result.blamed = any(_blames(revision.alert, fault) for revision in run.alerts)
    if case.setting in (Setting.HEALTHY, Setting.DEPLOY):
        result.quiet = all(_harmless(revision.alert) for revision in run.alerts)
        result.said = "; ".join(_words(revision.alert.cause) for revision in run.alerts) or "nothing"
    elif case.setting is Setting.PAIR:
        result.found = len({FAULTS[name].component for name in case.faults} & _named(run.alerts))
        result.said = "; ".join(_words(revision.alert.cause) for revision in run.alerts) or "nothing"
    elif fault is not None and life.truth is not None:
        result.quiet = not early
        _judge(result, run, fault, life.truth)
    return result


def _words(cause: Cause) -> str:
    place = f"{cause.component}.{cause.column}" if cause.column else cause.component
    return f"{cause.kind} {place}"


def _named(alerts: Sequence[Revision]) -> set[str]:
    return {revision.alert.cause.component for revision in alerts}


def _blames(alert: Alert, fault: Fault) -> bool:
    harmless = {release.component for release in fault.innocent}
    return alert.cause.kind is CauseKind.CODE_CHANGE and alert.cause.component in harmless


def _harmless(alert: Alert) -> bool:
    return alert.severity is Severity.INFO and alert.cause.kind is CauseKind.UNKNOWN


def _rank(components: Sequence[str], true: str) -> int | None:
    places = list(dict.fromkeys(components))
    return places.index(true) + 1 if true in places else None


def _judge(result: Score, run: Run, fault: Fault, truth: Truth) -> None:
    since = [revision for revision in run.revisions if revision.tick >= HEALTHY]
    rng = np.random.default_rng([result.case.seed, 1])
    seen = [observation for _, observation in run.observations]
    for name, ranked in PEERS.items():
        result.peers[name] = _rank(ranked(seen, rng), fault.component) or len(seen)
    live_alerts = [revision.alert for revision in run.alerts if revision.tick >= HEALTHY]
    if not since or not live_alerts:
        return
    alert = live_alerts[0]
    result.said, result.confidence = _words(alert.cause), alert.cause.confidence
    result.rank = _rank([alert.cause.component, *(one.component for one in alert.suspects)], fault.component)
    if result.rank == 1:
        result.kind = str(alert.cause.kind) == fault.kind
        result.column = None if fault.column is None else alert.cause.column == fault.column
    result.first = min(revision.tick for revision in since) - HEALTHY + 1
    result.right = next((one.tick - HEALTHY + 1 for one in since if _right(one.alert, fault)), None)
    tick = _tick_of(run, alert.onset.batch_id)
    result.onset_error = None if tick is None else tick - truth.onset_tick
    result.reached, result.counted = _reached(run, alert, truth)


def _right(alert: Alert, fault: Fault) -> bool:
    return (str(alert.cause.kind), alert.cause.component) == (fault.kind, fault.component)


def _tick_of(run: Run, batch_id: str | None) -> int | None:
    return next((tick for tick, one in run.observations if one.batch_id and one.batch_id == batch_id), None)


def _reached(run: Run, alert: Alert, truth: Truth) -> tuple[tuple[int, int, int] | None, int | None]:
    """Predictions the alert's batches lead to, by id, against the truth in what was observed of the life.

    Also the number that diagnosis holds for the alert at the end, which it publishes with its next revision.
    """
    fault = next((one for one in run.state.faults if one.alert.alert_id == alert.alert_id), None)
    if fault is None:
        return None, None
    lineage = Lineage(nodes=run.state.nodes)
    reach = Reach(
        batches={key: frozenset(ids) for key, ids in fault.tainted.items()},
        match=alert.impact.match,
    )
    calls = {
        (reference.at, reference.ids[0]): reference.ids
        for _, one in run.observations
        if one.kind is ObservationKind.WINDOW
        for reference in one.predictions
        if reference.ids
    }
    said = {
        prediction
        for key in reach.batches
        for batch in lineage.ring(key)
        for served in affected(lineage, batch, reach)
        for prediction in calls.get((served.at, served.first_id or ""), ())
    }
    observed = {prediction for ids in calls.values() for prediction in ids}
    true = observed & set(truth.affected_predictions)
    return (len(said), len(true), len(said & true)), (fault.draft or fault.alert).impact.predictions_affected


def reliability(scores: Sequence[Score]) -> Iterator[tuple[str, int, float, float]]:
    """Lives by confidence: the span, how many, mean confidence, and the share whose kind and place were right."""
    told = [(one.confidence, one.rank == 1 and bool(one.kind)) for one in scores if one.confidence is not None]
    for low, high in ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        held = [(confidence, right) for confidence, right in told if low <= confidence < high]
        if held:
            mean, share = np.mean([c for c, _ in held]), np.mean([r for _, r in held])
            yield f"{low:.1f}-{min(high, 1):.1f}", len(held), float(mean), float(share)
