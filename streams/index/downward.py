"""Walking down: from a batch to everything that was made from it, and to the predictions scored with it."""

from collections.abc import Sequence

from diagnosis.alert import Match
from diagnosis.observation import ObservationKind, Parent
from streams.index.keys import DAY_MICROS, Micros, Ref, day_of
from streams.index.lookup import DAYS_SEARCHED, Lookup
from streams.index.stored import StoredNode, StoredParent
from streams.index.upward import DEEPEST, Link, Walk, advance, match_of, named, overlaps
from streams.index.writing import child_text, partition_text

CHILDREN_SEARCHED = 2_000


def walk_down(lookup: Lookup, start: dict[Ref, StoredNode]) -> Walk:
    """Everything made from ``start``, at most 2,000 batches and windows and 64 hops."""
    walk = Walk(nodes=dict(start))
    layer = [ref for ref, node in start.items() if node.kind is ObservationKind.BATCH]
    for _ in range(DEEPEST):
        if not layer:
            return walk
        found = children_of(lookup, {ref: walk.nodes[ref] for ref in layer})
        fresh: list[Ref] = []
        for ref in layer:
            walk.links[ref] = found[ref]
            fresh += [down for link in found[ref] for down in link.refs]
        layer = [ref for ref in advance(lookup, walk, fresh) if walk.nodes[ref].kind is ObservationKind.BATCH]
    walk.truncated = walk.truncated or bool(layer)
    return walk


def children_of(lookup: Lookup, batches: dict[Ref, StoredNode]) -> dict[Ref, list[Link]]:
    """For each batch the links to its children, in the order in which they were made.

    A child that names only the dataset, or a partition that was made again, belongs to the last batch before it.
    """
    until = _superseded_at(lookup, batches)
    texts = {ref: _texts(node, until[ref], _subject(node) in lookup.loose()) for ref, node in batches.items()}
    found = lookup.find(text for asked in texts.values() for text in asked)
    candidates = {ref: [child for text in asked for child in found[text]] for ref, asked in texts.items()}
    children = lookup.nodes(child for refs in candidates.values() for child in refs[:CHILDREN_SEARCHED])
    links: dict[Ref, list[Link]] = {}
    for ref, node in batches.items():
        mine = dict.fromkeys(child for child in candidates[ref] if child in children and child != ref)
        tried = (_link(child, children[child], node, until[ref]) for child in mine)
        kept = [link for link in tried if link is not None]
        links[ref] = sorted(kept, key=lambda link: (children[link.refs[0]].at, link.refs))
    return links


def _link(ref: Ref, child: StoredNode, batch: StoredNode, until: "Until") -> Link | None:
    via = [i for i, parent in enumerate(child.parents) if _means(parent, child, batch, until)]
    if not via:
        return None
    parent = child.parents[via[0]]
    return Link(named(parent, child.pipeline), match_of(parent), (ref,), tuple(via))


Until = tuple[Micros | None, Micros | None]  # when the dataset, and when this partition, had its next batch


def _superseded_at(lookup: Lookup, batches: dict[Ref, StoredNode]) -> dict[Ref, Until]:
    loose = {ref: node for ref, node in batches.items() if _subject(node) in lookup.loose()}
    times = lookup.next_times([(_subject(node), node.at) for node in loose.values()]) if loose else []
    following = dict(zip(loose, times, strict=True))
    texts = {
        ref: partition_text(node.pipeline, node.name, node.partition)
        for ref, node in batches.items()
        if node.partition is not None
    }
    found = lookup.find(texts.values())
    again = lookup.nodes(other for refs in found.values() for other in refs)
    partitions = {ref: [again[o].at for o in found[text] if o in again] for ref, text in texts.items()}
    return {
        ref: (following.get(ref), min((at for at in partitions.get(ref, ()) if at > node.at), default=None))
        for ref, node in batches.items()
    }


def _subject(node: StoredNode) -> str:
    return f"{node.pipeline}/{node.name}"


def _texts(batch: StoredNode, until: Until, loosely: bool) -> list[str]:
    where = (batch.name, batch.pipeline)
    texts = [child_text(Parent(dataset=where[0], batch_id=batch.batch_id), batch.pipeline, 0)]
    if batch.partition is not None:
        texts.append(child_text(Parent(dataset=where[0], partition=batch.partition), batch.pipeline, 0))
    if not loosely:
        return texts
    end = batch.at + (DAYS_SEARCHED - 1) * DAY_MICROS if until[0] is None else until[0]
    last = min(day_of(max(end, (batch.window[1] or batch.at) + DAY_MICROS)), day_of(batch.at) + DAYS_SEARCHED - 1)
    unnamed = Parent(dataset=where[0])
    return texts + [child_text(unnamed, batch.pipeline, day) for day in range(day_of(batch.at), last + 1)]


def _means(parent: StoredParent, child: StoredNode, batch: StoredNode, until: Until) -> bool:
    if (parent.pipeline or child.pipeline, parent.dataset) != (batch.pipeline, batch.name):
        return False
    match = match_of(parent)
    if match is Match.EXACT:
        return parent.batch_id == batch.batch_id
    if match is Match.PARTITION:
        return parent.partition == batch.partition and _while_current(child.at, batch.at, until[1])
    if match is Match.WINDOW:
        return child.at >= batch.at and overlaps(parent, batch)
    return _while_current(child.at, batch.at, until[0])


def _while_current(at: Micros, made: Micros, superseded: Micros | None) -> bool:
    return at >= made and (superseded is None or at < superseded)


def windows_of(walk: Walk) -> Sequence[Ref]:
    """The windows a walk has reached."""
    return [ref for ref, node in walk.nodes.items() if node.kind is ObservationKind.WINDOW]
