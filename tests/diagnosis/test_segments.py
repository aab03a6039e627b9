"""A shift that only the batches of one segment show."""

from dataclasses import replace

import pytest

from tests.diagnosis.story import Shift, World, chain, last, run

BREAK, ROUNDS = 24, 48
REGIONS = ("north", "south", "west")


def story(broken):
    """The last revision of each alert of a log in which ``amount`` of some batches of ``orders`` has moved."""
    world = World(chain())
    for number in range(ROUNDS):
        if number >= BREAK and broken(number):
            world.z("orders", number)["amount", "location"] = 40.0
    log = [
        replace(world.observation(node.name, number), segments={"region": REGIONS[number % 3], "tier": "gold"})
        for number in range(ROUNDS)
        for node in world.nodes
    ]
    return last(run(log)[1])


def test_a_shift_in_one_region_names_it():
    first, *_ = story(lambda number: REGIONS[number % 3] == "west")

    assert (first.cause.component, first.cause.column) == ("orders", "amount")
    assert first.cause.segment == "region = west"
    assert first.title.endswith("only where region = west")


@pytest.mark.parametrize("broken", [lambda _: True, lambda number: number % 2 == 0], ids=["all", "every other"])
def test_a_shift_in_every_region_names_none(broken):
    assert all(alert.cause.segment is None for alert in story(broken))


def test_without_segments_none_is_named():
    world = World(chain(), shifts=[Shift("orders", "amount", "location", BREAK, 40.0)])
    log = [world.observation(node.name, number) for number in range(ROUNDS) for node in world.nodes]

    assert all(alert.cause.segment is None for alert in last(run(log)[1]))
