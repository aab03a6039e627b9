"""What is looked up in a node's batches, and that it is worked out anew when the node is another."""

import gc
from dataclasses import replace
from weakref import ref

import numpy as np

from diagnosis.lineage import Lineage
from diagnosis.mechanism import pairs_before
from diagnosis.ring import ring_of
from diagnosis.state import Batch, Layout, Node, NodeKind
from tests.diagnosis.story import World, chain, run

ROUNDS = 40


def batch(number: int, *, layout: int = 0, z: tuple[float, ...] = ()) -> Batch:
    read = np.array(z, np.float32)
    return Batch(node="n", batch_id=f"n-{number}", sequence=number, at=10 * number, arrived_at=0, layout=layout, z=read)


def node(*batches: Batch) -> Node:
    layouts = {
        0: Layout(column=("a", "b"), statistic=("location",) * 2),
        1: Layout(column=("b",), statistic=("location",)),
    }
    return Node(key="n", pipeline="shop", name="n", kind=NodeKind.DATASET, ring=batches, layouts=layouts)


def test_readings_stand_in_order_of_time_and_are_missing_where_nothing_was_read() -> None:
    ring = ring_of(node(batch(3, layout=1, z=(5.0,)), batch(1, z=(1.0, 2.0)), batch(2), batch(4, z=(3.0, 4.0))))

    np.testing.assert_array_equal(ring.readings("b", "location"), [2.0, np.nan, 5.0, 4.0])
    np.testing.assert_array_equal(ring.readings("a", "location"), [1.0, np.nan, np.nan, 3.0])
    assert not np.isfinite(ring.readings("c", "location")).any()


def test_a_small_batch_is_read_with_the_next_that_was_read() -> None:
    small, full = batch(2), batch(3, z=(0.0, 0.0))
    ring = ring_of(node(batch(1, z=(1.0, 2.0)), small, full))

    assert ring.read(small) is full
    assert ring_of(node(small)).read(small) is small


def test_a_ring_is_kept_as_long_as_its_node_and_no_longer() -> None:
    kept = node(batch(1))
    ring = ring_of(kept)
    assert ring_of(kept) is ring
    assert ring_of(replace(kept, ring=(*kept.ring, batch(2)))).until(20) == 2

    gone = ref(ring)
    del kept, ring
    gc.collect()
    assert gone() is None


def test_pairs_are_gathered_anew_when_a_parent_is_another() -> None:
    state, _ = run(World(chain()).rounds(0, ROUNDS))
    key = next(key for key in state.nodes if key.endswith("joined"))
    lineage = Lineage(nodes=state.nodes)
    first = lineage.ring(key)[-1]
    pairs = pairs_before(lineage, first)
    assert pairs is not None
    assert pairs_before(Lineage(nodes=state.nodes), first) is pairs

    parent = state.nodes[lineage.parent_keys(key)[0]]
    shorter = {**state.nodes, parent.key: replace(parent, ring=parent.ring[ROUNDS // 2 :])}
    fewer = pairs_before(Lineage(nodes=shorter), first)
    assert fewer is not None
    assert len(fewer.batches) < len(pairs.batches)
