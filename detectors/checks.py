"""Exact checks: faults that need no statistics, because a single batch proves them.

Each check is a pure function of what the state remembers and what one batch says; it returns claims, which
``detectors.life`` turns into findings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from detectors.state import BatchSummary, DatasetState, Policy

SETTLED = 3  # batches after which a column, or an order, counts as the custom
CUSTOM = 0.02  # share of exceptions up to which something is still the custom
JOINED = 0.8  # share of windows that join their predecessor, from which on they are expected to


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing that is wrong with a batch, in a sentence of aggregates."""

    statistic: str
    sentence: str
    column: str = ""
    observed: float | None = None
    expected: float | None = None


def digest(summary: BatchSummary) -> int:
    """A fingerprint of a batch's content, 64 bits, the same whatever it was counted against."""
    hashed = blake2b(str(summary.rows).encode(), digest_size=8)
    for name in sorted(summary.columns):
        column = summary.columns[name]
        hashed.update(name.encode("utf-8", "surrogatepass"))
        basics = (column.count, column.missing, column.non_finite, column.distinct or 0, column.mean, column.squares)
        hashed.update(np.array(basics, np.float64).tobytes())
    return int.from_bytes(hashed.digest(), "little")


def check(state: DatasetState, batch: BatchSummary, policy: Policy) -> list[Claim]:
    """Everything that is exactly wrong with a whole batch, given what came before it."""
    claims = [*_volume(batch), *_clock(batch, policy), *_order(state, batch), *_window(state, batch)]
    if batch.rows > 0 or batch.columns:
        claims += _schema(state, batch)
        claims += _unsound(state, batch, policy)
    return claims


def _volume(batch: BatchSummary) -> Iterator[Claim]:
    lengths = {name: column.count for name, column in batch.columns.items() if column.count != batch.rows}
    if batch.rows == 0 and not any(lengths.values()):
        yield Claim(statistic="empty_batch", sentence="the batch is empty", observed=0.0)
    for name, length in lengths.items():
        if len(lengths) < len(batch.columns):
            sentence = f"`{name}` has {length:,} rows where the batch declares {batch.rows:,}"
            yield Claim(
                statistic="row_count_mismatch", column=name, sentence=sentence, observed=length, expected=batch.rows
            )
    if lengths and len(lengths) == len(batch.columns):
        length = max(lengths.values())
        sentence = f"the columns have {length:,} rows where the batch declares {batch.rows:,}"
        yield Claim(statistic="row_count_mismatch", sentence=sentence, observed=length, expected=batch.rows)


def _clock(batch: BatchSummary, policy: Policy) -> Iterator[Claim]:
    ahead = (batch.at - batch.arrived_at) / 1e6
    if ahead > policy.clock_s:
        sentence = f"the batch says it was produced {_duration(ahead)} after it arrived"
        yield Claim(statistic="clock", sentence=sentence, observed=ahead, expected=0.0)


def _order(state: DatasetState, batch: BatchSummary) -> Iterator[Claim]:
    if state.watermark is None or batch.backfill or batch.replaces is not None or batch.at >= state.watermark:
        return
    if state.batches >= SETTLED and state.disordered <= CUSTOM * state.batches:
        behind = (state.watermark - batch.at) / 1e6
        sentence = f"the batch is {_duration(behind)} older than the one before it"
        yield Claim(statistic="out_of_order", sentence=sentence, observed=-behind, expected=0.0)


def _window(state: DatasetState, batch: BatchSummary) -> Iterator[Claim]:
    if batch.window_start is None or state.window_end is None or batch.backfill or batch.replaces is not None:
        return
    if state.windows < SETTLED or state.joined_windows < JOINED * (state.windows - 1):
        return
    apart = (batch.window_start - state.window_end) / 1e6
    if apart > 0:
        sentence = f"{_duration(apart)} are missing between this window and the one before it"
        yield Claim(statistic="window_gap", sentence=sentence, observed=apart, expected=0.0)
    elif apart < 0:
        sentence = f"this window and the one before it overlap by {_duration(-apart)}"
        yield Claim(statistic="window_overlap", sentence=sentence, observed=apart, expected=0.0)


def _schema(state: DatasetState, batch: BatchSummary) -> Iterator[Claim]:
    for name, column in state.columns.items():
        summary = batch.columns.get(name)
        if summary is None:
            if state.attendance.batches[column.position] >= SETTLED:
                yield Claim(statistic="column_removed", column=name, sentence=f"column `{name}` is gone")
        elif summary.present and summary.kind != column.reference.kind:
            sentence = f"column `{name}` holds {_plural(summary.kind)} where it held {_plural(column.reference.kind)}"
            yield Claim(statistic="column_retyped", column=name, sentence=sentence)
        elif summary.type is not None and column.type is not None and summary.type != column.type:
            sentence = f"column `{name}` has type {summary.type} where it had {column.type}"
            yield Claim(statistic="column_retyped", column=name, sentence=sentence)
    if state.batches >= SETTLED:
        pooled = state.pool.batch.columns if state.pool is not None else {}
        for name in batch.columns:
            if name not in state.columns and name not in state.waiting and name not in pooled:
                yield Claim(statistic="column_added", column=name, sentence=f"column `{name}` is new")


def _unsound(state: DatasetState, batch: BatchSummary, policy: Policy) -> Iterator[Claim]:
    """Numbers that no arithmetic should be given, where there were none before."""
    known = state.attendance
    for name, summary in batch.columns.items():
        column = state.columns.get(name) if summary.non_finite or summary.extreme else None
        if column is None or known.batches[column.position] < policy.warm_up_batches:
            continue
        for statistic, rows, custom, words in (
            ("non_finite", summary.non_finite, known.infinite, "infinite"),
            ("extreme", summary.extreme, known.extreme, "too large or too small to compute with"),
        ):
            if rows and not custom[column.position]:
                share = rows / max(1, summary.count)
                sentence = f"{percent(share)} of `{name}` are {words} where none were before"
                yield Claim(statistic=statistic, column=name, sentence=sentence, observed=share, expected=0.0)


def duplicate(state: DatasetState, batch: BatchSummary, fingerprint: int) -> Claim | None:
    """A batch id that came before, unless the batch says that it replaces it."""
    place = known_place(state, batch.batch_id)
    if place is None or batch.replaces is not None:
        return None
    same = int(state.recent.digest[place]) == fingerprint
    sentence = "this batch came before" if same else "a batch with this id came before, with other content"
    return Claim(statistic="duplicate_batch", sentence=sentence)


def delivered(state: DatasetState, batch: BatchSummary, fingerprint: int) -> bool:
    """Whether a batch was only delivered again: the same content, of the same time or of a run's later attempt."""
    place = known_place(state, batch.batch_id)
    if place is None:
        return False
    recent = state.recent
    return int(recent.digest[place]) == fingerprint and (int(recent.at[place]) == batch.at or batch.attempt > 1)


def known_place(state: DatasetState, batch_id: str) -> int | None:
    """Where the latest batch with this id stands among those that are remembered."""
    ids = state.recent.ids
    return len(ids) - 1 - ids[::-1].index(batch_id) if batch_id in ids else None


def percent(share: float) -> str:
    """A share as people write it: ``0.32 %``, ``3.2 %``, ``32 %``.

    >>> percent(0.0317), percent(0.5), percent(0.00041)
    ('3.2 %', '50 %', '0.041 %')
    """
    value = 100 * share
    if value >= 10:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value >= 1 or value == 0 else f"{value:.2g} %"


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds" if seconds >= 1 else f"{1000 * seconds:.0f} milliseconds"


def _plural(kind: str) -> str:
    return "numbers" if kind == "number" else "texts"
