import numpy as np
import pytest

from benchmarks.detection.calibration import FAULTS, POLICY, oracles
from benchmarks.detection.outcomes import Life, Rows, drawn, soon, telling


def test_a_life_tells_each_outcome_once_and_in_its_time():
    rng = np.random.default_rng(0)
    life = Life(delay=telling, policy=POLICY, lost=0.2).lived(rng, drawn(rng, 30_000))
    assert (life.due > life.now).all()
    told = life.state.join.received + len(life.state.join.unread)
    assert told + life.due.size == pytest.approx(0.8 * 30_000, rel=0.03)
    assert life.state.join.duplicates == life.state.join.orphaned == 0


def test_a_fault_ends_a_life_at_its_first_alarm():
    rng = np.random.default_rng(1)
    healthy = Life(delay=soon, policy=POLICY).lived(rng, drawn(rng, 30_000))
    ended = healthy.lived(rng, drawn(rng, 20_000, shift=1.0), until_alarm=True)
    assert not healthy.alarms
    assert len(ended.alarms) == 1
    assert healthy.read < ended.read < healthy.read + 10_000


def test_theoracles_know_the_fault_and_the_sharper_one_is_no_slower_on_average():
    rng = np.random.default_rng(2)
    fault = FAULTS["logit +.3"]
    waited = np.array([oracles(fault, fault.rows(rng), rng) for _ in range(20)])
    assert (waited < 10_000).all()
    assert waited[:, 1].mean() < waited[:, 0].mean()


def test_a_fault_in_one_segment_leaves_the_others_right():
    rows = drawn(np.random.default_rng(3), 50_000, shift=2.0, segments=5, only=3)
    gap = {code: _gap(rows, code) for code in range(5)}
    assert gap.pop(3) > 0.2
    assert all(abs(value) < 0.02 for value in gap.values())


def _gap(rows: Rows, code: int) -> float:
    mine = rows.code == code
    return float((rows.outcome - rows.score)[mine].mean())
