"""A shift that only the batches of one segment show."""

from dataclasses import replace

import pytest

from diagnosis.alert import Status
from tests.diagnosis.story import POLICY, Shift, World, chain, last, run

BREAK, ROUNDS = 24, 48
REGIONS = ("north", "south", "west")


def west(number):
    return REGIONS[number % 3] == "west"


def labels(number):
    return {"region": REGIONS[number % 3], "tier": "gold"}


def story(broken, labelled=labels, rounds=ROUNDS, policy=POLICY):
    """All revisions told of a log in which ``amount`` of some batches of ``orders`` has moved."""
    world = World(chain())
    for number in range(rounds):
        if number >= BREAK and broken(number):
            world.z("orders", number)["amount", "location"] = 40.0
    log = [
        replace(world.observation(node.name, number), segments=labelled(number))
        for number in range(rounds)
        for node in world.nodes
    ]
    return run(log, policy)[1]


def test_a_shift_in_one_region_names_it():
    first, *_ = last(story(west))

    assert (first.cause.component, first.cause.column) == ("orders", "amount")
    assert first.cause.segment == "region = west"
    assert first.title.endswith("only where region = west")


@pytest.mark.parametrize("broken", [lambda _: True, lambda number: number % 2 == 0], ids=["all", "every other"])
def test_a_shift_in_every_region_names_none(broken):
    assert all(alert.cause.segment is None for alert in story(broken))


def test_without_segments_none_is_named():
    assert all(alert.cause.segment is None for alert in story(west, labelled=lambda _: {}))


def test_a_segment_is_withdrawn_once_other_regions_deviate():
    told = story(lambda number: west(number) or number >= 40, rounds=64)

    assert "region = west" in {alert.cause.segment for alert in told}
    assert last(told)[0].cause.segment is None
    assert "only where" not in last(told)[0].title


def test_one_stray_batch_of_another_region_withdraws_nothing():
    first, *_ = last(story(lambda number: west(number) or number == 45, rounds=64))

    assert first.cause.segment == "region = west"


def test_a_segment_stays_when_its_first_batch_has_left_the_ring():
    first, *_ = last(story(west, rounds=96, policy=replace(POLICY, ring_batches=32)))

    assert first.cause.segment == "region = west"


def test_a_segment_that_the_fault_spread_from_after_its_first_batch_left_the_ring_is_withdrawn():
    broken = story(lambda number: west(number) or number >= 80, rounds=96, policy=replace(POLICY, ring_batches=32))

    assert last(broken)[0].cause.segment is None


def test_labels_that_no_batch_tells_apart_are_all_named():
    first, *_ = last(story(west, labelled=lambda number: {**labels(number), "coast": "yes" if west(number) else "no"}))

    assert first.cause.segment == "coast = yes and region = west"


def test_the_label_that_fits_better_is_named():
    first, *_ = last(story(west, labelled=lambda number: {**labels(number), "coast": "no" if number % 3 else "yes"}))

    assert first.cause.segment == "region = west"


def test_a_label_that_only_some_batches_bear_is_named_where_all_of_them_deviate():
    first, *_ = last(story(west, labelled=lambda number: {"canary": "yes"} if west(number) else {}))

    assert first.cause.segment == "canary = yes"


def test_a_few_batches_without_a_label_do_not_rule_it_out():
    first, *_ = last(story(west, labelled=lambda number: {} if number % 9 == 0 else labels(number)))

    assert first.cause.segment == "region = west"


def test_the_segment_that_held_a_fault_is_still_named_when_it_is_over():
    first, *_ = last(story(lambda number: west(number) and number < 60, rounds=110))

    assert (first.status, first.cause.segment) == (Status.RESOLVED, "region = west")


def told_by_rows(named):
    """All revisions told of a log in which the detectors name a subgroup of the rows of each batch, or none."""
    world = World(chain(), shifts=[Shift("orders", "amount", "location", BREAK, 40.0)])
    log = []
    for number in range(ROUNDS):
        for node in world.nodes:
            seen = world.observation(node.name, number)
            findings = [
                replace(one, held_by=named(number), held_share=0.98) if one.subject == "shop/orders" else one
                for one in seen.findings
            ]
            log.append(replace(seen, findings=tuple(findings)))
    return run(log)[1]


def test_rows_that_hold_all_of_a_shift_are_named_as_the_segment():
    first, *_ = last(told_by_rows(lambda _: "region = west"))

    assert first.cause.segment == "region = west"
    assert first.title.endswith("column amount, only where region = west")


def test_rows_are_no_longer_named_once_the_detectors_withdraw_them():
    told = told_by_rows(lambda number: "region = west" if number < 40 else None)

    assert told[0].cause.segment == "region = west"
    assert last(told)[0].cause.segment is None
