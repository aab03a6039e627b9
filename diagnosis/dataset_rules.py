"""What kind of fault began at a dataset: each rule names one kind, or says nothing."""

from diagnosis.alert import CauseKind
from diagnosis.changes import KINDS
from diagnosis.identity import TIMING
from diagnosis.lineage import Lineage
from diagnosis.scene import Kind, Scene, act_of, column_of
from diagnosis.state import NodeKind

_SCHEMA = ("column_removed", "column_added", "column_retyped")
_DOUBLED = (1.7, 2.4)
_TWICE = "it has twice the rows that its parent gave it"
_REPEATED = 1.1  # of the usual rows, where the values in them have become fewer
_SIDE_SHARE = 0.6


def silent(scene: Scene) -> Kind | None:
    """It is not renewed: silence, or stale features where models go on reading it."""
    if not scene.statistics & {"silence", "feature_age"}:
        return None
    children = scene.lineage.children(scene.node.key)
    if any(scene.lineage.nodes[child].kind is NodeKind.MODEL for child in children):
        why = "it is no longer renewed, and models go on reading its last batch"
        return Kind(kind=CauseKind.FEATURE_STALENESS, confidence=0.9, why=why, act=act_of(scene))
    return Kind(kind=CauseKind.SILENCE, confidence=0.95, why="it has stopped sending", act=act_of(scene))


def duplicated(scene: Scene) -> Kind | None:
    """A batch came twice."""
    if "duplicate_batch" not in scene.statistics:
        return None
    return Kind(kind=CauseKind.DUPLICATION, confidence=0.95, why="a batch came twice", act=act_of(scene))


def late(scene: Scene) -> Kind | None:
    """Nothing but the time of its batches is wrong."""
    if not scene.statistics & TIMING or not scene.statistics <= TIMING | {"rows", "empty_batch", "incomplete_batch"}:
        return None
    return Kind(kind=CauseKind.LATENESS, confidence=0.9, why="batches came late or out of order", act=act_of(scene))


def restructured(scene: Scene) -> Kind | None:
    """Columns came, went or changed their type."""
    changed = scene.strongest(*_SCHEMA)
    if changed is None:
        return None
    act = act_of(scene, "schema", "code", "config")
    removed = [one for one in scene.deviations if one.statistic == "column_removed"]
    column = column_of(sorted(removed, key=lambda one: one.column)[0] if removed else changed)
    return Kind(kind=CauseKind.SCHEMA_CHANGE, confidence=0.95, why="its columns changed", column=column, act=act)


def badly_joined(scene: Scene) -> Kind | None:
    """Rows appear or vanish where parents meet, or columns of one side go missing: the keys no longer fit."""
    parents = scene.lineage.parent_keys(scene.trace.origin.node)
    if len(parents) < 2:
        return None
    why = None if scene.trace.unseen else _rows_off(scene)
    if why is not None:
        return Kind(kind=CauseKind.JOIN, confidence=0.85, why=why, act=act_of(scene))
    side = _missing_side(scene, parents)
    if side is None:
        return None
    why = f"what comes from {scene.lineage.nodes[side].name} is missing although it was there"
    return Kind(kind=CauseKind.JOIN, confidence=0.8, why=why, act=act_of(scene))


def _rows_off(scene: Scene) -> str | None:
    """Say how its rows are off: by what it makes of each row it is given, which holds where they swing, or plainly."""
    balance, rows = scene.balance, scene.strongest("rows")
    if balance is None and rows is None:
        return None
    more = balance.change > 1 if balance is not None else rows is not None and rows.strength > 0
    why = "it has more rows than its parents account for" if more else "rows of its parents got lost"
    if balance is None:
        return why
    of = scene.lineage.nodes[balance.parent].name
    return f"{why}: {balance.now:.2f} for each row of {of} where it used to be {balance.usual:.2f}"


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


def rows_doubled(scene: Scene) -> Kind | None:
    """It has more rows than its parent gave it, where nothing is joined."""
    times = None if scene.root else _times_the_rows(scene)
    if times is None:
        return None
    fewer = any(one.statistic == "distinct" and one.strength < 0 for one in scene.deviations)
    if not (_REPEATED if fewer else _DOUBLED[0]) <= times <= _DOUBLED[1]:
        return None
    why = "it has more rows than its parent gave it, and they repeat each other" if fewer else _TWICE
    return Kind(kind=CauseKind.DUPLICATION, confidence=0.8, why=why, act=act_of(scene))


def _times_the_rows(scene: Scene) -> float | None:
    """Return how many times its usual rows it has, where that is not what it used to be."""
    if scene.balance is not None:
        return scene.balance.change
    rows = scene.strongest("rows")
    if rows is None or rows.finding is None or not rows.finding.observed or not rows.finding.expected:
        return None
    return rows.finding.observed / rows.finding.expected


def acted_upon(scene: Scene) -> Kind | None:
    """Somebody changed something there in time."""
    act = act_of(scene)
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
        column=column_of(strongest),
        act=act,
    )


def at_the_source(scene: Scene) -> Kind | None:
    """Nothing is upstream and nothing was changed: the data themselves moved."""
    if not scene.root:
        return None
    why = "it has no parents, and nothing was changed there"
    return Kind(kind=CauseKind.SOURCE_DATA, confidence=0.85, why=why, column=column_of(scene.strongest()))


def at_a_stage(scene: Scene) -> Kind | None:
    """A stage added it and announced no change: code that carries no version, or something nobody tells us of."""
    column = column_of(scene.strongest())
    if scene.trace.unseen:
        why = "what it was made from was never observed, so it began here or before"
        return Kind(kind=CauseKind.SOURCE_DATA, confidence=0.45, why=why, column=column, mechanism=False)
    origin = scene.trace.origin
    if any("code" in batch.versions for batch in origin.batches):
        why = "what it was made from was healthy, but none of its versions changed"
        return Kind(kind=CauseKind.UNKNOWN, confidence=0.35, why=why, column=column, mechanism=False)
    why = "what it was made from was healthy, and the stage reports no versions"
    return Kind(kind=CauseKind.CODE_CHANGE, confidence=0.45, why=why, column=column, mechanism=False)
