"""What is remembered of earlier reviews: never what is no longer so, and never for longer than its ring."""

import gc
from collections.abc import Callable, Hashable, Iterable, Iterator
from weakref import ref

import pytest

from diagnosis.observation import Observation
from diagnosis.remembered import Remembered
from diagnosis.ring import NO_RING, Ring
from diagnosis.state import Batch, Fault, PipelineState
from tests.diagnosis.story import MINUTE, START, World, chain, run, tick
from tests.diagnosis.test_interleaving import BREAK, FAULTS, ROUNDS, broken, interleaved


def ring() -> Ring:
    return Ring((Batch(node="n", batch_id="n-1", sequence=1, at=1, arrived_at=1),), {})


def faults(log: Iterable[Observation]) -> Iterator[tuple[Fault, ...]]:
    """All that is known of every fault after each observation, be it told or not."""
    state: PipelineState | None = None
    for one in log:
        state, _ = run([one], state=state)
        yield state.faults


def test_work_is_done_again_only_when_what_it_is_made_from_is_another() -> None:
    remembered, at, done = Remembered[int](), ring(), list[int]()

    def asked(made_from: object, name: str = "a") -> int:
        return remembered.get(at, name, made_from, lambda: done.append(len(done)) or len(done))

    assert [asked((1, 2)), asked((1, 2)), asked((1, 3)), asked((1, 3), "b"), asked((1, 2))] == [1, 1, 2, 3, 4]


def test_results_go_with_their_ring() -> None:
    class Result:
        pass

    remembered, at = Remembered[Result](), ring()
    gone = ref(remembered.get(at, "a", at.number, Result))
    assert gone() is not None
    del at
    gc.collect()
    assert gone() is None


def test_nothing_is_remembered_of_a_node_that_is_not_known() -> None:
    remembered, done = Remembered[None](), list[int]()
    for _ in range(2):
        remembered.get(NO_RING, "a", 1, lambda: done.append(1))
    assert done == [1, 1]


def silent() -> list[Observation]:
    """A source stops, and minutes go by."""
    log = [one for one in World(chain()).rounds(0, ROUNDS) if one.name != "orders" or one.at < START + BREAK * MINUTE]
    first = START // MINUTE
    return sorted([*log, *map(tick, range(first, first + ROUNDS + 6))], key=lambda one: one.at)


LOGS = {
    f"{name}, up to {furthest} rounds late": interleaved(broken(name, ROUNDS), 3, furthest)
    for name in FAULTS
    for furthest in (0.0, 3.0)
} | {"a source stops": silent()}


@pytest.mark.parametrize("name", LOGS)
def test_all_is_known_of_every_fault_that_would_be_if_nothing_were_remembered(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembering = list(faults(LOGS[name]))
    assert remembering[-1]

    def forgetful(_: object, _ring: Ring, _name: Hashable, _made_from: object, work: Callable[[], object]) -> object:
        return work()

    monkeypatch.setattr(Remembered, "get", forgetful)
    assert list(faults(LOGS[name])) == remembering
