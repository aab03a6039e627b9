"""What kind of fault began at a node: a table of rules, the most telling first."""

from collections.abc import Callable
from dataclasses import dataclass

from diagnosis.alert import CauseKind
from diagnosis.changes import KINDS, Act
from diagnosis.identity import TIMING
from diagnosis.lineage import Lineage
from diagnosis.reads import missed_more
from diagnosis.retest import Deviation
from diagnosis.state import Node, NodeKind
from diagnosis.steps import Trace

SCHEMA = ("column_removed", "column_added", "column_retyped")
_SLOPE = frozenset({"residual_scale", "interval_coverage"})
_DOUBLED = (1.7, 2.4)
_TWICE = "it has twice the rows that its parent gave it"
_REPEATED = 1.1  # of the usual rows, where the values in them have become fewer
_SIDE_SHARE = 0.6
_SLOPE_OFF = 0.15
_SLOPE_NATS = 3.0  # odds of twenty to one


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is known of the origin when its kind is decided; ``acts`` are those in time there, most telling first."""

    lineage: Lineage
    trace: Trace
    deviations: tuple[Deviation, ...]
    acts: tuple[Act, ...]

    @property
    def node(self) -> Node:
        """Return the node of the origin."""
        return self.lineage.nodes[self.trace.origin.node]

    @property
    def statistics(self) -> frozenset[str]:
        """Return the statistics that alarmed at the origin, or that the retest found if none did."""
        alarmed = {one.statistic for one in self.deviations if one.finding is not None}
        return frozenset(alarmed or {one.statistic for one in self.deviations})

    @property
    def root(self) -> bool:
        """Tell whether nothing is upstream."""
        return not self.lineage.parent_keys(self.trace.origin.node)

    def strongest(self, *statistics: str) -> Deviation | None:
        """Return the strongest deviation, of these statistics if any are given; alarms before weak ones."""
        found = [one for one in self.deviations if not statistics or one.statistic in statistics]
        return max(found, key=lambda one: (one.finding is not None, one.size), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A decision: the kind, how sure it makes us, the column it is about, the act behind it, and why."""

    kind: CauseKind
    confidence: float
    why: str
    column: str | None = None
    act: Act | None = None
    mechanism: bool = True


Rule = Callable[[Scene], Kind | None]


def kind_of(scene: Scene) -> Kind:
    """Return the kind of fault that the first rule which applies names."""
    by_node: dict[NodeKind, tuple[Rule, ...]] = {
        NodeKind.DATASET: (_silence, _duplication, _lateness, _schema, _join, _rows_doubled, _act, _source, _stage),
        NodeKind.MODEL: (_stopped, _schema, _model_swap, _feature_store, _health, _act, _skew, _scores),
        NodeKind.OUTCOMES: (_model_swap, _act, _slope, _concept),
    }
    if scene.trace.awaited:
        why = "the batches it was made from have not come yet"
        column = _column(scene.strongest())
        return Kind(kind=CauseKind.UNKNOWN, confidence=0.2, why=why, column=column, mechanism=False)
    for rule in by_node[scene.node.kind]:
        kind = rule(scene)
        if kind is not None:
            return kind
    return Kind(kind=CauseKind.UNKNOWN, confidence=0.2, why="nothing observed explains it", mechanism=False)


def _first(scene: Scene, *kinds: str) -> Act | None:
    return next((act for act in scene.acts if not kinds or act.kind in kinds), None)


def _column(deviation: Deviation | None) -> str | None:
    return deviation.column or None if deviation is not None else None


def _silence(scene: Scene) -> Kind | None:
    if not scene.statistics & {"silence", "feature_age"}:
        return None
    children = scene.lineage.children(scene.node.key)
    if any(scene.lineage.nodes[child].kind is NodeKind.MODEL for child in children):
        why = "it is no longer renewed, and models go on reading its last batch"
        return Kind(kind=CauseKind.FEATURE_STALENESS, confidence=0.9, why=why, act=_first(scene))
    return Kind(kind=CauseKind.SILENCE, confidence=0.95, why="it has stopped sending", act=_first(scene))


def _stopped(scene: Scene) -> Kind | None:
    if "silence" not in scene.statistics:
        return None
    return Kind(kind=CauseKind.SILENCE, confidence=0.9, why="it has stopped answering", act=_first(scene))


def _duplication(scene: Scene) -> Kind | None:
    if "duplicate_batch" not in scene.statistics:
        return None
    return Kind(kind=CauseKind.DUPLICATION, confidence=0.95, why="a batch came twice", act=_first(scene))


def _lateness(scene: Scene) -> Kind | None:
    if not scene.statistics & TIMING or not scene.statistics <= TIMING | {"rows", "empty_batch", "incomplete_batch"}:
        return None
    return Kind(kind=CauseKind.LATENESS, confidence=0.9, why="batches came late or out of order", act=_first(scene))


def _schema(scene: Scene) -> Kind | None:
    changed = scene.strongest(*SCHEMA)
    if changed is None:
        return None
    act = _first(scene, "schema", "code", "config")
    removed = [one for one in scene.deviations if one.statistic == "column_removed"]
    column = _column(sorted(removed, key=lambda one: one.column)[0] if removed else changed)
    return Kind(kind=CauseKind.SCHEMA_CHANGE, confidence=0.95, why="its columns changed", column=column, act=act)


def _join(scene: Scene) -> Kind | None:
    """Rows appear or vanish where parents meet, or columns of one side go missing: the keys no longer fit."""
    parents = scene.lineage.parent_keys(scene.trace.origin.node)
    if len(parents) < 2:
        return None
    rows = scene.strongest("rows")
    if rows is not None and not scene.trace.unseen:
        why = "it has more rows than its parents account for" if rows.strength > 0 else "rows of its parents got lost"
        return Kind(kind=CauseKind.JOIN, confidence=0.85, why=why, act=_first(scene))
    side = _missing_side(scene, parents)
    if side is None:
        return None
    why = f"what comes from {scene.lineage.nodes[side].name} is missing although it was there"
    return Kind(kind=CauseKind.JOIN, confidence=0.8, why=why, act=_first(scene))


def _missing_side(scene: Scene, parents: tuple[str, ...]) -> str | None:
    missing = {one.column for one in scene.deviations if one.statistic == "missing_rate" and one.strength > 0}
    columns = {parent: _columns(scene.lineage, parent) for parent in parents}
    here = _columns(scene.lineage, scene.trace.origin.node)
    for parent in parents:
        others = set[str]().union(*(columns[other] for other in parents if other != parent))
        own = (columns[parent] - others) & here
        enough = len(own & missing) >= (max(_SIDE_SHARE * len(own), 2) if scene.acts else 1)
        if own and enough and missing <= own | (here - set().union(*columns.values())):
            return parent
    return None


def _columns(lineage: Lineage, key: str) -> set[str]:
    node = lineage.nodes[key]
    if not node.ring:
        return set()
    layout = node.layouts[node.ring[-1].layout]
    return ({*layout.column, *layout.profile}) - {""}


def _rows_doubled(scene: Scene) -> Kind | None:
    rows = scene.strongest("rows")
    if rows is None or rows.finding is None or scene.root:
        return None
    observed, expected = rows.finding.observed, rows.finding.expected
    if not observed or not expected:
        return None
    fewer = any(one.statistic == "distinct" and one.strength < 0 for one in scene.deviations)
    if not (_REPEATED if fewer else _DOUBLED[0]) <= observed / expected <= _DOUBLED[1]:
        return None
    why = "it has more rows than its parent gave it, and they repeat each other" if fewer else _TWICE
    return Kind(kind=CauseKind.DUPLICATION, confidence=0.8, why=why, act=_first(scene))


def _act(scene: Scene) -> Kind | None:
    act = _first(scene)
    if act is None:
        return None
    sure = 0.9 if scene.trace.proven or scene.root else 0.75
    strongest = scene.strongest()
    return Kind(
        kind=KINDS[act.kind],
        confidence=sure if len(scene.acts) == 1 else sure - 0.15,
        why="the change came exactly when it began, and what it was made from was healthy"
        if scene.trace.healthy
        else "the change came exactly when it began",
        column=_column(strongest),
        act=act,
    )


def _source(scene: Scene) -> Kind | None:
    if not scene.root:
        return None
    why = "it has no parents, and nothing was changed there"
    return Kind(kind=CauseKind.SOURCE_DATA, confidence=0.85, why=why, column=_column(scene.strongest()))


def _stage(scene: Scene) -> Kind | None:
    """A stage added it and announced no change: code that carries no version, or something nobody tells us of."""
    column = _column(scene.strongest())
    if scene.trace.unseen:
        why = "what it was made from was never observed, so it began here or before"
        return Kind(kind=CauseKind.SOURCE_DATA, confidence=0.45, why=why, column=column, mechanism=False)
    origin = scene.trace.origin
    if any("code" in batch.versions for batch in origin.batches):
        why = "what it was made from was healthy, but none of its versions changed"
        return Kind(kind=CauseKind.UNKNOWN, confidence=0.35, why=why, column=column, mechanism=False)
    why = "what it was made from was healthy, and the stage reports no versions"
    return Kind(kind=CauseKind.CODE_CHANGE, confidence=0.45, why=why, column=column, mechanism=False)


def _model_swap(scene: Scene) -> Kind | None:
    act = _first(scene, "model")
    if act is None:
        return None
    why = "another model answers since it began, while its inputs are healthy"
    return Kind(kind=CauseKind.MODEL_CHANGE, confidence=0.9, why=why, act=act)


def _feature_store(scene: Scene) -> Kind | None:
    age = scene.strongest("feature_age")
    misses = scene.strongest("feature_miss_rate", "feature_latency")
    if age is not None and (misses is None or age.size >= misses.size):
        why = "features were older when read than they used to be"
        return Kind(kind=CauseKind.FEATURE_STALENESS, confidence=0.85, why=why, column=_column(age), act=_first(scene))
    if misses is None:
        return _missed_more(scene)
    why = "reads of the feature store fail or take longer"
    return Kind(kind=CauseKind.FEATURE_STORE, confidence=0.85, why=why, column=_column(misses), act=_first(scene))


def _missed_more(scene: Scene) -> Kind | None:
    """Features are missing because reads of their store find nothing: the reads themselves need longer to alarm."""
    bad = scene.trace.origin.batches
    if not bad or all(one.statistic != "missing_rate" or one.strength < 0 for one in scene.deviations):
        return None
    view = missed_more(scene.lineage.ring(scene.node.key)[: scene.lineage.place(bad[0])], bad)
    if view is None:
        return None
    why = "reads of the feature store find nothing more often"
    return Kind(kind=CauseKind.FEATURE_STORE, confidence=0.85, why=why, column=view, act=_first(scene))


def _health(scene: Scene) -> Kind | None:
    health = scene.strongest("error_rate", "latency")
    if health is None:
        return None
    return Kind(kind=CauseKind.SERVING_HEALTH, confidence=0.85, why="the serving itself is unwell", act=_first(scene))


def _skew(scene: Scene) -> Kind | None:
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


def _scores(scene: Scene) -> Kind | None:
    if scene.root or scene.trace.unseen:
        return None
    why = "its scores moved although its inputs are healthy and none of its versions changed"
    return Kind(kind=CauseKind.UNKNOWN, confidence=0.35, why=why, mechanism=False)


def _slope(scene: Scene) -> Kind | None:
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


def _concept(scene: Scene) -> Kind | None:
    if scene.trace.unseen:
        return None
    why = "inputs, scores and versions are as before, but outcomes no longer follow the scores"
    return Kind(kind=CauseKind.CONCEPT_SHIFT, confidence=0.75, why=why)
