"""What changed in the headers of a node's batches, however they arrived."""

from hypothesis import given
from hypothesis import strategies as some

from diagnosis.changes import header_acts
from diagnosis.lineage import Lineage
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind
from tests.diagnosis.story import MINUTE, POLICY, START, run

ROOM = POLICY.ring_batches


def batch(number: int, place: int, version: str) -> Observation:
    at = START + place * MINUTE
    return Observation(
        kind=ObservationKind.BATCH,
        pipeline="shop",
        name="orders",
        batch_id=f"orders-{number}",
        at=at,
        arrived_at=START + number * MINUTE,
        versions={"code": version},
    )


def changes(versions: list[str], places: list[int]) -> list[tuple[str | None, str | None]]:
    log = [batch(number, place, version) for number, (place, version) in enumerate(zip(places, versions, strict=True))]
    state, _ = run(log)
    acts = header_acts(Lineage(nodes=state.nodes), "orders", START, START + 2 * ROOM * MINUTE)
    return [(act.before, act.after) for act in acts]


@given(some.integers(1, 12).flatmap(lambda n: some.tuples(some.permutations(range(n)), some.integers(0, n))))
def test_a_deploy_shows_between_the_batches_around_it_in_whatever_order_they_arrive(
    drawn: tuple[list[int], int],
) -> None:
    places, deployed = drawn
    versions = ["v1" if place < deployed else "v2" for place in places]

    assert changes(versions, places) == ([("v1", "v2")] if 0 < deployed < len(places) else [])


def test_a_deploy_is_forgotten_with_the_last_batch_before_it() -> None:
    kept = ["v1"] + ["v2"] * (ROOM - 1)

    assert changes(kept, list(range(ROOM))) == [("v1", "v2")]
    assert changes([*kept, "v2"], list(range(ROOM + 1))) == []
