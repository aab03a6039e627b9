"""How parents are matched, and what odd lineage costs: missing, late, too many, unknown, twice."""

from dataclasses import replace

import pytest

from diagnosis.alert import Grounding, Match
from diagnosis.lineage import Lineage
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind, Parent
from diagnosis.state import PipelineState
from tests.diagnosis.story import MINUTE, POLICY, START, Shift, World, chain, last, run

BREAK = 30


def batch(name: str, number: int, *parents: Parent, **more: object) -> Observation:
    at = START + number * MINUTE
    made = Observation(
        kind=ObservationKind.BATCH,
        pipeline="shop",
        name=name,
        batch_id=f"{name}-{number}",
        at=at,
        arrived_at=at,
        parents=parents,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def found(state: PipelineState, name: str) -> list[list[str]]:
    """The ids of the parents of a node's newest batch, per link."""
    newest = state.nodes[name].ring[-1]
    return [[parent.batch_id for parent in one.batches] for one in Lineage(nodes=state.nodes).parents(newest)]


WAYS = {
    Match.EXACT: lambda number: Parent(dataset="orders", batch_id=f"orders-{number}"),
    Match.PARTITION: lambda number: Parent(dataset="orders", partition=f"day={number}"),
    Match.WINDOW: lambda number: Parent(
        dataset="orders", window_start=START + number * MINUTE, window_end=START + number * MINUTE + 1
    ),
    Match.LATEST: lambda number: Parent(dataset="orders"),  # noqa: ARG005
}


@pytest.mark.parametrize("match", WAYS)
def test_a_parent_is_found_however_it_is_named(match: Match) -> None:
    log = []
    for number in range(5):
        log += [batch("orders", number, partition=f"day={number}"), batch("clean", number, WAYS[match](number))]
    state, _ = run(log)

    assert state.nodes["clean"].ring[-1].links[0].match is match
    assert found(state, "clean") == [["orders-4"]]


@pytest.mark.parametrize("match", WAYS)
def test_each_hop_says_how_it_was_matched_and_the_cause_is_found_all_the_same(match: Match) -> None:
    log = []
    for one in World(chain(), [Shift("orders", "amount", "location", BREAK, 40)]).rounds(0, BREAK + 12):
        number = int(one.batch_id.rpartition("-")[2])
        loose = tuple(WAYS[match](number) if parent.dataset == "orders" else parent for parent in one.parents)
        partition = f"day={number}" if one.name == "orders" else None
        log.append(replace(one, parents=loose, partition=partition))
    (alert,) = last(run(log)[1])

    hops = {hop.dataset: hop for hop in alert.path}
    assert (alert.cause.component, hops["orders"].match) == ("orders", match)
    assert alert.cause.grounding is not Grounding.UNGROUNDED
    assert alert.impact.match is match


def test_a_parent_that_comes_after_its_child_is_found_then() -> None:
    child = batch("clean", 1, Parent(dataset="orders", batch_id="orders-1"))
    early, _ = run([child])
    late, _ = run([batch("orders", 1)], state=early)

    assert (found(early, "clean"), found(late, "clean")) == ([[]], [["orders-1"]])


def test_a_parent_that_never_comes_leaves_a_hole_and_nothing_else() -> None:
    named = (Parent(dataset="orders", batch_id="no-such"), Parent(dataset="orders", batch_id="orders-1"))
    state, alerts = run([batch("orders", 1), batch("clean", 1, *named)])

    assert (found(state, "clean"), alerts) == ([[], ["orders-1"]], [])


def test_a_run_again_under_the_same_id_is_the_one_its_children_were_made_from() -> None:
    again = batch("orders", 1, replaces="orders-1", rows=7, at=START + MINUTE + 5)
    state, _ = run(
        [batch("orders", 1, rows=5), again, batch("clean", 1, Parent(dataset="orders", batch_id="orders-1"))]
    )
    (parentage,) = Lineage(nodes=state.nodes).parents(state.nodes["clean"].ring[-1])

    assert [parent.rows for parent in parentage.batches] == [7]


def test_a_thousand_parents_of_one_dataset_are_all_found() -> None:
    parents = [Parent(dataset="orders", batch_id=f"orders-{number}") for number in range(1_000)]
    state, _ = run([*(batch("orders", number) for number in range(900, 1_000)), batch("daily", 1_000, *parents)])

    assert sum(map(len, found(state, "daily"))) == 100
    assert len(state.nodes["daily"].ring[-1].links) == 1_000


def test_a_thousand_datasets_as_parents_are_bounded() -> None:
    parents = [Parent(dataset=f"d{number}") for number in range(1_000)]
    state, _ = run([batch("wide", 1, *parents), batch("wide", 2, *parents)])

    assert len(state.nodes["wide"].parents) <= 32
    assert len(state.nodes) <= 33


def test_ten_thousand_datasets_in_one_pipeline_are_bounded_and_counted() -> None:
    state, alerts = run(batch(f"d{number}", number) for number in range(10_000))

    assert len(state.nodes) == POLICY.max_nodes
    assert (state.nodes_refused, alerts) == (10_000 - POLICY.max_nodes, [])


def test_fan_out_is_one_fault_in_every_branch() -> None:
    world = World(chain(), [Shift("clean", "amount", "location", BREAK, 40)])
    joined = [one for one in world.rounds(0, BREAK + 12) if one.name == "joined"]
    branches = [_branch(one, branch) for one in joined for branch in range(8)]
    log = sorted([*world.rounds(0, BREAK + 12), *branches], key=lambda one: one.at)
    (alert,) = last(run(log)[1])

    assert alert.cause.component == "clean"
    assert {f"shop/joined-{branch}" for branch in range(8)} <= {finding.subject for finding in alert.symptoms}


def _branch(one: Observation, branch: int) -> Observation:
    findings = tuple(replace(finding, subject=f"{finding.subject}-{branch}") for finding in one.findings)
    return replace(one, name=f"{one.name}-{branch}", batch_id=f"{one.batch_id}-{branch}", findings=findings)
