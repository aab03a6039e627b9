"""The layout anybody would begin with: JSON per batch, a set of children per batch, a hash per prediction."""

import json
from collections.abc import Iterator

import redis

from benchmarks.index.world import World
from diagnosis.observation import Observation
from diagnosis.provenance import Parent

COMMANDS_PER_CALL = 5_000


def fill(client: "redis.Redis", world: World) -> None:
    """The same history; children that name only a dataset or a window are stored under the dataset's name."""
    pipeline = client.pipeline(transaction=False)
    for logged in world.log():
        seen = logged.value
        pipeline.set(f"b:{_place(seen.pipeline, seen.name, seen.batch_id)}", json.dumps(_header(seen)))
        for parent in seen.parents:
            pipeline.sadd(f"c:{_named(seen.pipeline, parent)}", _place(seen.pipeline, seen.name, seen.batch_id))
        for event in seen.predictions:
            fields = {"window": seen.batch_id, "at": event.at, "offset": event.origin.offset}
            pipeline.hset(f"p:{event.ids[0]}", mapping=fields)
        if len(pipeline) > COMMANDS_PER_CALL:
            pipeline.execute()
    pipeline.execute()


def descendants(client: "redis.Redis", place: str) -> int:
    """How many batches and windows were made from one, level by level, a round trip each; unbounded."""
    known, level = {place}, [place]
    while level:
        level = [child for children in _children(client, level) for child in children if child not in known]
        level = list(dict.fromkeys(level))
        known.update(level)
    return len(known) - 1


def _children(client: "redis.Redis", level: list[str]) -> Iterator[list[str]]:
    pipeline = client.pipeline(transaction=False)
    for place in level:
        pipeline.smembers(f"c:{place}")
        pipeline.get(f"b:{place}")
    for children in pipeline.execute()[::2]:
        yield sorted(child.decode() for child in children)


def _header(seen: Observation) -> dict[str, object]:
    return {
        "kind": seen.kind,
        "at": seen.at,
        "arrived_at": seen.arrived_at,
        "rows": seen.rows,
        "stage": seen.stage,
        "run": [seen.run_id, seen.run_kind, seen.run_status],
        "versions": dict(seen.versions),
        "origin": [seen.origin.topic, seen.origin.partition, seen.origin.offset] if seen.origin else None,
        "parents": [_named(seen.pipeline, parent) for parent in seen.parents],
    }


def _place(pipeline: str, name: str, batch_id: str) -> str:
    return f"{pipeline}/{name}/{batch_id}"


def _named(pipeline: str, parent: Parent) -> str:
    return _place(pipeline, parent.dataset, parent.batch_id or parent.partition or "")
