"""Walking up: from a batch to the batches it was made from, layer by layer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from diagnosis.alert import Match
from streams.index.keys import Micros, Ref
from streams.index.lookup import MAKINGS, Found, Lookup
from streams.index.stored import StoredNode, StoredParent
from streams.index.texts import batch_text, is_loose, partition_text, window_start

DEEPEST = 64
TRIED_PER_KEPT = 10  # headers looked at per batch that a level may hold


@dataclass(frozen=True, slots=True)
class Link:
    """One way from a batch to the next: how it was named, how matched, and what was found (nothing: never seen)."""

    named: str
    match: Match
    refs: tuple[Ref, ...]
    via: tuple[int, ...] = ()


@dataclass(slots=True)
class Walk:
    """What a walk has found: headers, and the links of every batch it has looked behind.

    left_out: per batch, what lies behind it beyond what was asked for. cut: what was found and did not fit its level.
    """

    nodes: dict[Ref, StoredNode]
    links: dict[Ref, list[Link]] = field(default_factory=dict)
    left_out: dict[Ref, int] = field(default_factory=dict)
    cut: set[Ref] = field(default_factory=set)
    too_deep: bool = False

    @property
    def truncated(self) -> bool:
        """Whether there is more than the walk has found."""
        return self.too_deep or any(map(self.not_followed, self.links))

    def not_followed(self, ref: Ref) -> int:
        """How many of the batches and windows behind one are not in the walk."""
        found = (other for link in self.links.get(ref, ()) for other in link.refs)
        return self.left_out.get(ref, 0) + sum(other in self.cut and other not in self.nodes for other in found)


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
    """Everything upstream of ``start``: of each of at most 64 levels as many batches as ``lookup`` wants."""
    walk = Walk(nodes=dict(start))
    level = list(start)
    for _ in range(DEEPEST):
        if not level:
            return walk
        walk.links |= parents_of(lookup, walk, level)
        level = advance(lookup, walk, [up for ref in level for link in walk.links[ref] for up in link.refs])
    walk.too_deep = bool(level)
    return walk


def advance(lookup: Lookup, walk: Walk, found: Iterable[Ref]) -> list[Ref]:
    """Load the headers of what is new to the walk: the next level, those made first where there are too many."""
    fresh = [ref for ref in dict.fromkeys(found) if ref not in walk.nodes]
    headers = lookup.nodes(tried(lookup, fresh))
    level = sorted(headers, key=lambda ref: (headers[ref].at, ref))[: lookup.most]
    walk.nodes |= {ref: headers[ref] for ref in level}
    walk.cut |= set(headers).difference(level) | set(fresh[len(list(tried(lookup, fresh))) :])
    return level


def tried(lookup: Lookup, refs: Iterable[Ref]) -> Iterator[Ref]:
    """Those of a level whose headers are worth a look."""
    return islice(refs, None if lookup.most is None else TRIED_PER_KEPT * lookup.most)


_Asked = tuple[Ref, StoredParent]


def parents_of(lookup: Lookup, walk: Walk, level: Sequence[Ref]) -> dict[Ref, list[Link]]:
    """The links from each batch of a level to its parents, in the order in which it names them."""
    asked = [(ref, parent) for ref in level for parent in walk.nodes[ref].parents]
    found = _named_exactly(lookup, asked, walk.nodes)
    found |= _named_by_window(lookup, asked, walk.nodes)
    found |= _named_loosely(lookup, asked, walk.nodes)
    links: dict[Ref, list[Link]] = {ref: [] for ref in level}
    for ref, parent in asked:
        up = found[ref, parent]
        links[ref].append(Link(named(parent, walk.nodes[ref].pipeline), match_of(parent), up.refs))
        walk.left_out[ref] = walk.left_out.get(ref, 0) + up.left_out
    return links


def _named_exactly(lookup: Lookup, asked: Sequence[_Asked], nodes: Mapping[Ref, StoredNode]) -> dict[_Asked, Found]:
    texts = {}
    for ref, parent in asked:
        pipeline = parent.pipeline or nodes[ref].pipeline
        if parent.batch_id is not None:
            texts[ref, parent] = batch_text(pipeline, parent.dataset, parent.batch_id)
        elif parent.partition is not None:
            texts[ref, parent] = partition_text(pipeline, parent.dataset, parent.partition)
    found = lookup.find(texts.values(), MAKINGS)
    several = lookup.nodes(ref for made in found.values() if len(made.refs) > 1 for ref in made.refs)
    return {key: Found(_made_before(found[text].refs, several, nodes[key[0]].at)) for key, text in texts.items()}


def _made_before(refs: Sequence[Ref], nodes: Mapping[Ref, StoredNode], at: Micros) -> tuple[Ref, ...]:
    """Of several makings of one batch the last one before ``at``, or the first where all came later."""
    if len(refs) < 2:
        return tuple(refs)
    known = sorted((nodes[ref].at, ref) for ref in refs if ref in nodes)
    before = [ref for made, ref in known if made <= at]
    return (before[-1],) if before else tuple(ref for _, ref in known[:1])


def _named_by_window(lookup: Lookup, asked: Sequence[_Asked], nodes: Mapping[Ref, StoredNode]) -> dict[_Asked, Found]:
    spans = {}
    for ref, parent in asked:
        start = window_start(parent, nodes[ref].at) if is_loose(parent) else None
        if start is not None:
            spans[ref, parent] = (_subject(parent, nodes[ref]), start, max(start, nodes[ref].at))
    found = dict(zip(spans, lookup.made(list(spans.values())), strict=True))
    headers = lookup.nodes(ref for made in found.values() for ref in made.refs)
    return {
        key: replace(
            made, refs=tuple(r for r in made.refs if r != key[0] and r in headers and overlaps(key[1], headers[r]))
        )
        for key, made in found.items()
    }


def overlaps(parent: StoredParent, made: StoredNode) -> bool:
    """Whether a batch covers some of the window a child names."""
    first, last = covers(made)
    after = parent.window_start is None or last > parent.window_start
    return after and (parent.window_end is None or first < parent.window_end)


def covers(made: StoredNode) -> tuple[Micros, Micros]:
    """The window of a batch, its end not included; a batch without one counts by when it was made."""
    start, end = made.window
    return start if start is not None else made.at, end if end is not None else made.at + 1


def _named_loosely(lookup: Lookup, asked: Sequence[_Asked], nodes: Mapping[Ref, StoredNode]) -> dict[_Asked, Found]:
    ours = [key for key in asked if match_of(key[1]) is Match.LATEST]
    spots = [_spot(parent, nodes[ref]) for ref, parent in ours]
    latest = zip(ours, lookup.latest(spots), strict=True)
    return {key: Found() if found is None else Found((found,)) for key, found in latest}


def _spot(parent: StoredParent, child: StoredNode) -> tuple[str, Micros]:
    subject = _subject(parent, child)
    return subject, child.at - 1 if subject == child.subject else child.at


def _subject(parent: StoredParent, child: StoredNode) -> str:
    return f"{parent.pipeline or child.pipeline}/{parent.dataset}"
