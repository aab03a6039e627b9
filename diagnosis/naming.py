"""The cause of a fault and what else it could be, each with its evidence in words."""

from diagnosis.alert import Cause, CauseKind, Grounding, Match
from diagnosis.changes import KINDS
from diagnosis.confidence import calibrated
from diagnosis.identity import ABSENCE
from diagnosis.lineage import Lineage
from diagnosis.scene import Kind, Scene
from diagnosis.steps import Step

_WEAK = 0.85
_LOOSE = 0.9
_UNSEEN = 0.8


def named(scene: Scene, kind: Kind, path: tuple[Step, ...], shared: str | None, segment: str | None) -> Cause:
    """Return the cause of a fault with its confidence, grounding and evidence; arguments as in ``cause``."""
    weak = all(one.finding is None for one in scene.deviations)
    loose = any(step.match not in (Match.EXACT, Match.PARTITION) for step in path[:-1])
    confidence = kind.confidence * (_WEAK if weak else 1.0) * (_LOOSE if loose else 1.0)
    unseen = bool(scene.trace.unseen or scene.trace.awaited) and shared is None
    act = kind.act
    return Cause(
        kind=kind.kind,
        component=shared or scene.node.name,
        column=kind.column,
        segment=segment,
        change_id=act.change_id if act else None,
        before=_version(act.name, act.before) if act else None,
        after=_version(act.name, act.after) if act else None,
        confidence=round(calibrated(confidence * (_UNSEEN if unseen else 1.0)), 3),
        grounding=_grounding(kind, loose or unseen),
        evidence=_evidence(scene, kind),
    )


def other_acts(scene: Scene, kind: Kind) -> tuple[Cause, ...]:
    """Return what else was changed there in time."""
    return tuple(
        Cause(
            kind=KINDS[act.kind],
            component=scene.lineage.nodes[act.node].name,
            change_id=act.change_id,
            before=_version(act.name, act.before),
            after=_version(act.name, act.after),
            confidence=0.3,
            grounding=Grounding.PATH_ONLY,
            evidence=("It came at the same time.",),
        )
        for act in scene.acts
        if act is not kind.act
    )


def along(lineage: Lineage, path: tuple[Step, ...], cause: Cause) -> tuple[Cause, ...]:
    """The next stages of the path, in case the origin only coincides."""
    found: list[Cause] = []
    for step in path[1:-1] if len(path) > 2 else path[1:]:
        name = lineage.nodes[step.node].name
        if name != cause.component:
            found.append(
                Cause(
                    kind=CauseKind.UNKNOWN,
                    component=name,
                    column=step.focus.column or None if step.focus else None,
                    confidence=round(0.1 / (len(found) + 1), 3),
                    grounding=Grounding.PATH_ONLY,
                    evidence=("It deviates too, as what it was made from explains.",),
                )
            )
    return tuple(found)


def _version(name: str | None, value: str | None) -> str | None:
    return f"{name}={value}" if name is not None and value is not None else value


def _grounding(kind: Kind, loose: bool) -> Grounding:
    if kind.kind is CauseKind.UNKNOWN:
        return Grounding.UNGROUNDED
    return Grounding.PATH_AND_MECHANISM if kind.mechanism and not loose else Grounding.PATH_ONLY


def _evidence(scene: Scene, kind: Kind) -> tuple[str, ...]:
    names = scene.lineage.nodes
    lines = [f"{scene.node.name}: {kind.why}."]
    if kind.act is not None:
        lines.append(_act_sentence(scene, kind))
    if scene.trace.healthy:
        healthy = ", ".join(sorted({names[key].name for key in scene.trace.healthy}))
        lines.append(f"Checked since the onset and healthy: {healthy}.")
    if scene.trace.unseen:
        unseen = ", ".join(sorted({names[key].name for key in scene.trace.unseen}))
        lines.append(f"Not observed: {unseen}.")
    lines.extend(one.finding.sentence for one in scene.deviations[:3] if one.finding is not None)
    if any(one.finding is None and one.statistic in ABSENCE for one in scene.deviations):
        lines.append("What reads it went on with a batch that it had read before.")
    elif all(one.finding is None for one in scene.deviations):
        lines.extend(
            f"{one.column or 'the whole batch'}: {one.statistic} is {one.size:.1f} standard errors off, tested alone."
            for one in scene.deviations[:3]
        )
    return tuple(lines)


def _act_sentence(scene: Scene, kind: Kind) -> str:
    act = kind.act
    assert act is not None  # asked for only where there is one
    what = f"{act.name} ({act.kind})" if act.name else f"{act.kind} version"
    told = "announced" if act.announced else "seen in the batch headers"
    return f"The {what} of {scene.lineage.nodes[act.node].name} went from {act.before} to {act.after} ({told})."
