import random
from typing import Any

import msgspec
import numpy as np

from diagnosis.observation import Observation
from diagnosis.state import PipelineState
from tests.diagnosis.story import Shift, World, chain, last, run

BREAK = 22


def encode(state: PipelineState) -> bytes:
    def hook(value: Any) -> Any:
        assert isinstance(value, np.ndarray)
        packed = msgspec.msgpack.encode((value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes()))
        return msgspec.msgpack.Ext(1, packed)

    return msgspec.msgpack.encode(state, enc_hook=hook)


def decode(data: bytes) -> PipelineState:
    def ext(_code: int, data: memoryview) -> Any:
        kind, shape, raw = msgspec.msgpack.decode(data)
        return np.frombuffer(raw, kind).reshape(shape)

    return msgspec.msgpack.decode(data, type=PipelineState, ext_hook=ext, dec_hook=lambda _type, value: value)


def world() -> World:
    shifts = [
        Shift("orders", "amount", "location", BREAK, 40, until=BREAK + 8),
        Shift("customers", "income", "missing_rate", BREAK + 3, 40),
        Shift("outcomes:risk", "", "calibration", BREAK, lag=3, exact=True),
    ]
    return World(chain(), shifts, outcomes=True)


def shuffled(log: list[Observation], seed: int) -> list[Observation]:
    """Interleave datasets differently: each keeps its own order, none runs ahead more than two rounds."""
    generator = random.Random(seed)
    order = {one.subject: generator.uniform(0, 100_000_000) for one in log}
    return sorted(log, key=lambda one: one.at + order[one.subject])


def test_the_same_log_gives_the_same_alerts() -> None:
    log = world().rounds(0, BREAK + 16)
    assert run(log)[1] == run(log)[1]


def test_a_state_written_and_read_back_in_the_middle_goes_on_as_if_nothing_happened() -> None:
    log = world().rounds(0, BREAK + 16)
    _, whole = run(log)
    state, early = run(log[: BREAK * 7 + 3])
    for cut in (BREAK * 7 + 12, BREAK * 7 + 60):
        begun, first = run(log[BREAK * 7 + 3 : cut], state=state)
        _, second = run(log[cut:], state=decode(encode(begun)))
        assert [*early, *first, *second] == whole


def test_a_fold_leaves_the_state_it_was_given_as_it_was() -> None:
    log = world().rounds(0, BREAK + 5)
    state, _ = run(log[:-30])
    before = encode(state)
    run(log[-30:], state=state)
    assert encode(state) == before


def test_interleaving_changes_no_cause_and_no_onset() -> None:
    log = world().rounds(0, BREAK + 16)
    expected = {(a.kind, a.cause.component, a.cause.column, a.onset) for a in last(run(log)[1])}
    for seed in range(2):
        found = last(run(shuffled(log, seed))[1])
        firing = [alert for alert in found if alert.superseded_by is None]
        assert {(a.kind, a.cause.component, a.cause.column, a.onset) for a in firing} == expected
