"""What kind of fault began at a model, or at what its outcomes say: each rule names one kind, or says nothing."""

from diagnosis.alert import CauseKind
from diagnosis.intake import outcomes_key
from diagnosis.reads import missed_more
from diagnosis.scene import Kind, Scene, act_of, column_of

_SLOPE = frozenset({"residual_scale", "interval_coverage"})
_SLOPE_OFF = 0.15
_SLOPE_NATS = 3.0  # odds of twenty to one


def stopped(scene: Scene) -> Kind | None:
    """It no longer answers."""
    if "silence" not in scene.statistics:
        return None
    return Kind(kind=CauseKind.SILENCE, confidence=0.9, why="it has stopped answering", act=act_of(scene))


def swapped(scene: Scene) -> Kind | None:
    """Another model answers."""
    act = act_of(scene, "model")
    if act is None:
        return None
    why = "another model answers since it began, while its inputs are healthy"
    return Kind(kind=CauseKind.MODEL_CHANGE, confidence=0.9, why=why, act=act)


def store_unwell(scene: Scene) -> Kind | None:
    """Features are older, missing or slow because of the store they are read from."""
    age = scene.strongest("feature_age")
    misses = scene.strongest("feature_miss_rate", "feature_latency")
    if age is not None and (misses is None or age.size >= misses.size):
        why = "features were older when read than they used to be"
        return Kind(
            kind=CauseKind.FEATURE_STALENESS, confidence=0.85, why=why, column=column_of(age), act=act_of(scene)
        )
    if misses is None:
        return _missed_more(scene)
    why = "reads of the feature store fail or take longer"
    return Kind(kind=CauseKind.FEATURE_STORE, confidence=0.85, why=why, column=column_of(misses), act=act_of(scene))


def _missed_more(scene: Scene) -> Kind | None:
    """Features are missing because reads of their store find nothing: the reads themselves need longer to alarm."""
    bad = scene.trace.origin.batches
    if not bad or all(one.statistic != "missing_rate" or one.strength < 0 for one in scene.deviations):
        return None
    view = missed_more(scene.lineage.ring(scene.node.key)[: scene.lineage.place(bad[0])], bad)
    if view is None:
        return None
    why = "reads of the feature store find nothing more often"
    return Kind(kind=CauseKind.FEATURE_STORE, confidence=0.85, why=why, column=view, act=act_of(scene))


def serving_unwell(scene: Scene) -> Kind | None:
    """Errors or latency."""
    health = scene.strongest("error_rate", "latency")
    if health is None:
        return None
    return Kind(kind=CauseKind.SERVING_HEALTH, confidence=0.85, why="the serving itself is unwell", act=act_of(scene))


def skewed(scene: Scene) -> Kind | None:
    """It is served other values than its parents hold, or values that nobody can hold against any."""
    features = [one for one in scene.deviations if one.column]
    if not features:
        return None
    strongest = max(features, key=lambda one: (one.statistic == "serving_skew", one.finding is not None, one.size))
    if scene.root:
        why = "its features moved, and nothing upstream of it is observed"
        return Kind(kind=CauseKind.SOURCE_DATA, confidence=0.6, why=why, column=strongest.column, mechanism=False)
    if scene.trace.unseen:
        return None
    why = "it is served other values than its feature batches hold"
    return Kind(kind=CauseKind.SERVING_SKEW, confidence=0.85, why=why, column=strongest.column)


def miscalibrated(scene: Scene) -> Kind | None:
    """Scores moved with nothing upstream, and their outcomes do not follow them as before, or not as steeply."""
    if scene.root or scene.trace.unseen or not (scene.disproved or _steeper(scene)):
        return None
    why = "its scores moved, and outcomes do not follow them as they did, while its inputs are healthy"
    return Kind(kind=CauseKind.CALIBRATION, confidence=0.75, why=why)


def _steeper(scene: Scene) -> bool:
    """Tell whether outcomes follow the scores with another slope, before that is sure enough to alarm by itself."""
    outcomes = scene.lineage.ring(outcomes_key(scene.node.name))[-1:]
    gauges = outcomes[0].gauges if outcomes else {}
    sure = gauges.get("calibration_slope_nats", 0.0) >= _SLOPE_NATS
    return sure and abs(gauges.get("calibration_slope", 1.0) - 1.0) > _SLOPE_OFF


def scores_moved(scene: Scene) -> Kind | None:
    """Scores moved, and nothing else did."""
    if scene.root or scene.trace.unseen:
        return None
    why = "its scores moved although its inputs are healthy and none of its versions changed"
    return Kind(kind=CauseKind.UNKNOWN, confidence=0.35, why=why, mechanism=False)


def overconfident(scene: Scene) -> Kind | None:
    """Over- or underconfidence: another slope of the recalibration explains the outcomes better than another level.

    Where scores are spread around one half the mean stays right; where they are all small it cannot, and only the
    likelihood tells.
    """
    gauges = scene.trace.origin.batches[-1].gauges if scene.trace.origin.batches else {}
    slope, offset = gauges.get("calibration_slope", 1.0), gauges.get("calibration_offset", 0.0)
    steep = abs(slope - 1.0)
    if steep > _SLOPE_OFF and abs(offset) < steep:
        why = "its confidence is off while its mean is right, and its inputs are healthy"
        return Kind(kind=CauseKind.CALIBRATION, confidence=0.75, why=why)
    if steep > _SLOPE_OFF and gauges.get("calibration_slope_nats", 0.0) >= _SLOPE_NATS:
        why = "another confidence fits its outcomes better than more or fewer of them, and its inputs are healthy"
        return Kind(kind=CauseKind.CALIBRATION, confidence=0.6, why=why)
    if scene.statistics and scene.statistics <= _SLOPE:
        why = "its uncertainty is off while its mean is right, and its inputs are healthy"
        return Kind(kind=CauseKind.CALIBRATION, confidence=0.75, why=why)
    return None


def concept_moved(scene: Scene) -> Kind | None:
    """Outcomes no longer follow the scores, and no other rule says why."""
    if scene.trace.unseen:
        return None
    why = "inputs, scores and versions are as before, but outcomes no longer follow the scores"
    return Kind(kind=CauseKind.CONCEPT_SHIFT, confidence=0.75, why=why)
