"""A dataset's findings say which subgroup of rows holds the shift, where one does."""

import numpy as np
import pytest

from detectors.batch import BatchInput, CategoryColumn, NumberColumn
from detectors.dataset import Policy, accept, fold, start, summarise

MINUTE = 60_000_000
POLICY = Policy(monitored=100)
REGIONS = ("north", "south", "west", "east", "islands")


def draw(rng, rows=1000):
    """Amounts differ by region, ages do not."""
    region = rng.choice(5, rows, p=[0.3, 0.25, 0.2, 0.15, 0.1]).astype(np.int32)
    return {
        "region": region,
        "tier": rng.integers(0, 3, rows).astype(np.int32),
        "amount": rng.lognormal(3, 1, rows) * (1 + 0.3 * region),
        "age": rng.normal(40, 10, rows),
    }


def in_west(column, change):
    return lambda drawn: {**drawn, column: np.where(drawn["region"] == 2, change(drawn[column]), drawn[column])}


def at_random(column, change):
    rng = np.random.default_rng(0)

    def damage(drawn):
        hit = rng.random(len(drawn[column])) < 0.2
        return {**drawn, column: np.where(hit, change(drawn[column]), drawn[column])}

    return damage


def tenfold(values):
    return values * 10


def gone(values):
    return np.full(len(values), np.nan)


def columns(drawn):
    return {
        "amount": NumberColumn(values=drawn["amount"]),
        "age": NumberColumn(values=drawn["age"]),
        "region": CategoryColumn(dictionary=REGIONS, codes=drawn["region"]),
        "tier": CategoryColumn(dictionary=("gold", "silver", "none"), codes=drawn["tier"]),
    }


class Watch:
    """A dataset fed with 40 healthy batches, then with whatever a test says."""

    def __init__(self, seed=0, rows=1000, parts=1):
        self.rng = np.random.default_rng(seed)
        self.rows, self.parts, self.n = rows, parts, 0
        self.state = start("shop/orders")
        for _ in range(40 * 1000 // rows):
            self.feed()

    def feed(self, damage=lambda drawn: drawn):
        for part in range(self.parts):
            given = BatchInput(
                subject="shop/orders",
                batch_id=f"b{self.n}",
                at=self.n * MINUTE,
                arrived_at=self.n * MINUTE,
                rows=self.rows,
                part_index=part,
                part_of=self.parts,
                columns=columns(damage(draw(self.rng, self.rows))),
            )
            self.state, judgement = fold(self.state, summarise(self.state, given), POLICY)
        self.n += 1
        return {(f.column, f.statistic): f for f in judgement.findings}

    def until_named(self, damage, batches=12):
        for _ in range(batches):
            found = self.feed(damage)
            named = {finding.held_by for finding in found.values()} - {None}
            if named:
                return named
        return set()


@pytest.mark.parametrize(
    ("damage", "changes"),
    [(in_west("amount", tenfold), {}), (in_west("age", gone), {}), (in_west("amount", tenfold), {"parts": 2})],
    ids=["values", "missing", "in parts"],
)
def test_a_fault_in_one_region_is_told_with_the_region(damage, changes):
    assert Watch(**changes).until_named(damage) == {"region = west"}


def test_small_batches_are_told_together():
    assert Watch(rows=100).until_named(in_west("age", gone), 30) == {"region = west"}


def test_about_all_of_the_shift_is_held_by_the_region():
    watch = Watch()
    watch.until_named(in_west("age", gone))

    assert watch.feed(in_west("age", gone))["age", "missing_rate"].held_share == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("damage", [at_random("amount", tenfold), at_random("age", gone)])
def test_a_fault_in_rows_of_every_region_names_none(damage):
    assert all(not Watch(seed).until_named(damage) for seed in range(3))


def test_a_region_is_withdrawn_once_rows_of_others_move_too():
    watch = Watch()
    assert watch.until_named(in_west("age", gone))

    found = watch.feed(lambda drawn: {**drawn, "age": gone(drawn["age"])})

    assert {finding.held_by for finding in found.values()} == {None}


def test_a_column_that_has_changed_itself_tells_no_subgroups():
    """Rows of the west arrive as the south's: among those that are left the amounts differ, because others are gone."""

    def renamed(drawn):
        moved = np.where(drawn["region"] == 2, 1, drawn["region"]).astype(np.int32)
        return {**in_west("amount", tenfold)(drawn), "region": moved}

    assert not Watch().until_named(renamed)


def test_a_fault_before_its_alarm_is_not_taken_for_calm():
    """Small enough to be noticed only after some batches, whose rows are then among those remembered."""
    watch = Watch()
    assert watch.until_named(in_west("age", lambda values: values + 15), 20) == {"region = west"}


def test_an_accepted_column_is_compared_with_rows_of_its_new_normal_alone():
    watch = Watch()
    shifted = in_west("amount", tenfold)
    watch.until_named(shifted)
    watch.state = accept(watch.state, "amount", watch.n * MINUTE)
    assert "amount" not in watch.state.calm.cells.names
    for _ in range(40):
        watch.feed(shifted)

    assert not watch.until_named(lambda drawn: shifted({**drawn, "amount": drawn["amount"] * 10}))
