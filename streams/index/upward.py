"""Walking up: from a batch to the batches it was made from, layer by layer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from diagnosis.alert import Match
from streams.index.keys import Micros, Ref, day_of
from streams.index.lookup import Lookup
from streams.index.stored import StoredNode, StoredParent
from streams.index.writing import batch_text, partition_text

MOST_NODES = 2_000
DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Link:
    """One way from a batch to the next: how it was named, how matched, and what was found (nothing: never seen)."""

    named: str
    match: Match
    refs: tuple[Ref, ...]
    via: tuple[int, ...] = ()


@dataclass(slots=True)
class Walk:
    """What a walk has found: headers, and the links of every batch it has looked behind."""

    nodes: dict[Ref, StoredNode]
    links: dict[Ref, list[Link]] = field(default_factory=dict)
    truncated: bool = False


def match_of(parent: StoredParent) -> Match:
    """How exactly a parent was named."""
    if parent.batch_id is not None:
        return Match.EXACT
    if parent.partition is not None:
        return Match.PARTITION
    return Match.WINDOW if parent.window_start is not None or parent.window_end is not None else Match.LATEST


def named(parent: StoredParent, pipeline: str) -> str:
    """A parent as its child names it, for people: ``pipeline/dataset`` and whatever narrows it down."""
    narrower = parent.batch_id if parent.batch_id is not None else parent.partition
    where = f"{parent.pipeline or pipeline}/{parent.dataset}"
    return where if narrower is None else f"{where}/{narrower}"


def walk_up(lookup: Lookup, start: dict[Ref, StoredNode]) -> Walk:
    """Everything upstream of ``start``, at most 2,000 batches and 64 hops."""
    walk = Walk(nodes=dict(start))
    layer = list(start)
    for _ in range(DEEPEST):
        if not layer:
            return walk
        found = parents_of(lookup, [(ref, parent) for ref in layer for parent in walk.nodes[ref].parents], walk.nodes)
        fresh: list[Ref] = []
        for ref in layer:
            walk.links[ref] = found.get(ref, [])
            fresh += [up for link in walk.links[ref] for up in link.refs]
        layer = advance(lookup, walk, fresh)
    walk.truncated = walk.truncated or bool(layer)
    return walk


def advance(lookup: Lookup, walk: Walk, found: Iterable[Ref]) -> list[Ref]:
    """Load the headers of what is new to the walk: the next layer."""
    fresh = [ref for ref in dict.fromkeys(found) if ref not in walk.nodes]
    room = MOST_NODES - len(walk.nodes)
    walk.truncated = walk.truncated or len(fresh) > room
    walk.nodes |= lookup.nodes(fresh[:room])
    return [ref for ref in fresh[:room] if ref in walk.nodes]


def parents_of(
    lookup: Lookup, asked: Sequence[tuple[Ref, StoredParent]], nodes: dict[Ref, StoredNode]
) -> dict[Ref, list[Link]]:
    """The links from each batch to its parents, in the order in which it names them."""
    by_text = _named_exactly(lookup, asked, nodes)
    by_window = _named_by_window(lookup, asked, nodes)
    by_time = _named_loosely(lookup, asked, nodes)
    links: dict[Ref, list[Link]] = {}
    for ref, parent in asked:
        match = match_of(parent)
        found: Sequence[Ref]
        if match in (Match.EXACT, Match.PARTITION):
            found = by_text[ref, parent]
        else:
            found = by_window[ref, parent] if match is Match.WINDOW else by_time[ref, parent]
        links.setdefault(ref, []).append(Link(named(parent, nodes[ref].pipeline), match, tuple(found)))
    return links


_Asked = tuple[Ref, StoredParent]


def _named_exactly(
    lookup: Lookup, asked: Sequence[_Asked], nodes: dict[Ref, StoredNode]
) -> dict[_Asked, tuple[Ref, ...]]:
    ids, partitions = {}, {}
    for ref, parent in asked:
        pipeline = parent.pipeline or nodes[ref].pipeline
        if parent.batch_id is not None:
            ids[ref, parent] = batch_text(pipeline, parent.dataset, parent.batch_id)
        elif parent.partition is not None:
            partitions[ref, parent] = partition_text(pipeline, parent.dataset, parent.partition)
    near = _days_around(nodes[ref].arrived_at for ref, _ in ids)
    found = lookup.find_near(ids.values(), near) | lookup.find(partitions.values())
    several = lookup.nodes(ref for refs in found.values() if len(refs) > 1 for ref in refs)
    return {key: _made_before(found[text], several, nodes[key[0]].at) for key, text in (ids | partitions).items()}


def _days_around(times: Iterable[Micros]) -> range:
    days = [day_of(at) for at in times]
    return range(min(days) - 1, max(days) + 2) if days else range(0)


def _made_before(refs: Sequence[Ref], nodes: dict[Ref, StoredNode], at: Micros) -> tuple[Ref, ...]:
    """Of several makings of one batch the last one before ``at``, or the first where all came later."""
    if len(refs) < 2:
        return tuple(refs)
    known = sorted((nodes[ref].at, ref) for ref in refs if ref in nodes)
    before = [ref for made, ref in known if made <= at]
    return (before[-1],) if before else tuple(ref for _, ref in known[:1])


def _named_by_window(
    lookup: Lookup, asked: Sequence[_Asked], nodes: dict[Ref, StoredNode]
) -> dict[_Asked, tuple[Ref, ...]]:
    ours = [key for key in asked if match_of(key[1]) is Match.WINDOW]
    spans = []
    for ref, parent in ours:
        start, end = parent.window_start, parent.window_end
        child = nodes[ref]
        low = start if start is not None else end if end is not None else child.at
        spans.append((f"{parent.pipeline or child.pipeline}/{parent.dataset}", low, max(low, child.at)))
    found = lookup.between(spans) if spans else []
    headers = lookup.nodes(ref for refs in found for ref in refs)
    return {
        key: tuple(ref for ref in refs if ref != key[0] and ref in headers and overlaps(key[1], headers[ref]))
        for key, refs in zip(ours, found, strict=True)
    }


def overlaps(parent: StoredParent, made: StoredNode) -> bool:
    """Whether a batch covers some of the window a child names; a batch without a window counts by when it was made."""
    start, end = made.window
    first = start if start is not None else made.at
    last = end if end is not None else made.at + 1
    after = parent.window_start is None or last > parent.window_start
    return after and (parent.window_end is None or first < parent.window_end)


def _named_loosely(
    lookup: Lookup, asked: Sequence[_Asked], nodes: dict[Ref, StoredNode]
) -> dict[_Asked, tuple[Ref, ...]]:
    ours = [key for key in asked if match_of(key[1]) is Match.LATEST]
    if not ours:
        return {}
    spots = [_spot(parent, nodes[ref]) for ref, parent in ours]
    return {key: () if found is None else (found,) for key, found in zip(ours, lookup.latest(spots), strict=True)}


def _spot(parent: StoredParent, child: StoredNode) -> tuple[str, Micros]:
    pipeline = parent.pipeline or child.pipeline
    itself = (pipeline, parent.dataset) == (child.pipeline, child.name)
    return f"{pipeline}/{parent.dataset}", child.at - 1 if itself else child.at
