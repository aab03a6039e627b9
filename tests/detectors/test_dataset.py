import dataclasses

import numpy as np
import pytest

from detectors.batch import BatchInput, CategoryColumn, NumberColumn
from detectors.dataset import Policy, accept, complete, fold, pin, start, statistics, summarise
from detectors.distinct import VARIANCE

MINUTE = 60_000_000
POLICY = Policy(monitored=100)


def batch(n, columns, rows=None, **changes):
    lengths = [len(c.values) if isinstance(c, NumberColumn) else len(c.codes) for c in columns.values()]
    given = {"batch_id": f"b{n}", "at": n * MINUTE, "arrived_at": n * MINUTE, "rows": max(lengths, default=0)}
    if rows is not None:
        given["rows"] = rows
    return BatchInput(subject="shop/orders", columns=columns, **(given | changes))


def healthy(rng, rows=1000):
    amount = rng.lognormal(3, 1, rows)
    age = rng.normal(40, 10, rows)
    age[rng.random(rows) < 0.01] = np.nan
    codes = rng.choice(3, rows, p=[0.5, 0.3, 0.2]).astype(np.int32)
    return {
        "amount": NumberColumn(values=amount, type="double"),
        "age": NumberColumn(values=age),
        "country": CategoryColumn(dictionary=("se", "no", "dk"), codes=codes),
    }


class Watch:
    """A dataset fed batch by batch; keeps every judgement."""

    def __init__(self, seed=0, policy=POLICY):
        self.rng = np.random.default_rng(seed)
        self.policy = policy
        self.state = start("shop/orders")
        self.n = 0
        self.last = None

    def feed(self, columns=None, **changes):
        columns = healthy(self.rng) if columns is None else columns
        given = batch(self.n, columns, **changes)
        self.n += 1
        self.state, self.last = fold(self.state, summarise(self.state, given), self.policy)
        return self.last

    def warm(self, batches=30):
        for _ in range(batches):
            self.feed()
        return self

    def found(self):
        return {(f.column, f.statistic) for f in self.last.findings}


@pytest.fixture
def watch():
    return Watch().warm()


def scaled(columns, by):
    return columns | {"amount": NumberColumn(values=columns["amount"].values * by, type="double")}


def holed(columns, share, rng):
    age = columns["age"].values.copy()
    age[rng.random(len(age)) < share] = np.nan
    return columns | {"age": NumberColumn(values=age)}


def test_healthy_batches_raise_nothing(watch):
    watch.warm(100)

    assert watch.last.findings == ()
    assert not watch.last.warming_up


def test_the_first_batches_are_honest_about_warming_up():
    watch = Watch()
    warming = [watch.feed().warming_up for _ in range(25)]

    assert warming[0]
    assert not warming[-1]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (lambda c, _: scaled(c, 100), ("amount", "location")),
        (lambda c, rng: holed(c, 0.2, rng), ("age", "missing_rate")),
        (
            lambda c, _: c | {"country": CategoryColumn(dictionary=("no", "se", "dk"), codes=c["country"].codes)},
            ("country", "category_rate"),
        ),
        (
            lambda c, _: c | {"country": CategoryColumn(dictionary=("SE", "no", "dk"), codes=c["country"].codes)},
            ("country", "new_category"),
        ),
        (lambda c, _: c | {"age": NumberColumn(values=c["age"].values + 5)}, ("age", "location")),
    ],
    ids=["units", "nulls", "remap", "new category", "half a sigma"],
)
def test_an_obvious_fault_is_found_within_three_batches_with_the_right_onset(watch, fault, expected):
    for _ in range(3):
        watch.feed(fault(healthy(watch.rng), watch.rng))

    assert expected in watch.found()
    finding = next(f for f in watch.last.findings if (f.column, f.statistic) == expected)
    assert finding.onset_batch_id == "b30"
    assert finding.onset_earliest == 29 * MINUTE
    assert finding.onset_latest == 30 * MINUTE
    assert finding.evidence_nats > 10


def test_a_finding_is_repeated_under_one_name_and_ends_when_the_fault_does(watch):
    seen = []
    for _ in range(8):
        watch.feed(holed(healthy(watch.rng), 0.2, watch.rng))
        seen += [f.alarm_batch_id for f in watch.last.findings if f.statistic == "missing_rate"]
    assert len(seen) >= 6
    assert len(set(seen)) == 1

    watch.warm(5)
    assert watch.last.findings == ()


def test_a_small_shift_that_lasts_is_one_finding():
    watch = Watch(policy=Policy(monitored=100, tolerance=0.0)).warm(100)
    names = set()
    for _ in range(100):
        columns = healthy(watch.rng)
        watch.feed(columns | {"age": NumberColumn(values=columns["age"].values + 1)})
        names |= {(f.statistic, f.alarm_batch_id) for f in watch.last.findings}

    assert [statistic for statistic, _ in names] == ["location"]


@pytest.mark.parametrize("seed", range(4))
def test_that_a_rare_value_is_met_or_not_is_no_finding(seed):
    watch = Watch(seed=seed)
    for n in range(100):
        rows = watch.rng.random(500) < (0.03 if n < 10 else 0.002)
        seen = {"number": NumberColumn(values=1.0 - rows)}
        seen["name"] = CategoryColumn(dictionary=("answered", "failed"), codes=rows.astype(np.int32))
        assert "distinct" not in {f.statistic for f in watch.feed(seen).findings}


def test_a_value_that_a_long_constant_column_never_had_is_found():
    watch = Watch(seed=1)
    for n in range(202):
        values = np.ones(1000)
        values[:5] = 1.0 - (n >= 200)
        watch.feed({"answered": NumberColumn(values=values)})
    assert ("answered", "distinct") in watch.found()


def test_a_column_of_few_values_that_becomes_constant_is_found_by_their_number():
    watch = Watch(seed=1)
    for n in range(40):
        values = watch.rng.integers(0, 6, 1000) if n < 30 else np.full(1000, 2)
        watch.feed({"grade": NumberColumn(values=values.astype(float))})
    assert ("grade", "distinct") in watch.found()


@pytest.mark.parametrize("rows", [1_000, 20_000, 200_000])
def test_no_tolerance_outweighs_a_shift_in_large_batches_of_a_young_dataset(rows):
    watch = Watch(seed=6)
    for n in range(27):
        watch.feed({"x": NumberColumn(values=watch.rng.normal(0.3 * (n >= 25), 1, rows))})
    assert ("x", "location") in {(f.column, f.statistic) for f in watch.last.findings}


def test_a_few_rows_of_a_kind_that_never_was_are_found_in_their_second_batch():
    watch = Watch(policy=Policy(monitored=1000, pool_rows=1))
    for n in range(302):
        values = np.ones(140)
        values[: 5 * (n >= 300)] = 0.0
        watch.feed({"answered": NumberColumn(values=values)})
    assert ("answered", "out_of_range") in watch.found()


def test_the_sentence_speaks_in_plain_units(watch):
    for _ in range(3):
        watch.feed(holed(healthy(watch.rng), 0.2, watch.rng))

    sentence = next(f.sentence for f in watch.last.findings if f.statistic == "missing_rate")
    assert sentence.startswith("missing rate of `age` rose from 1.0 % to 2")


def test_a_fault_never_trains_the_baseline(watch):
    for _ in range(100):
        watch.feed(holed(healthy(watch.rng), 0.2, watch.rng))

    finding = next(f for f in watch.last.findings if f.statistic == "missing_rate")
    assert finding.expected == pytest.approx(0.01, abs=0.004)


@pytest.mark.parametrize(
    ("absurd", "statistic"),
    [
        (lambda c: c | {"age": NumberColumn(values=np.full(1000, np.nan))}, "missing_rate"),
        (lambda c: scaled(c, 1000), "location"),
        (lambda c: {name: NumberColumn(values=np.empty(0)) for name in c}, "empty_batch"),
    ],
    ids=["all missing", "times a thousand", "empty"],
)
def test_an_absurd_batch_is_found_in_that_batch(watch, absurd, statistic):
    watch.feed(absurd(healthy(watch.rng)))

    assert statistic in {f.statistic for f in watch.last.findings}


def test_an_accepted_change_is_the_new_normal(watch):
    for _ in range(5):
        watch.feed(scaled(healthy(watch.rng), 100))
    assert watch.last.findings

    watch.state = accept(watch.state, "amount", watch.n * MINUTE)
    for _ in range(40):
        watch.feed(scaled(healthy(watch.rng), 100))
    assert watch.last.findings == ()

    for _ in range(3):
        watch.feed(healthy(watch.rng))
    assert ("amount", "location") in watch.found()


@pytest.mark.parametrize("column", ["amount", None], ids=["column", "subject"])
@pytest.mark.parametrize("by", [1.5, 100], ids=["bins still fit", "bins are left"])
def test_what_was_accepted_is_not_new_when_it_comes_again(watch, column, by):
    for _ in range(6):
        watch.feed(scaled(healthy(watch.rng), by))
    assert ("amount", "location") in watch.found()

    watch.state = accept(watch.state, column, watch.n * MINUTE)
    for _ in range(60):
        watch.feed(scaled(healthy(watch.rng), by))
        assert watch.last.findings == ()
    for _ in range(3):
        watch.feed(scaled(healthy(watch.rng), by * 100))

    assert ("amount", "location") in watch.found()


def test_an_accepted_column_keeps_its_bins_while_its_values_lie_in_them(watch):
    before = watch.state.columns["amount"].reference
    for _ in range(6):
        watch.feed(scaled(healthy(watch.rng), 1.5))
    watch.state = accept(watch.state, "amount", watch.n * MINUTE)
    watch.feed(scaled(healthy(watch.rng), 1.5))

    assert watch.state.columns["amount"].reference is before


def test_an_accepted_column_does_not_trouble_the_others(watch):
    baseline = watch.state.live.mean[watch.state.columns["age"].offset]
    watch.state = accept(watch.state, "amount", watch.n * MINUTE)

    assert watch.state.live.mean[watch.state.columns["age"].offset] == baseline
    for _ in range(3):
        watch.feed(holed(healthy(watch.rng), 0.2, watch.rng))
    assert ("age", "missing_rate") in watch.found()


@pytest.mark.parametrize("column", ["age", None], ids=["column", "subject"])
def test_a_column_accepted_as_gone_is_missed_no_more(watch, column):
    without = lambda: {name: held for name, held in healthy(watch.rng).items() if name != "age"}  # noqa: E731
    watch.feed(without())
    assert ("age", "column_removed") in watch.found()
    watch.state = accept(watch.state, column, watch.n * MINUTE)
    watch.feed(without())
    assert watch.last.findings == ()

    watch.feed(without())
    watch.feed(without())
    watch.feed()
    assert ("age", "column_added") in watch.found()


def test_the_alarm_threshold_after_accepting_a_subject_is_that_of_a_new_one(watch):
    watch.warm(40)
    watch.state = accept(watch.state, None, watch.n * MINUTE)

    assert watch.state.batches == watch.state.steps == 0


def test_accepting_a_whole_subject_forgets_every_finding(watch):
    for _ in range(5):
        watch.feed(scaled(healthy(watch.rng), 100))
    watch.state = accept(watch.state, None, watch.n * MINUTE)
    for _ in range(25):
        watch.feed(scaled(healthy(watch.rng), 100))

    assert watch.last.findings == ()
    assert not watch.last.warming_up


def test_a_pinned_reference_never_alarms_and_is_learnt():
    watch = Watch()
    watch.state = pin(watch.state, 39 * MINUTE)
    for n in range(40):
        watch.feed(scaled(healthy(watch.rng), 1 + n / 20))
        assert not [f for f in watch.last.findings if f.statistic == "location"]
    for _ in range(3):
        watch.feed(scaled(healthy(watch.rng), 1000))

    assert ("amount", "location") in watch.found()


def test_a_fold_leaves_its_input_as_it_was(watch):
    def copied(value):
        if isinstance(value, np.ndarray):
            return value.copy()
        if dataclasses.is_dataclass(value):
            return {f.name: copied(getattr(value, f.name)) for f in dataclasses.fields(value)}
        if isinstance(value, dict):
            return {k: copied(v) for k, v in value.items()}
        return tuple(copied(v) for v in value) if isinstance(value, tuple) else value

    before = watch.state
    kept = copied(before)
    for _ in range(3):
        watch.feed(scaled(healthy(watch.rng), 100))

    np.testing.assert_equal(copied(before), kept)


def test_the_same_summaries_give_the_same_state_and_judgements():
    def run():
        watch = Watch(seed=5)
        told = []
        for n in range(40):
            told.append(watch.feed(scaled(healthy(watch.rng), 100 if n > 30 else 1)).findings)
        return told, watch.state

    first, second = run(), run()
    assert first[0] == second[0]
    np.testing.assert_equal(dataclasses.asdict(first[1]), dataclasses.asdict(second[1]))


def rows_of(columns, rows):
    return {
        name: dataclasses.replace(c, values=c.values[rows])
        if isinstance(c, NumberColumn)
        else dataclasses.replace(c, codes=c.codes[rows])
        for name, c in columns.items()
    }


def test_parts_of_a_batch_give_what_the_whole_gives(watch):
    columns = healthy(watch.rng)
    before = watch.state
    one = watch.feed(columns)
    watch.state = before
    for i in range(4):
        watch.n = 30
        rows = slice(250 * i, 250 * (i + 1))
        four = watch.feed(rows_of(columns, rows), rows=250, part_index=i, part_of=4)
        assert (four is None) == (i < 3)

    assert one.readings.statistic == four.readings.statistic
    counted = np.array([s == "distinct" for s in one.readings.statistic])
    assert np.allclose(one.readings.z[~counted], four.readings.z[~counted], rtol=1e-9, atol=1e-9)
    assert np.allclose(one.readings.observed[counted], four.readings.observed[counted], atol=4 * VARIANCE**0.5)


def test_different_values_of_small_batches_are_judged_together():
    rng = np.random.default_rng(5)
    names = tuple(f"shop {n}" for n in range(400))
    state, policy = start("shop/orders"), Policy(pool_rows=1000)
    told = {}
    for n in range(250):
        shops = 400 if n < 200 else 200
        column = CategoryColumn(dictionary=names, codes=rng.integers(0, shops, 200).astype(np.int32))
        state, last = fold(state, summarise(state, batch(n, {"shop": column}), policy.pool_rows), policy)
        told |= {f.statistic: f for f in last.findings}
        assert n >= 200 or not told

    assert told["distinct"].observed == pytest.approx(0.54, rel=0.15)


def test_a_column_can_start_in_parts():
    watch = Watch()
    for n in range(25):
        columns = healthy(watch.rng)
        for i in range(4):
            watch.n = n
            watch.feed(rows_of(columns, slice(250 * i, 250 * (i + 1))), rows=250, part_index=i, part_of=4)

    assert not watch.last.warming_up
    assert watch.last.findings == ()


def test_missing_parts_are_given_up_when_a_newer_batch_is_long_complete(watch):
    watch.feed(healthy(watch.rng), part_index=0, part_of=2)
    assert watch.last is None
    watch.feed()
    assert "incomplete_batch" not in {f.statistic for f in watch.last.findings}
    watch.feed(arrived_at=(watch.n + 2) * MINUTE)

    assert "incomplete_batch" in {f.statistic for f in watch.last.findings}


def test_missing_parts_are_given_up_when_time_passes(watch):
    watch.feed(healthy(watch.rng), part_index=0, part_of=2)
    state, judged = complete(watch.state, watch.n * MINUTE + round(POLICY.parts_wait_s * 1e6) + 1, POLICY)

    assert [held.batch_id for held, _ in judged] == ["b30"]
    assert {f.statistic for f in judged[0][1].findings} == {"incomplete_batch"}
    assert state.open == ()


def test_small_batches_are_judged_together():
    watch = Watch(policy=Policy(monitored=100, pool_rows=500))
    told = [bool(watch.feed(healthy(watch.rng, 100)).readings.column) for _ in range(20)]

    assert told == [False, False, False, False, True] * 4
    for _ in range(120):
        watch.feed(healthy(watch.rng, 100))
    assert watch.last.findings == ()
    for _ in range(15):
        watch.feed(scaled(healthy(watch.rng, 100), 100))
    assert ("amount", "location") in watch.found()


def test_a_state_does_not_grow_with_batches(watch):
    def size(value):
        if isinstance(value, np.ndarray):
            return value.nbytes
        if dataclasses.is_dataclass(value):
            return sum(size(getattr(value, f.name)) for f in dataclasses.fields(value))
        if isinstance(value, dict):
            return sum(size(v) for v in value.values())
        return sum(map(size, value)) if isinstance(value, (tuple, list)) else 8

    watch.warm(240)
    before = size(watch.state)
    watch.warm(20)
    assert size(watch.state) == before
    assert statistics(watch.state) == 2 + 7 + 7 + 5


@pytest.mark.parametrize(("rows", "batches"), [(30, 40), (3, 60)])
def test_columns_of_small_batches_are_not_new_while_they_are_pooled(rows, batches):
    watch = Watch()
    for _ in range(batches):
        columns = rows_of(healthy(watch.rng), slice(0, rows))
        watch.feed(columns, rows=rows)
        assert watch.found() == set()


def test_a_rate_that_never_was_reads_as_none(watch):
    columns = healthy(watch.rng)
    columns["amount"].values[:300] = np.nan
    for _ in range(3):
        watch.feed(columns)

    (finding,) = [f for f in watch.last.findings if f.statistic == "missing_rate"]
    assert finding.expected == 0.0
    assert finding.sentence == "missing rate of `amount` rose from 0.0 % to 30 %"
