"""Reading the index: traces, alerts, and the predictions that a fault reached."""

from collections.abc import Iterator, Mapping
from typing import cast

import redis

from diagnosis.alert import Alert
from diagnosis.provenance import PredictionRef
from streams.index.connection import connect
from streams.index.downward import walk_down, windows_of
from streams.index.keys import Keys, Micros, Ref
from streams.index.lookup import MAKINGS, Lookup
from streams.index.stored import StoredNode, alert_from_bytes
from streams.index.texts import batch_text, id_text, prediction_text
from streams.index.trace import Reached, Trace, TracedPrediction
from streams.index.tree import Tree, node_of, scored
from streams.index.upward import Walk, walk_up
from streams.settings import Settings

WIDEST = 50
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

    def trace(self, asked: str, widest: int = WIDEST) -> Trace:
        """The trace of a batch, a window or a prediction by its id, or of ``pipeline/dataset/batch_id``.

        widest: batches and windows that are followed on each level, those made first; what a trace costs grows with it.

        Raises:
            NotFound: nothing has this id, or it has expired.
            Ambiguous: batches of several datasets have it.
        """
        lookup = Lookup(self._redis, self._keys, widest)
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

        Of whatever pipelines; lazily, window by window: there may be millions.
        """
        lookup = Lookup(self._redis, self._keys, None)
        home = (hop.pipeline for hop in alert.path if hop.dataset == alert.cause.component)
        subject = f"{next(home, alert.pipeline)}/{alert.cause.component}"
        end = alert.resolved_at if alert.resolved_at is not None else alert.detected_at
        begun = alert.onset.earliest if alert.last_good is None else alert.last_good.at + 1
        (made,) = lookup.made([(subject, begun, max(end, alert.onset.latest))])
        for window, via in windows_of(walk_down(lookup, lookup.nodes(made.refs))).items():
            for event in lookup.events([window]).get(window, ()):
                if not set(via).isdisjoint(event.parents):
                    yield from event.ids

    def _batch(self, lookup: Lookup, asked: str) -> tuple[Ref, StoredNode] | None:
        texts = [id_text(asked)]
        if asked.count("/") >= 2:
            texts.append(batch_text(*asked.split("/", 2)))
        nodes = lookup.nodes(ref for made in lookup.find(texts, MAKINGS).values() for ref in made.refs)
        named = {f"{node.pipeline}/{node.name}": (ref, node) for ref, node in sorted(nodes.items())}
        whole = {subject: found for subject, found in named.items() if f"{subject}/{found[1].batch_id}" == asked}
        several = whole or named
        if len(several) > 1:
            raise Ambiguous(asked, tuple(f"{subject}/{node.batch_id}" for subject, (_, node) in several.items()))
        return next(iter(several.values()), None)

    def _prediction(self, lookup: Lookup, asked: str) -> tuple[Ref, StoredNode, PredictionRef] | None:
        refs = lookup.find([prediction_text(asked)], MAKINGS)[prediction_text(asked)].refs
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
    windows = windows_of(down)
    return Trace(
        asked=asked,
        node=node_of(node),
        up=Tree(up).below(ref),
        more_up=up.not_followed(ref),
        down=Tree(down).below(ref),
        more_down=down.not_followed(ref),
        reached=_reached(down, windows),
        truncated=up.truncated or down.truncated,
    )


def _reached(down: Walk, windows: Mapping[Ref, tuple[int, ...]]) -> Reached:
    predictions = sum(scored(down.nodes[window], via).rows for window, via in windows.items())
    return Reached(batches=len(down.nodes) - 1 - len(windows), windows=len(windows), predictions=predictions)


def _trace_of_prediction(lookup: Lookup, asked: str, ref: Ref, node: StoredNode, event: PredictionRef) -> Trace:
    up = walk_up(lookup, {ref: node})
    links = up.links[ref]
    mine = [links[i] for i in event.parents if i < len(links)] or links
    return Trace(
        asked=asked,
        node=node_of(node),
        prediction=TracedPrediction(prediction_id=asked, origin=event.origin, at=event.at, trace_id=event.trace_id),
        up=Tree(up).along(mine),
        truncated=up.truncated,
    )


def open_reader(settings: Settings) -> Reader:
    """The configured index, for reading.

    Raises:
        IndexMissing: no Redis is configured.
    """
    return Reader(connect(settings), Keys(settings.topic_prefix))
