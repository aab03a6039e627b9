from dataclasses import replace

from diagnosis.extent import spoilt
from diagnosis.lineage import Lineage
from tests.diagnosis.story import Shift, World, chain, run

BREAK = 24


def spoilt_orders(shifts: list[Shift], onset: int) -> list[int]:
    """The rounds in which the batches of orders are spoilt by what is found in them, dated to ``onset``."""
    state, _ = run(World(chain(), shifts).rounds(0, BREAK + 8))
    one = next(one for one in state.active.values() if one.node == "orders" or one.node.endswith("/orders"))
    dated = replace(one, finding=replace(one.finding, onset_batch_id=f"orders-{onset}"))
    found = spoilt(Lineage(nodes=state.nodes), one.node, [dated])
    return [int(batch.batch_id.removeprefix("orders-")) for batch in found]


def test_a_shift_that_grows_spoils_the_batches_in_which_it_was_still_small() -> None:
    noise = World(chain()).z("orders", BREAK)["amount", "location"]
    growing = [
        Shift("orders", "amount", "location", BREAK, 3 - noise),
        Shift("orders", "amount", "location", BREAK + 1),
    ]

    assert spoilt_orders(growing, BREAK) == list(range(BREAK, BREAK + 8))


def test_what_goes_on_growing_has_spoilt_batches_before_it_was_sure() -> None:
    noise = [World(chain()).z("orders", at)["amount", "location"] for at in range(BREAK, BREAK + 8)]
    sizes = [2.5, 4.5, 3.8, 6, 9, 12, 12, 12]
    growing = [
        Shift("orders", "amount", "location", BREAK + i, size - noise[i], until=BREAK + i + 1)
        for i, size in enumerate(sizes)
    ]

    assert spoilt_orders(growing, BREAK + 1) == list(range(BREAK, BREAK + 8))


def test_a_healthy_batch_in_between_or_before_a_loud_shift_is_not_spoilt_by_it() -> None:
    on_and_off = [Shift("orders", "amount", "location", at, 40, until=at + 2) for at in (BREAK, BREAK + 4)]

    assert spoilt_orders(on_and_off, BREAK - 1) == [BREAK, BREAK + 1, BREAK + 4, BREAK + 5]
