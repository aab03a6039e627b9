"""Deliberate acts: versions, toggles and parameters that changed between batches, and changes somebody announced."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from diagnosis.alert import CauseKind
from diagnosis.lineage import Lineage
from diagnosis.observation import Micros
from diagnosis.state import Announced, Batch

_HABIT_PAIRS = 32
_HABIT_SHARE = 0.2
_AT, _HEADERS = attrgetter("at"), attrgetter("headers")

KINDS: Mapping[str, CauseKind] = {
    "code": CauseKind.CODE_CHANGE,
    "config": CauseKind.CONFIG_CHANGE,
    "schema": CauseKind.SCHEMA_CHANGE,
    "model": CauseKind.MODEL_CHANGE,
    "feature": CauseKind.CODE_CHANGE,
    "toggle": CauseKind.CONFIG_CHANGE,
    "parameter": CauseKind.CONFIG_CHANGE,
    "cache": CauseKind.CONFIG_CHANGE,
    "infrastructure": CauseKind.SERVING_HEALTH,
    "data": CauseKind.SOURCE_DATA,
}
"""The cause that a change of this kind is, most telling first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One deliberate change at a node; ``kind`` is a key of ``KINDS``, ``name`` a toggle's or parameter's name."""

    node: str
    kind: str
    at: Micros
    change_id: str
    name: str | None = None
    before: str | None = None
    after: str | None = None
    url: str | None = None
    announced: bool = False

    @property
    def rank(self) -> tuple[int, bool, str]:
        """Return how telling it is, most telling first."""
        return list(KINDS).index(self.kind), not self.announced, self.change_id


def header_acts(lineage: Lineage, key: str, earliest: Micros, latest: Micros) -> tuple[Act, ...]:
    """Return what changed in a node's headers at batches within ``[earliest, latest]`` (event time)."""
    node, acts = lineage.nodes[key], list[Act]()
    if node.alike >= len(node.ring):
        return ()
    ring = lineage.of(key).punctual
    first, end = max(bisect_left(ring, earliest, key=_AT), 1), bisect_right(ring, latest, key=_AT)
    headers = list(map(_HEADERS, ring[first - 1 : end]))
    for place in (first + n for n, (old, new) in enumerate(pairwise(headers)) if old != new):
        for kind, name, before, after in _differences(ring[place - 1], ring[place]):
            if not _habitual(ring[max(place - _HABIT_PAIRS, 0) : place], kind, name):
                acts.append(
                    Act(
                        node=key,
                        kind=kind,
                        name=name,
                        at=ring[place].at,
                        before=before,
                        after=after,
                        change_id=f"{node.name}:{name or kind}:{after}",
                    )
                )
    return tuple(acts)


def announced_acts(lineage: Lineage, announced: tuple[Announced, ...]) -> tuple[tuple[Announced, tuple[Act, ...]], ...]:
    """Return each announced change with the nodes it can be about: by dataset, model or stage name; none if unknown."""
    return tuple((change, tuple(_place(lineage, change))) for change in announced if change.kind != "BASELINE")


def _place(lineage: Lineage, change: Announced) -> Iterator[Act]:
    kind = change.kind.lower() if change.kind.lower() in KINDS else "config"
    for key in sorted(lineage.nodes):
        node = lineage.nodes[key]
        named = node.pipeline == change.pipeline and change.component in (node.name, node.stage)
        if named and not key.startswith("outcomes:"):
            yield Act(
                node=key,
                kind=kind,
                at=change.at,
                change_id=change.change_id,
                before=change.before,
                after=change.after,
                url=change.url,
                announced=True,
            )


def _differences(before: Batch, after: Batch) -> Iterator[tuple[str, str | None, str | None, str | None]]:
    for kind in KINDS if before.versions != after.versions else ():
        old, new = before.versions.get(kind), after.versions.get(kind)
        if old is not None and new is not None and old != new:
            yield kind, None, old, new
    for kind, old_map, new_map in (
        ("toggle", before.toggles, after.toggles),
        ("parameter", before.parameters, after.parameters),
    ):
        for name in sorted({*old_map, *new_map}) if old_map != new_map else ():
            if old_map.get(name) != new_map.get(name):
                yield kind, name, old_map.get(name), new_map.get(name)


def _habitual(ring: Sequence[Batch], kind: str, name: str | None) -> bool:
    """Tell whether this differs so often (a run date, a snapshot's number) that its changing says nothing."""
    pairs = list(pairwise(ring))
    changed = sum((kind, name) in {one[:2] for one in _differences(a, b)} for a, b in pairs)
    return changed >= 2 and changed > _HABIT_SHARE * len(pairs)
