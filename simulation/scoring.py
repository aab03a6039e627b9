"""Scoring calls and what became of them: which rows are scored, by what, and what was true."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.columns import ROW, Floats, Rows, Table, blanked, number, rows_of, take
from simulation.faults import Effect, Flatten, Misserve, Reality, Rescore
from simulation.model import Model, probability
from simulation.pipeline import Pipeline
from simulation.production import SECOND, Line, Made


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One scoring call of many rows.

    scores: as answered. happened: 0 or 1. delay: of each outcome, in ticks; infinite if it never becomes known.
    features_at: event time of each row's features, microseconds. read_ms: how long reading them took. found: whether
    the store had them.
    """

    ids: tuple[str, ...]
    at: int
    features: Table
    scores: Floats
    happened: Floats
    delay: Floats
    features_at: Rows
    read_ms: Floats
    found: NDArray[np.bool_]


def score(line: Line, tick: int, served: Made, healthy: Made, effects: Sequence[Effect]) -> list[Call]:
    """The calls of a tick: rows of ``served`` are scored, what happens follows ``healthy``, as the world does.

    Who is scored acts in this tick, even where ``served`` is an old batch.
    """
    model = line.pipeline.model
    rng = line.random(tick, 3)
    wanted = model.calls * model.rows_per_call
    rows, actual = _rows(rng, served, healthy, wanted)
    features, found = _served(take(served.table, rows), effects, line.random(tick, 6))
    scores = probability(_bent(model.logits(features), effects, Rescore))
    chance = probability(_flattened(_bent(_true_logits(model, healthy, actual), effects, Reality), effects))
    happened = (rng.random(len(rows)) < chance).astype(float)
    delay = rng.uniform(*model.outcome_delay, len(rows))
    delay[rng.random(len(rows)) >= model.outcomes_known] = np.inf
    age = rng.uniform(0, line.pipeline.tick, len(rows)).astype(np.int64)
    read_ms = 1.5 * np.exp(rng.normal(0.0, 0.4, len(rows)))
    calls = []
    for index, part in enumerate(np.array_split(np.arange(len(rows)), model.calls)):
        calls.append(
            Call(
                ids=tuple(f"{model.name}-{tick:05d}-{i:04d}" for i in part),
                at=served_at(line, tick, index, rng),
                features=take(features, part),
                scores=scores[part],
                happened=happened[part],
                delay=delay[part],
                features_at=line.ends_at(served.tick) - age[part],
                read_ms=read_ms[part],
                found=found[part],
            )
        )
    return calls


def served_at(line: Line, tick: int, index: int, rng: np.random.Generator) -> int:
    """When the ``index``-th call of a tick is answered: evenly over the time until the next batch is there."""
    quiet = usual_time(line.pipeline)
    share = (index + float(rng.uniform(0.2, 0.8))) / line.pipeline.model.calls
    return line.ends_at(tick) + quiet + int(share * (line.pipeline.tick - quiet))


def usual_time(pipeline: Pipeline) -> int:
    """How long after the end of a tick all its batches are finished, microseconds."""
    return max(60, 12 * pipeline.depth) * SECOND + pipeline.depth * pipeline.jitter


def _served(features: Table, effects: Sequence[Effect], rng: np.random.Generator) -> tuple[Table, NDArray[np.bool_]]:
    """The features as they reach the model, and of which rows the store had them."""
    found = np.ones(rows_of(features), bool)
    for effect in effects:
        if isinstance(effect, Misserve):
            features = effect.damage(features, rng)
            found &= rng.random(len(found)) >= effect.miss
    absent = {name: values if name == ROW else blanked(values, ~found) for name, values in features.items()}
    return absent, found


def _rows(rng: np.random.Generator, served: Made, healthy: Made, wanted: int) -> tuple[Rows, Rows]:
    """Row numbers in the served batch, and the tick's event each of them stands for."""
    if rows_of(served.table) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    order = rng.permutation(rows_of(served.table))[:wanted]
    if served.tick == healthy.tick:
        return order, number(served.table, ROW)[order].astype(np.int64)
    present = number(healthy.table, ROW).astype(np.int64)
    return order, rng.choice(present, len(order))


def _true_logits(model: Model, healthy: Made, rows: Rows) -> Floats:
    """True log-odds of the tick's events ``rows``; of one that even a healthy pipeline drops, the average."""
    events = number(healthy.table, ROW).astype(np.int64)
    by_row = np.full(int(max(events.max(initial=0), rows.max(initial=0))) + 1, model.bias)
    by_row[events] = model.logits(healthy.table)
    return by_row[rows]


def _bent(logits: Floats, effects: Sequence[Effect], kind: type[Rescore] | type[Reality]) -> Floats:
    for effect in effects:
        if isinstance(effect, kind):
            logits = effect.shift + effect.slope * logits
    return logits


def _flattened(logits: Floats, effects: Sequence[Effect]) -> Floats:
    """Log-odds that differ less while the mean probability is the same, found by halving."""
    for effect in effects:
        if isinstance(effect, Flatten) and len(logits):
            mean, flat = probability(logits).mean(), effect.slope * logits
            low, high = -30.0, 30.0
            for _ in range(40):
                middle = (low + high) / 2
                low, high = (low, middle) if probability(flat + middle).mean() > mean else (middle, high)
            logits = flat + (low + high) / 2
    return logits
