"""Walking down: from a batch to everything that was made from it, and to the predictions scored with it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from diagnosis.alert import Match
from diagnosis.provenance import ObservationKind, Parent
from streams.index.keys import DAY_MICROS, Micros, Ref
from streams.index.lookup import DAYS_SEARCHED, MAKINGS, Found, Lookup
from streams.index.stored import StoredNode, StoredParent
from streams.index.texts import child_text, partition_text
from streams.index.upward import DEEPEST, Link, Walk, advance, covers, match_of, named, overlaps, tried


def walk_down(lookup: Lookup, start: dict[Ref, StoredNode]) -> Walk:
    """Everything made from ``start``: of each of at most 64 levels as many batches and windows as ``lookup`` wants."""
    walk = Walk(nodes=dict(start))
    level = [ref for ref, node in start.items() if node.kind is ObservationKind.BATCH]
    for _ in range(DEEPEST):
        if not level:
            return walk
        walk.links |= children_of(lookup, walk, level)
        below = advance(lookup, walk, [down for ref in level for link in walk.links[ref] for down in link.refs])
        level = [ref for ref in below if walk.nodes[ref].kind is ObservationKind.BATCH]
    walk.too_deep = bool(level)
    return walk


def children_of(lookup: Lookup, walk: Walk, level: Sequence[Ref]) -> dict[Ref, list[Link]]:
    """For each batch of a level the links to its children, in the order in which they were made.

    A child that names only the dataset, or a partition that was made again, belongs to the last batch before it.
    """
    batches = {ref: walk.nodes[ref] for ref in level}
    until = _superseded_at(lookup, batches)
    found = _named_exactly(lookup, batches), *_named_loosely(lookup, batches, until)
    candidates = {
        ref: dict.fromkeys(child for one in found for child in one[ref].refs if child != ref) for ref in level
    }
    looked_at = set(tried(lookup, chain.from_iterable(candidates.values())))
    headers = lookup.nodes(looked_at)
    links: dict[Ref, list[Link]] = {}
    for ref, node in batches.items():
        children = {child: headers[child] for child in candidates[ref] if child in headers}
        made = (_link(child, header, node, until[ref]) for child, header in children.items())
        links[ref] = sorted((link for link in made if link), key=lambda link: (headers[link.refs[0]].at, link.refs))
        walk.left_out[ref] = sum(one[ref].left_out for one in found) + len(candidates[ref].keys() - looked_at)
    return links


def _named_exactly(lookup: Lookup, batches: Mapping[Ref, StoredNode]) -> dict[Ref, Found]:
    texts = {ref: list(_texts(node)) for ref, node in batches.items()}
    found = lookup.find((text for asked in texts.values() for text in asked), lookup.most)
    return {ref: _together(found[text] for text in asked) for ref, asked in texts.items()}


def _named_loosely(
    lookup: Lookup, batches: Mapping[Ref, StoredNode], until: Mapping[Ref, "Until"]
) -> tuple[dict[Ref, Found], dict[Ref, Found]]:
    loose = {ref: node for ref, node in batches.items() if node.subject in lookup.loose()}
    ends = {ref: until[ref][0] or node.at + DAYS_SEARCHED * DAY_MICROS for ref, node in loose.items()}
    current = [(node.subject, node.at, ends[ref]) for ref, node in loose.items()]
    covered = [(node.subject, *covers(node)) for node in loose.values()]
    nothing = dict.fromkeys(batches, Found())
    readers, spans = lookup.readers(current), lookup.spans(covered)
    return nothing | dict(zip(loose, readers, strict=True)), nothing | dict(zip(loose, spans, strict=True))


def _together(found: Iterator[Found]) -> Found:
    parts = list(found)
    return Found(tuple(ref for part in parts for ref in part.refs), sum(part.left_out for part in parts))


def _link(ref: Ref, child: StoredNode, batch: StoredNode, until: "Until") -> Link | None:
    via = [i for i, parent in enumerate(child.parents) if _means(parent, child, batch, until)]
    if not via:
        return None
    parent = child.parents[via[0]]
    return Link(named(parent, child.pipeline), match_of(parent), (ref,), tuple(via))


Until = tuple[Micros | None, Micros | None]  # when the dataset, and when this partition, had its next batch


def _superseded_at(lookup: Lookup, batches: Mapping[Ref, StoredNode]) -> dict[Ref, Until]:
    loose = {ref: node for ref, node in batches.items() if node.subject in lookup.loose()}
    times = lookup.next_times([(node.subject, node.at) for node in loose.values()])
    following = dict(zip(loose, times, strict=True))
    texts = {
        ref: partition_text(node.pipeline, node.name, node.partition)
        for ref, node in batches.items()
        if node.partition is not None
    }
    found = lookup.find(texts.values(), MAKINGS)
    again = lookup.nodes(other for made in found.values() for other in made.refs)
    partitions = {ref: [again[o].at for o in found[text].refs if o in again] for ref, text in texts.items()}
    return {
        ref: (following.get(ref), min((at for at in partitions.get(ref, ()) if at > node.at), default=None))
        for ref, node in batches.items()
    }


def _texts(batch: StoredNode) -> Iterator[str]:
    yield child_text(Parent(dataset=batch.name, batch_id=batch.batch_id), batch.pipeline)
    if batch.partition is not None:
        yield child_text(Parent(dataset=batch.name, partition=batch.partition), batch.pipeline)


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


def windows_of(walk: Walk) -> dict[Ref, tuple[int, ...]]:
    """The windows a walk has reached, each with those of its parents (indices) that led there."""
    vias: dict[Ref, set[int]] = {}
    for link in chain.from_iterable(walk.links.values()):
        for made in link.refs:
            if made in walk.nodes and walk.nodes[made].kind is ObservationKind.WINDOW:
                vias.setdefault(made, set()).update(link.via)
    return {ref: tuple(sorted(via)) for ref, via in vias.items()}
