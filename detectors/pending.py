"""Predictions that wait for their outcomes: a bounded sample, looked up by hashed id.

The store is a log of runs, each sorted by key and merged with its neighbour as they grow (O'Neil et al., "The
log-structured merge-tree", 1996): inserting is cheap, looking up takes one binary search per run, and nothing is
written to in place. When it is full, released predictions go first; then the sample is halved by a test on the hash of
the key. Outcomes take the same test, so which predictions are kept tells nothing about how they end.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.finding import Micros
from detectors.recalibration import Floats
from detectors.runs import NEVER, Hashes, Run, by_key, chosen, joined, sampled

BYTES_PER_ROW: Final = 72
LARGEST_RUN: Final = 16_384
KEPT_RELEASED: Final = 4  # at most a quarter of the rows are kept to recognise corrections and duplicates


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pending:
    """All runs, oldest first; at most ``pending_bytes`` (72 bytes a prediction).

    halvings: the sample keeps one key in ``2 ** halvings``. boundary: predictions up to this time were released.
    """

    runs: tuple[Run, ...] = ()
    halvings: int = 0
    boundary: Micros | None = None

    def __len__(self) -> int:
        return sum(len(run) for run in self.runs)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attached:
    """What became of outcomes: arrays over them, shape ``(n,)``.

    found: their prediction is in the store. delay: microseconds, meaningless where not found.
    late, duplicates, corrections: how many were.
    """

    found: NDArray[np.bool_]
    delay: NDArray[np.int64]
    late: int = 0
    duplicates: int = 0
    corrections: int = 0


def insert(store: Pending, rows: Run, limit_rows: int) -> Pending:
    """Put predictions into the store, thinning it where it would outgrow ``limit_rows``."""
    rows = chosen(rows, sampled(rows.key, store.halvings) & (rows.key != 0))
    if not len(rows):
        return store
    runs = [*store.runs, by_key(rows)]
    while len(runs) > 1 and 2 * len(runs[-1]) >= len(runs[-2]) and len(runs[-2]) < LARGEST_RUN:
        last = runs.pop()
        runs[-1] = by_key(joined(runs[-1], last))
    return _thinned(replace(store, runs=tuple(runs)), limit_rows)


def attach(
    store: Pending,
    key: Hashes,
    value: Floats,
    actual: Hashes,
    at: NDArray[np.int64],
    as_of: NDArray[np.int64],
) -> tuple[Pending, Attached]:
    """Give outcomes to their predictions: the latest one of the key that was scored no later than ``as_of``.

    actual: hash of the class that came true, 0 where ``value`` is the outcome itself. A second outcome replaces the
    first until it was released; after that it is only counted. So is a late one, whose prediction was given up.
    """
    run_of, row_of, scored = _find(store, key, as_of)
    found = run_of >= 0
    delay = np.where(found, at - scored, 0)
    runs, counts = list(store.runs), np.zeros(3, np.int64)
    for i in np.unique(run_of[found]):
        mine = np.flatnonzero(run_of == i)
        truth = value[mine]
        if runs[i].predicted.size:
            right = (runs[i].predicted[row_of[mine]] == actual[mine]).astype(np.float64)
            truth = np.where(actual[mine] != 0, right, truth)
        runs[i], counted = _told(runs[i], row_of[mine], truth)
        counts += counted
    attached = Attached(
        found=found, delay=delay, late=int(counts[0]), duplicates=int(counts[1]), corrections=int(counts[2])
    )
    return replace(store, runs=tuple(runs)), attached


def _told(run: Run, rows: NDArray[np.intp], truth: Floats) -> tuple[Run, tuple[int, int, int]]:
    """Write outcomes into ``rows`` of a run; count the late ones, duplicates and corrections."""
    last = rows.size - 1 - np.unique(rows[::-1], return_index=True)[1]  # the last word on each row counts
    again = np.ones(rows.size, np.bool_)
    again[last] = False
    known = run.outcome[rows]
    same = known == truth
    corrected = ~same & ~again & ~np.isnan(known)
    new = last[~run.released[rows[last]] & ~same[last]]
    late = last[run.released[rows[last]] & np.isnan(known[last])]
    outcome = run.outcome.copy()
    outcome[rows[new]], outcome[rows[late]] = truth[new], truth[late]
    ready = int(run.at[rows[new]].min(initial=NEVER))
    told = replace(run, outcome=outcome, ready_from=min(run.ready_from, ready))
    return told, (late.size, int((same | again).sum()), int(corrected.sum()))


def _find(
    store: Pending, key: Hashes, as_of: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
    run_of = np.full(key.size, -1, np.intp)
    row_of = np.zeros(key.size, np.intp)
    scored = np.full(key.size, -NEVER, np.int64)
    order = np.argsort(key)  # sorted needles keep the binary searches in cache
    needle, limit = key[order], as_of[order]
    for i, run in enumerate(store.runs):
        row = np.searchsorted(run.key, needle, side="right") - 1
        while (beyond := (row >= 0) & (run.key[row] == needle) & (run.at[row] > limit)).any():
            row = row - beyond
        here = (row >= 0) & (run.key[row] == needle)
        better = here & (run.at[row] > scored[order])
        target = order[better]
        run_of[target], row_of[target], scored[target] = i, row[better], run.at[row[better]]
    return run_of, row_of, scored


def is_ready(store: Pending, boundary: Micros) -> bool:
    """Whether ``release`` may have anything to take out."""
    return any(run.ready_from <= boundary for run in store.runs)


def release(store: Pending, boundary: Micros) -> tuple[Pending, Run | None]:
    """Take out what is ready to be judged up to prediction time ``boundary``, in prediction order.

    Predictions without an outcome stay behind and block nothing.
    """
    runs, ripe = list(store.runs), []
    for i, run in enumerate(runs):
        if run.ready_from > boundary:
            continue
        known = ~run.released & ~np.isnan(run.outcome)
        out = known & (run.at <= boundary)
        later = int(run.at[known & ~out].min(initial=NEVER))
        ripe.append(chosen(run, out))
        runs[i] = replace(run, released=run.released | out, ready_from=later)
    boundary = boundary if store.boundary is None else max(boundary, store.boundary)
    store = replace(store, runs=tuple(runs), boundary=boundary)
    if not ripe:
        return store, None
    together = ripe[0]
    for more in ripe[1:]:
        together = joined(together, more)
    return store, chosen(together, np.lexsort((together.key, together.at)))


def give_up(store: Pending) -> tuple[Pending, int]:
    """Never judge predictions of a time of which some were released already; how many had an outcome by now."""
    if store.boundary is None:
        return store, 0
    runs, late = [], 0
    for run in store.runs:
        gone = ~run.released & (run.at <= store.boundary)
        late += int((gone & ~np.isnan(run.outcome)).sum())
        runs.append(replace(run, released=run.released | gone) if gone.any() else run)
    return replace(store, runs=tuple(runs)), late


def expire(store: Pending, before: Micros) -> tuple[Pending, int]:
    """Forget predictions scored before ``before``; how many of them never had an outcome."""
    runs, never = [], 0
    for run in store.runs:
        old = run.at < before
        if not old.any():
            runs.append(run)
            continue
        never += int((old & np.isnan(run.outcome)).sum())
        if not old.all():
            runs.append(chosen(run, ~old))
    return replace(store, runs=tuple(runs)), never


def waiting(store: Pending) -> float:
    """Predictions without an outcome, scaled up by the rate of the sample."""
    return float(sum(int(np.isnan(run.outcome).sum()) for run in store.runs)) * 2.0**store.halvings


def keyed_by_entity(store: Pending) -> Pending:
    """The store with entities in place of ids as keys; predictions without an entity are dropped."""
    runs = [
        by_key(replace(chosen(run, run.entity != 0), key=run.entity[run.entity != 0]))
        for run in store.runs
        if run.entity.any()
    ]
    return replace(store, runs=tuple(runs))


def _thinned(store: Pending, limit_rows: int) -> Pending:
    if len(store) <= limit_rows:
        return store
    excess = sum(int(run.released.sum()) for run in store.runs) - limit_rows // KEPT_RELEASED
    runs = []
    for run in store.runs:  # oldest first
        if excess > 0 and run.released.any():
            excess -= int(run.released.sum())
            run = chosen(run, ~run.released)
        if len(run):
            runs.append(run)
    store = replace(store, runs=tuple(runs))
    while len(store) > limit_rows:
        halvings = store.halvings + 1
        runs = [chosen(run, sampled(run.key, halvings)) for run in store.runs]
        store = replace(store, runs=tuple(run for run in runs if len(run)), halvings=halvings)
    return store
