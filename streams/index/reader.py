"""Reading the index: traces, alerts, and the predictions that a fault reached."""

from collections.abc import Iterator
from typing import cast

import redis

from diagnosis.alert import Alert
from diagnosis.observation import ObservationKind, PredictionRef
from streams.index.downward import walk_down, windows_of
from streams.index.index import connect
from streams.index.keys import Keys, Micros, Ref
from streams.index.lookup import Lookup
from streams.index.stored import StoredNode, alert_from_bytes
from streams.index.trace import Trace, TracedPrediction
from streams.index.tree import Tree, node_of
from streams.index.upward import walk_up
from streams.index.writing import batch_text, id_text, prediction_text
from streams.settings import Settings

MOST_WINDOWS = 200
_SCAN = 1000


class NotFound(LookupError):
    """Nothing in the index has this id."""


class Ambiguous(LookupError):
    """Several things have this id; ``candidates`` names them apart."""

    def __init__(self, asked: str, candidates: tuple[str, ...]) -> None:
        super().__init__(f"{asked!r} is not unique: {', '.join(candidates)}")
        self.candidates = candidates


class Reader:
    """Answers from the index. Every method raises ``redis.RedisError`` when Redis is away."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._redis = client
        self._keys = keys

    def trace(self, asked: str) -> Trace:
        """The trace of a batch, a window or a prediction by its id, or of ``pipeline/dataset/batch_id``.

        Raises:
            NotFound: nothing has this id, or it has expired.
            Ambiguous: batches of several datasets have it.
        """
        lookup = Lookup(self._redis, self._keys)
        found = self._batch(lookup, asked)
        if found is not None:
            return _trace_of_batch(lookup, asked, *found)
        prediction = self._prediction(lookup, asked)
        if prediction is not None:
            return _trace_of_prediction(lookup, asked, *prediction)
        raise NotFound(f"no batch and no prediction {asked!r} in the index (it may have expired, or not be read yet)")

    def alert(self, alert_id: str) -> Alert:
        """The latest revision of an alert, by its id or a prefix that no other alert's id begins with.

        Raises:
            NotFound, Ambiguous: as they say.
        """
        found = self._alerts([alert_id]) or self._alerts(self._starting_with(alert_id))
        if not found:
            raise NotFound(f"no alert {alert_id!r} in the index")
        if len(found) > 1:
            raise Ambiguous(alert_id, tuple(alert.alert_id for alert in found))
        return found[0]

    def alerts(self, pipeline: str | None = None, since: Micros | None = None) -> list[Alert]:
        """The latest revision of every alert of which one was published since a time, by when they were detected."""
        low: Micros | str = "-inf" if since is None else since
        ids = cast(list[bytes], self._redis.zrangebyscore(self._keys.alerts(pipeline), low, "+inf"))
        alerts = self._alerts([found.decode() for found in ids])
        return sorted(alerts, key=lambda alert: (alert.detected_at, alert.alert_id))

    def affected(self, alert: Alert) -> Iterator[str]:
        """The ids of the predictions scored with the cause's batches since the onset, or with what came of them.

        Lazily, window by window: there may be millions.
        """
        lookup = Lookup(self._redis, self._keys)
        subject = f"{alert.pipeline}/{alert.cause.component}"
        end = alert.resolved_at if alert.resolved_at is not None else alert.detected_at
        begun = alert.onset.earliest if alert.last_good is None else alert.last_good.at + 1
        (refs,) = lookup.between([(subject, begun, max(end, alert.onset.latest))])
        walk = walk_down(lookup, lookup.nodes(refs))
        vias: dict[Ref, set[int]] = {}
        for links in walk.links.values():
            for link in links:
                for made in link.refs:
                    vias.setdefault(made, set()).update(link.via)
        for window in windows_of(walk):
            for event in lookup.events([window]).get(window, ()):
                if not vias[window].isdisjoint(event.parents):
                    yield from event.ids

    def _batch(self, lookup: Lookup, asked: str) -> tuple[Ref, StoredNode] | None:
        texts = [id_text(asked)]
        if asked.count("/") >= 2:
            texts.append(batch_text(*asked.split("/", 2)))
        nodes = lookup.nodes(ref for refs in lookup.find(texts).values() for ref in refs)
        named = {f"{node.pipeline}/{node.name}": (ref, node) for ref, node in sorted(nodes.items())}
        whole = {subject: found for subject, found in named.items() if f"{subject}/{found[1].batch_id}" == asked}
        several = whole or named
        if len(several) > 1:
            raise Ambiguous(asked, tuple(f"{subject}/{node.batch_id}" for subject, (_, node) in several.items()))
        return next(iter(several.values()), None)

    def _prediction(self, lookup: Lookup, asked: str) -> tuple[Ref, StoredNode, PredictionRef] | None:
        refs = lookup.find([prediction_text(asked)])[prediction_text(asked)]
        for ref, events in reversed(lookup.events(refs).items()):
            event = next((event for event in reversed(events) if asked in event.ids), None)
            node = lookup.nodes([ref]).get(ref)
            if event is not None and node is not None:
                return ref, node, event
        return None

    def _starting_with(self, prefix: str) -> list[str]:
        pattern = "".join(f"\\{letter}" if letter in "*?[]\\^-" else letter for letter in prefix) + "*"
        found = self._redis.zscan_iter(self._keys.alerts(None), match=pattern, count=_SCAN)
        return sorted({name.decode() for name, _ in found})

    def _alerts(self, ids: list[str]) -> list[Alert]:
        if not ids:
            return []
        stored = cast(list[bytes | None], self._redis.mget([self._keys.alert(alert_id) for alert_id in ids]))
        return [alert_from_bytes(found) for found in stored if found is not None]


def _trace_of_batch(lookup: Lookup, asked: str, ref: Ref, node: StoredNode) -> Trace:
    up, down = walk_up(lookup, {ref: node}), walk_down(lookup, {ref: node})
    windows = windows_of(down)[:MOST_WINDOWS] if node.kind is ObservationKind.BATCH else []
    return Trace(
        asked=asked,
        node=node_of(node),
        up=Tree(up, {}).below(ref),
        down=Tree(down, lookup.events(windows)).below(ref),
        truncated=up.truncated or down.truncated,
    )


def _trace_of_prediction(lookup: Lookup, asked: str, ref: Ref, node: StoredNode, event: PredictionRef) -> Trace:
    up = walk_up(lookup, {ref: node})
    links = up.links[ref]
    mine = [links[i] for i in event.parents if i < len(links)] or links
    return Trace(
        asked=asked,
        node=node_of(node),
        prediction=TracedPrediction(prediction_id=asked, origin=event.origin, at=event.at, trace_id=event.trace_id),
        up=Tree(up, {}).along(mine),
        truncated=up.truncated,
    )


def open_reader(settings: Settings) -> Reader:
    """The configured index, for reading.

    Raises:
        IndexMissing: no Redis is configured.
    """
    return Reader(connect(settings), Keys(settings.topic_prefix))
