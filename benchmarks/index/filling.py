"""Writing a history into an index as the index agent does, and weighing what Redis then keeps."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import redis

from benchmarks.index.world import World
from benchmarks.report import Report
from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind
from streams.index.index import open_index
from streams.index.writing import Logged
from streams.settings import Settings

RECORDS_PER_TRANSACTION = 200
KEYS_PER_LOOK = 1_000
ENDLESS = ("version", "shelves", "alerts", "position")  # the few keys of the index that never expire


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """How many there are of everything, and the seconds it took to write them."""

    batches: int
    windows: int
    predictions: int
    seconds: float


def fill(settings: Settings, world: World, alerts: Iterable[Alert], report: Report) -> Filled:
    """Everything of a world, through the product's own writing path."""
    index = open_index(settings)
    index.open()
    told = [Logged(partition=0, offset=i, stored_at=world.end, value=alert) for i, alert in enumerate(alerts)]
    index.apply([], told, {})
    began, counts, seen = time.monotonic(), Counter[ObservationKind](), 0
    for records in _portions(world.log()):
        index.apply(records, [], {("observations", 0): records[-1].offset + 1})
        counts.update(record.value.kind for record in records)
        tenths = 10 * counts[ObservationKind.WINDOW] // world.rounds
        if tenths > seen:
            seen = tenths
            report.say(f"  {tenths * 10:3} % written, {time.monotonic() - began:.0f} s")
    windows = counts[ObservationKind.WINDOW]
    return Filled(
        batches=counts[ObservationKind.BATCH],
        windows=windows,
        predictions=windows * world.scored,
        seconds=time.monotonic() - began,
    )


def _portions(log: Iterator[Logged[Observation]]) -> Iterator[list[Logged[Observation]]]:
    while records := list(islice(log, RECORDS_PER_TRANSACTION)):
        yield records


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Bytes by kind of key (the letter after ``index:``), and keys that would stay for ever."""

    kinds: dict[str, int]
    endless: int


def weigh(client: "redis.Redis", settings: Settings) -> Weight:
    """Ask Redis for every key of an index what it takes and when it goes."""
    kinds, endless, space = Counter[str](), 0, f"{settings.topic_prefix}index:"
    keys = cast(Iterator[bytes], client.scan_iter(match=f"{space}*", count=KEYS_PER_LOOK))
    while some := list(islice(keys, KEYS_PER_LOOK)):
        pipeline = client.pipeline(transaction=False)
        for key in some:
            pipeline.memory_usage(key, samples=0)
            pipeline.pttl(key)
        answers: list[Any] = pipeline.execute()
        for key, size, lasts in zip(some, answers[::2], answers[1::2], strict=True):
            kind = key.decode().removeprefix(space).split("/")[0]
            kinds[kind] += size or 0
            endless += lasts == -1 and kind not in ENDLESS
    return Weight(kinds=dict(kinds), endless=endless)


def used_bytes(client: "redis.Redis") -> int:
    """What Redis has allocated by now."""
    return int(cast(dict[str, Any], client.info("memory"))["used_memory"])
