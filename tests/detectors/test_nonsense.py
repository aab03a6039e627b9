"""Whatever a producer sends, the state stays sound: a later shift is still found."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.batch import BatchInput, CategoryColumn, NumberColumn, SketchColumn
from detectors.dataset import Policy, fold, start, summarise

MINUTE = 60_000_000
POLICY = Policy(monitored=50)
ROWS = 600


def normal(rng):
    return NumberColumn(values=rng.normal(1.7e9, 10, ROWS))


def texts(names):
    return CategoryColumn(dictionary=names, codes=(np.arange(ROWS) % len(names)).astype(np.int32))


NONSENSE = {
    "all missing": NumberColumn(values=np.full(ROWS, np.nan)),
    "infinite": NumberColumn(values=np.full(ROWS, np.inf)),
    "minus infinite": NumberColumn(values=np.r_[np.full(ROWS - 1, -np.inf), 3.0]),
    "huge": NumberColumn(values=np.r_[np.full(ROWS // 2, 1e308), np.full(ROWS // 2, -1e308)]),
    "subnormal": NumberColumn(values=np.full(ROWS, 5e-324)),
    "one huge": NumberColumn(values=np.r_[np.full(ROWS - 1, 1.7e9), 1e308]),
    "one subnormal": NumberColumn(values=np.r_[np.full(ROWS - 1, 1.7e9), 5e-324]),
    "minus zero": NumberColumn(values=np.full(ROWS, -0.0)),
    "constant": NumberColumn(values=np.full(ROWS, 42.0)),
    "boolean": NumberColumn(values=(np.arange(ROWS) % 2).astype(np.float64)),
    "empty": NumberColumn(values=np.empty(0)),
    "one row": NumberColumn(values=np.ones(1)),
    "texts": texts(("a", "", "\ud800")),
    "identifiers": texts(tuple(f"id{i}" for i in range(ROWS))),
    "no text": CategoryColumn(dictionary=(), codes=np.full(ROWS, 7, np.int32)),
    "bad sketch": SketchColumn(count=ROWS, kll=b"\x01\x02"),
    "mad sketch": SketchColumn(
        count=ROWS, sum=np.inf, sum_squares=-1.0, edges=np.array([1.0, np.nan]), counts=np.array([-3.0])
    ),
    "gone": None,
}


def feed(state, n, column):
    columns = {} if column is None else {"x": column}
    batch = BatchInput(
        subject="a/b", batch_id=f"b{n}", at=n * MINUTE, arrived_at=n * MINUTE, rows=ROWS, columns=columns
    )
    return fold(state, summarise(state, batch), POLICY)


def arrays_of(value):
    if isinstance(value, np.ndarray):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from arrays_of(getattr(value, field.name))
    elif isinstance(value, dict):
        for held in value.values():
            yield from arrays_of(held)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(sorted(NONSENSE)), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_nonsense_between_healthy_batches_never_hides_a_later_shift(kinds, seed):
    rng = np.random.default_rng(seed)
    state, n = start("a/b"), 0
    for kind in [None] * 25 + kinds + [None] * 12:
        state, _ = feed(state, n, normal(rng) if kind is None else NONSENSE[kind])
        n += 1
        assert all(np.isfinite(held).all() for held in (state.live.mean, state.live.dispersion, state.bank.level))
    for _ in range(5):
        state, judgement = feed(state, n, NumberColumn(values=rng.normal(1.7e9 + 20, 10, ROWS)))
        n += 1

    assert ("x", "location") in {(f.column, f.statistic) for f in judgement.findings}


@pytest.mark.parametrize(
    ("value", "statistic"),
    [(np.inf, "non_finite"), (-np.inf, "non_finite"), (1e308, "extreme"), (-1e308, "extreme"), (-5e-324, "extreme")],
)
def test_a_single_unsound_number_is_a_finding_of_its_batch_and_of_no_other(value, statistic):
    rng = np.random.default_rng(3)
    state = start("a/b")
    for n in range(25):
        state, _ = feed(state, n, normal(rng))
    state, judgement = feed(state, 25, NumberColumn(values=np.r_[normal(rng).values[1:], value]))
    assert [(f.column, f.statistic) for f in judgement.findings] == [("x", statistic)]
    assert judgement.findings[0].observed == pytest.approx(1 / ROWS)
    state, judgement = feed(state, 26, normal(rng))
    assert judgement.findings == ()


def test_minus_zero_is_zero():
    state = start("a/b")
    for n in range(30):
        values = np.zeros(ROWS) if n < 25 else np.full(ROWS, -0.0)
        state, judgement = feed(state, n, NumberColumn(values=values))
    assert judgement.findings == ()


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("before", [0.0, 0.01])
def test_a_batch_with_a_third_of_its_values_missing_is_found_at_once(before, share):
    rng = np.random.default_rng(5)
    state = start("a/b")
    for n in range(31):
        values = normal(rng).values
        values[rng.random(ROWS) < (before if n < 30 else share)] = np.nan
        state, judgement = feed(state, n, NumberColumn(values=values))
    assert ("x", "missing_rate") in {(f.column, f.statistic) for f in judgement.findings}


@pytest.mark.parametrize("kind", sorted(NONSENSE))
def test_nonsense_from_the_first_batch_on_is_no_error(kind):
    state = start("a/b")
    for n in range(24):
        state, judgement = feed(state, n, NONSENSE[kind])

    assert judgement is not None


def test_ten_thousand_columns_are_taken_up_at_once():
    rng = np.random.default_rng(0)
    columns = {f"c{i}": NumberColumn(values=values) for i, values in enumerate(rng.normal(size=(10_000, 500)))}
    state = start("a/b")
    for n in range(2):
        batch = BatchInput(
            subject="a/b", batch_id=f"b{n}", at=n * MINUTE, arrived_at=n * MINUTE, rows=500, columns=columns
        )
        state, _ = fold(state, summarise(state, dataclasses.replace(batch, rows=500)), POLICY)

    assert len(state.columns) == 10_000
    assert sum(held.nbytes for held in arrays_of(state)) / 10_000 < 4096 * 1.5
