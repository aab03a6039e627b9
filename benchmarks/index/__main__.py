"""The tables: ``python -m benchmarks.index [--quick] [--seed N] [--json FILE]``.

A generated pipeline's month is written into a Valkey of its own through the code that the index agent runs: a million
batches in chains of thirty hops with joins and branches, ten million predictions. Then ``trace`` and ``explain`` are
asked about random ids and about the worst there are: a batch that every other was made from, and one that a whole day
was made from. Beside ours: a single GET, and the layout anybody would begin with, on a tenth of the history.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import redis

from benchmarks.index import peer
from benchmarks.index.alerts import alert_id, alerts
from benchmarks.index.asking import Times, commanding, explaining, starting, timed, tracing
from benchmarks.index.filling import Filled, fill, used_bytes, weigh
from benchmarks.index.world import BATCHES_PER_ROUND, HOPS, PIPELINE, World, batch_id
from benchmarks.report import Report
from streams.embedded import start_valkey
from streams.index.keys import DAY_MICROS
from streams.index.reader import open_reader
from streams.index.trace import Trace
from streams.settings import Settings

EXAMPLES = """examples:
  python -m benchmarks.index                           1,000,000 batches, 10,000,000 predictions: 1.5 GB, some minutes
  python -m benchmarks.index --quick                   a tenth of it
  python -m benchmarks.index --quick --json rows.json  the numbers for a script"""
BATCHES, QUICK_BATCHES = 1_000_000, 100_000
SCORED = 400  # predictions per round: ten per batch
DAYS = 29
ALERTS = 2_000
RANDOM_IDS, PROCESSES, REPEATS = 200, 10, 20
PEERS_SHARE = 10
SECOND_MS = 1_000.0


def main() -> None:
    """Measure, print, and write where ``--json`` says."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.index", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--quick", action="store_true", help="a tenth of it, about two minutes")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", metavar="FILE", type=Path)
    chosen = options.parse_args()
    began, report = time.monotonic(), Report()
    with tempfile.TemporaryDirectory() as folder:
        world = _world(chosen.seed, QUICK_BATCHES if chosen.quick else BATCHES)
        with start_valkey(Path(folder) / "index") as server:
            measure(report, server.url, world)
        with start_valkey(Path(folder) / "peer") as server:
            _peer(report, redis.Redis.from_url(server.url), replace(world, rounds=world.rounds // PEERS_SHARE))
    report.close(chosen.seed, time.monotonic() - began, chosen.json)


def _world(seed: int, batches: int) -> World:
    end = int(time.time() * 1e6)
    rounds = batches // BATCHES_PER_ROUND
    return World(seed=seed, rounds=rounds, scored=SCORED, begin=end - DAYS * DAY_MICROS, end=end)


def measure(report: Report, url: str, world: World) -> None:
    """Fill, weigh and ask; ``url``: a Redis with nothing in it."""
    settings = Settings(_env_file=None, redis_url=url, bootstrap=None, topic_prefix="headwater.")
    client = redis.Redis.from_url(url)
    empty = used_bytes(client)
    filled = fill(settings, world, alerts(ALERTS, world.end), report)
    report.say(
        f"{filled.batches:,} batches in chains of {HOPS} hops, {filled.windows:,} windows of {filled.predictions:,} "
        f"predictions, over {DAYS} days; written in {filled.seconds:.0f} s"
    )
    _weights(report, client, settings, filled, used_bytes(client) - empty)
    _answers(report, settings, world, url)


def _weights(report: Report, client: "redis.Redis", settings: Settings, filled: Filled, total: int) -> None:
    weight = weigh(client, settings)
    entries = sum(int(count) for count in client.hgetall(f"{settings.topic_prefix}index:shelves").values())  # type: ignore[union-attr]
    link = weight.kinds["l"] / entries
    prediction = weight.kinds["w"] / filled.predictions + link
    hop = (total - prediction * filled.predictions) / (filled.batches + filled.windows)
    report.say(f"\nRedis holds {total / 1e6:,.0f} MB")
    for name, value in (("hop (batch or window with its links)", hop), ("prediction", prediction), ("link", link)):
        report.say(f"  {value:6.0f} bytes per {name}")
        report.add(f"bytes per {name}", value, None)
    report.add("megabytes", total / 1e6, None)
    report.add("keys that never expire, beyond the index's own few", weight.endless, 0)


def _answers(report: Report, settings: Settings, world: World, url: str) -> None:
    random, client = Random(world.seed), redis.Redis.from_url(url)
    rounds = [random.randrange(world.rounds) for _ in range(RANDOM_IDS)]
    steps = [batch_id(f"step_{random.randrange(HOPS)}", number) for number in rounds]
    scored = [world.prediction_id(number, random.randrange(world.scored)) for number in rounds]
    days = [batch_id("rates", random.randrange(DAYS)) for _ in range(REPEATS)]
    catalogue = [batch_id("catalogue", 0)] * REPEATS
    told = [alert_id(random.randrange(ALERTS))[:12] for _ in rounds]
    key = next(iter(client.scan_iter(match="*index:w/*")))
    trace, explain = tracing(settings), explaining(settings)
    tracer = commanding("trace", url, settings.topic_prefix)
    explainer = commanding("explain", url, settings.topic_prefix)
    report.say(f"\n{'milliseconds':80}{'p50':>8}{'p99':>8}{'max':>8}{'busy':>8}")
    _say(report, "one GET (the floor)", timed(lambda _: client.get(key), steps, client), None)
    asked = (
        ("trace, a random batch", trace, steps),
        ("trace, a random prediction", trace, scored),
        ("trace, a batch that a day was made from", trace, days),
        ("trace, the batch that all was made from", trace, catalogue),
        ("explain, a random alert", explain, told),
        ("the whole process: headwater trace, a random prediction", tracer, scored[:PROCESSES]),
        ("the whole process: headwater trace, the batch that all was made from", tracer, catalogue[:PROCESSES]),
        ("the whole process: headwater explain, a random alert", explainer, told[:PROCESSES]),
    )
    floor = timed(starting, scored[:PROCESSES], client)
    _say(report, "a process that imports redis, rich, typer and pydantic-settings (the floor)", floor, None)
    for name, ask, ids in asked:
        _say(report, name, timed(ask, ids, client), SECOND_MS)
    report.say("busy: processor time of the slowest, the command's and Redis', which others cannot take")
    for name, ids in (("a day", days), ("all", catalogue)):
        _came_of(report, name, open_reader(settings).trace(ids[0]))


def _came_of(report: Report, name: str, found: Trace) -> None:
    if found.reached is not None:
        least, reached = "at least " if found.truncated else "", found.reached
        report.say(
            f"what came of the batch of {name}: {least}{reached.batches:,} batches, {reached.windows:,} windows, "
            f"{reached.predictions:,} predictions; {found.more_down:,} more children are counted, not followed"
        )


def _say(report: Report, name: str, times: Times, bar: float | None) -> None:
    report.say(f"  {name:78}{times.p50:8.1f}{times.p99:8.1f}{times.worst:8.1f}{times.busy:8.1f}")
    report.add(f"{name}, p50 ms", times.p50, None)
    report.add(f"{name}, p99 ms", times.p99, None)
    report.add(f"{name}, max ms", times.worst, bar)
    report.add(f"{name}, busy ms", times.busy, bar)


def _peer(report: Report, client: "redis.Redis", world: World) -> None:
    """The plain layout, which finds everything or nothing: it walks to the end, for it cannot count."""
    empty, batches = used_bytes(client), world.rounds * BATCHES_PER_ROUND
    peer.fill(client, world)
    total = used_bytes(client) - empty
    hashes = [client.memory_usage(f"p:{world.prediction_id(number, 0)}") or 0 for number in range(100)]
    prediction = float(sum(hashes) / len(hashes))  # type: ignore[arg-type]
    hop = (total - prediction * world.rounds * world.scored) / (batches + world.rounds)
    report.say(f"\nplain JSON and hashes, a tenth of it: {hop:.0f} bytes per hop, {prediction:.0f} per prediction")
    report.add("plain layout: bytes per hop", hop, None)
    report.add("plain layout: bytes per prediction", prediction, None)
    for name, dataset, number in (("a day", "rates", 3), ("all", "catalogue", 0)):
        asked = [f"{PIPELINE}/{dataset}/{batch_id(dataset, number)}"] * 3
        times = timed(lambda place: peer.descendants(client, place), asked, client)
        _say(report, f"plain layout, all that was made from the batch of {name}", times, None)


if __name__ == "__main__":
    main()
