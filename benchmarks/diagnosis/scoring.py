"""What was said of one life against what was true."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.diagnosis.folding import Revision, Run, live
from benchmarks.diagnosis.lives import Case, Scene, Setting
from benchmarks.diagnosis.peers import PEERS
from benchmarks.diagnosis.reached import reached
from benchmarks.diagnosis.repeating import interleaved, replayed
from diagnosis.alert import Alert, Cause, CauseKind, Severity
from diagnosis.confidence import SHARPNESS
from simulation.faults import Fault, Truth

REPEATED = 10  # one life in so many is lived again


@dataclass(kw_only=True)
class Score:
    """One life's result; whatever does not apply is None.

    datasets: how many the pipeline has. true: what was broken. said: what the alerts say, in the order in which they
    were opened. Of a life with one fault, of the first alert since its onset: rank: the place of the true component
    among cause and suspects, from 1; kind, column, segment: whether they are right in the end, given the right place.
    alerts: those not superseded, without those about a drift beside the fault. apart, found: of two faults, whether one
    came later, and how many places are named. blamed: the deploy near the onset that did nothing is called the cause.
    quiet: nothing false is said in a calm life, or before a fault. onset_error: batches, signed. first, right: batches
    from the onset to the first revision, and to the first right one; minutes: the same in event time. reached:
    predictions named, truly affected, and both. counted: predictions the alert counts. replayed, interleaved: of some
    lives, whether the same comes out again.
    """

    case: Case
    datasets: int
    true: str = ""
    said: str = "nothing"
    rank: int | None = None
    kind: bool | None = None
    column: bool | None = None
    segment: bool | None = None
    confidence: float | None = None
    alerts: int = 0
    apart: bool = False
    found: int = 0
    blamed: bool | None = None
    quiet: bool | None = None
    onset_error: float | None = None
    first: int | None = None
    right: int | None = None
    minutes: tuple[float | None, float | None] = (None, None)
    reached: tuple[int, int, int] | None = None
    counted: int | None = None
    peers: dict[str, int] = field(default_factory=dict)
    replayed: bool | None = None
    interleaved: bool | None = None


def score(case: Case) -> Score:
    """Live a life and judge what was said of it."""
    scene = case.scene()
    life = scene.life()
    run = live(life, scene.pipeline.name)
    alerts = [revision for revision in run.alerts if not _about_drift(scene, revision.alert)]
    result = Score(case=case, datasets=len(scene.pipeline.steps), alerts=len(alerts))
    result.true = "; ".join(_true(fault) for fault in scene.faults)
    result.said = "; ".join(_words(revision.alert.cause) for revision in run.alerts) or "nothing"
    if any(fault.innocent for fault in scene.faults):
        result.blamed = any(_blames(revision.alert, scene.faults) for revision in alerts)
    if case.setting is Setting.CALM:
        result.quiet = all(_harmless(scene, revision.alert) for revision in run.alerts)
    elif case.setting is Setting.PAIR:
        result.apart = any(fault.after for fault in scene.faults)
        result.found = len({fault.component for fault in scene.faults} & _named(alerts))
        result.alerts = len([revision for revision in alerts if _lasting(revision)])
    else:
        since = run.opened(scene.onset)
        result.quiet = all(revision.alert.alert_id in since for revision in alerts)
        alerts = [revision for revision in alerts if revision.alert.alert_id in since]
        result.alerts = len(alerts)
        _judge(result, scene, run, alerts, life.truths[0])
    if case.seed % REPEATED == 0:
        result.replayed, result.interleaved = replayed(run), interleaved(scene.life(), run)
    return result


def _true(fault: Fault) -> str:
    place = f"{fault.component}.{fault.column}" if fault.column else fault.component
    return f"{fault.kind} {place}" if fault.kind else fault.name


def _words(cause: Cause) -> str:
    place = f"{cause.component}.{cause.column}" if cause.column else cause.component
    return f"{cause.kind} {place}"


def _about_drift(scene: Scene, alert: Alert) -> bool:
    """Whether an alert is about what drifts beside the fault, as it may be."""
    return scene.drift is not None and alert.cause.component in scene.pipeline.descendants(scene.drift.component)


def _lasting(revision: Revision) -> bool:
    return revision.alert.severity is not Severity.INFO


def _named(alerts: Sequence[Revision]) -> set[str]:
    return {revision.alert.cause.component for revision in alerts}


def _blames(alert: Alert, faults: Sequence[Fault]) -> bool:
    harmless = {release.component for fault in faults for release in fault.innocent}
    return alert.cause.kind is CauseKind.CODE_CHANGE and alert.cause.component in harmless


def _harmless(scene: Scene, alert: Alert) -> bool:
    """Whether an alert in a calm life pages nobody and names nothing that is not so."""
    drifted = {
        place for fault in scene.faults if fault.effects for place in scene.pipeline.descendants(fault.component)
    }
    true = alert.cause.kind is CauseKind.UNKNOWN or alert.cause.component in drifted
    return alert.severity is Severity.INFO and true


def _rank(components: Sequence[str], true: str) -> int | None:
    places = list(dict.fromkeys(components))
    return places.index(true) + 1 if true in places else None


def _judge(result: Score, scene: Scene, run: Run, alerts: Sequence[Revision], truth: Truth) -> None:
    (fault,) = scene.faults
    seen = [observation for _, observation in run.observations]
    rng = np.random.default_rng([result.case.seed, 1])
    for name, ranked in PEERS.items():
        result.peers[name] = _rank(ranked(seen, scene.onset_at, rng), fault.component) or len(seen)
    if not alerts:
        return
    alert = alerts[0].alert
    result.confidence = alert.cause.confidence
    result.rank = _rank([alert.cause.component, *(one.component for one in alert.suspects)], fault.component)
    if result.rank == 1:
        result.kind = str(alert.cause.kind) in fault.kinds
        result.column = None if fault.column is None else alert.cause.column == fault.column
        result.segment = alert.cause.segment == fault.segment
    _time(result, scene, run, fault, {one.alert.alert_id for one in alerts})
    tick = _tick_of(run, alert.onset.batch_id)
    result.onset_error = None if tick is None else tick - truth.onset_tick
    result.reached, result.counted = reached(run, alert, truth)


def _time(result: Score, scene: Scene, run: Run, fault: Fault, counted: set[str]) -> None:
    """How long it took, in batches and in minutes of event time."""
    since = [one for one in run.revisions if one.alert.alert_id in counted]
    first = next(iter(since), None)
    right = next((one for one in since if _right(one.alert, fault)), None)
    result.first, result.right = (None if one is None else one.tick - scene.onset + 1 for one in (first, right))
    result.minutes = _minutes(first, scene), _minutes(right, scene)


def _minutes(revision: Revision | None, scene: Scene) -> float | None:
    return None if revision is None else (revision.at - scene.onset_at - scene.pipeline.tick) / 60e6


def _right(alert: Alert, fault: Fault) -> bool:
    return str(alert.cause.kind) in fault.kinds and alert.cause.component == fault.component


def _tick_of(run: Run, batch_id: str | None) -> int | None:
    return next((tick for tick, one in run.observations if one.batch_id and one.batch_id == batch_id), None)


def reliability(scores: Sequence[Score]) -> Iterator[tuple[str, int, float, float]]:
    """Lives by confidence: the span, how many, mean confidence, and the share whose kind and place were right."""
    told = _told(scores)
    for low, high in ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        held = [(confidence, right) for confidence, right in told if low <= confidence < high]
        if held:
            mean, share = np.mean([c for c, _ in held]), np.mean([r for _, r in held])
            yield f"{low:.1f}-{min(high, 1):.1f}", len(held), float(mean), float(share)


def likeliest_sharpness(scores: Sequence[Score]) -> float:
    """The sharpness of confidences under which it is likeliest that just these causes were right, from 0.2 to 8."""
    told = np.clip(np.reshape(_told(scores), (-1, 2)), 0.001, 0.999)
    odds, right = np.log(told[:, 0] / (1 - told[:, 0])) / SHARPNESS, told[:, 1] > 0.5
    tried = np.geomspace(0.2, 8.0, 75)
    surprise = np.logaddexp(0.0, np.where(right, -1, 1) * odds * tried[:, None]).sum(axis=1)
    return float(tried[np.argmin(surprise)])


def _told(scores: Sequence[Score]) -> list[tuple[float, bool]]:
    """Of every life with a cause: how sure it was, and whether kind and place were right."""
    return [(one.confidence, one.rank == 1 and bool(one.kind)) for one in scores if one.confidence is not None]
