"""The generated history that the index is measured with."""

from benchmarks.index.world import BATCHES_PER_ROUND, HOPS, World, batch_id
from diagnosis.provenance import ObservationKind
from streams.index.keys import DAY_MICROS

WORLD = World(seed=3, rounds=8, scored=5, begin=20_000 * DAY_MICROS, end=20_002 * DAY_MICROS)


def test_the_same_seed_gives_the_same_log() -> None:
    ids = [[event.ids for event in logged.value.predictions] for logged in WORLD.log()]

    assert ids == [[event.ids for event in logged.value.predictions] for logged in WORLD.log()]


def test_a_prediction_is_found_again_by_its_place() -> None:
    windows = [one.value for one in WORLD.log() if one.value.kind is ObservationKind.WINDOW]

    assert windows[6].predictions[2].ids == (WORLD.prediction_id(6, 2),)


def test_a_round_has_the_batches_it_is_said_to_have_beside_the_few_that_are_made_once() -> None:
    batches = [one.value.name for one in WORLD.log() if one.value.kind is ObservationKind.BATCH]

    assert len(batches) == 8 * BATCHES_PER_ROUND + 1 + 2
    assert batches.count("catalogue") == 1
    assert batches.count("rates") == 2


def test_whatever_is_named_as_a_parent_was_made_before() -> None:
    seen: set[str] = set()
    for logged in WORLD.log():
        for parent in logged.value.parents:
            if parent.batch_id is not None:
                assert parent.batch_id in seen
        seen.add(logged.value.batch_id)


def test_a_prediction_lies_thirty_hops_below_its_source() -> None:
    made = {one.value.batch_id: one.value for one in WORLD.log()}
    node, hops = made[batch_id(f"step_{HOPS - 1}", 4)], 1
    while node.parents:
        above = node.parents[0]
        node = made[above.batch_id or batch_id(above.dataset, 4)]
        hops += 1

    assert (node.name, hops) == ("step_0", HOPS)
