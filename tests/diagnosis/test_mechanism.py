"""What a statistic follows, as far as healthy batches can tell."""

from diagnosis.lineage import Lineage
from diagnosis.mechanism import learn, pairs_before
from tests.diagnosis.story import POLICY, World, chain, run

ROUNDS = 60


def test_what_cannot_be_told_from_a_regressor_is_not_ruled_out() -> None:
    world = World(chain())
    for number in range(ROUNDS):
        read = world.z("clean", number)
        read["quantity", "location"] = read["amount", "location"]  # as two columns that are never missing
    state, _ = run(world.rounds(0, ROUNDS))
    lineage = Lineage(nodes=state.nodes)
    pairs = pairs_before(lineage, lineage.ring(next(key for key in state.nodes if key.endswith("joined")))[-1])
    mechanism = learn(lineage, pairs, "amount", "location", POLICY)

    assert mechanism is not None
    (followed,) = mechanism.regressors
    other = {"amount": "quantity", "quantity": "amount"}[followed.column]
    assert (followed.parent, other, "location") not in mechanism.considered
    assert (followed.parent, followed.column, "location") in mechanism.considered
