"""What the benchmark of diagnosis counts and compares with."""

import numpy as np
import pytest

from benchmarks.diagnosis.lives import HEALTHY, SINCE, Case, Setting, weakened
from benchmarks.diagnosis.peers import PEERS
from benchmarks.diagnosis.scoring import Score, reliability
from benchmarks.diagnosis.shop import Shop
from detectors.finding import Finding
from diagnosis.observation import Observation, ObservationKind, Parent
from simulation.catalogue import FAULTS
from simulation.columns import rows_of
from simulation.faults import Rescore, Rewrite

MINUTE = 60_000_000


def observed(name, at, parent=None, onset=None, code="1"):
    finding = onset is not None and Finding(
        subject=f"p/{name}",
        statistic="location",
        evidence_nats=20.0,
        alarm_batch_id="b",
        alarm_at=at,
        onset_earliest=onset,
        onset_latest=onset,
        sentence="",
    )
    return Observation(
        kind=ObservationKind.BATCH,
        pipeline="p",
        name=name,
        at=at,
        arrived_at=at,
        parents=(Parent(dataset=parent),) if parent else (),
        findings=(finding,) if finding else (),
        versions={"code": code},
    )


LOG = [
    observed("raw", MINUTE),
    observed("clean", MINUTE, "raw"),
    observed("other", MINUTE),
    observed("raw", 5 * MINUTE, onset=4 * MINUTE),
    observed("clean", 5 * MINUTE, "raw", onset=3 * MINUTE),
    observed("other", 4 * MINUTE, code="2"),
]


@pytest.mark.parametrize(
    ("peer", "first"), [("upstream first", "raw"), ("earliest onset", "clean"), ("nearest change", "other")]
)
def test_a_peer_ranks_by_its_own_rule(peer, first):
    assert PEERS[peer](LOG, np.random.default_rng(0))[0] == first


def test_every_peer_ranks_every_dataset_once():
    for peer in PEERS.values():
        assert sorted(peer(LOG, np.random.default_rng(0))) == ["clean", "other", "raw"]


def test_a_weak_fault_touches_two_fifths_of_the_rows():
    effect = next(one for one in FAULTS["unit-change"].effects if isinstance(one, Rewrite))
    table = {"amount": np.ones(10_000)}
    damaged = weakened(effect).damage(table, np.random.default_rng(0))
    assert rows_of(damaged) == 10_000
    assert np.mean(damaged["amount"] != 1) == pytest.approx(0.4, abs=0.02)
    assert weakened(Rescore(shift=1.0)) == Rescore(shift=0.4)


def test_reliability_holds_confidence_against_being_right():
    case = Case(setting=Setting.FULL, seed=1, faults=("unit-change",))
    scores = [Score(case=case, rank=1, kind=True, confidence=0.8), Score(case=case, rank=2, confidence=0.8)]
    assert list(reliability(scores)) == [("0.7-0.9", 2, pytest.approx(0.8), 0.5)]


def test_a_harmless_deploy_is_a_life_without_effects():
    life = Case(setting=Setting.DEPLOY, seed=1, deploy=1).life()
    assert life.fault is not None
    assert life.fault.effects == ()
    assert (life.onset, life.ticks) == (HEALTHY, HEALTHY + SINCE)


def test_a_copy_of_the_shop_leaves_the_original_where_it_was():
    values = {"latency_p50": 0.1, "latency_p90": 0.2, "latency_p95": 0.3, "latency_p99": 0.4}
    step = {"site": {**values, "requests_sum": 20.0, "availability_average": 95.0}}
    shop = Shop({"site": ()})
    shop.live(step)
    other = shop.copy()
    seen, _ = other.live(step)
    assert (shop.step, other.step) == (1, 2)
    assert shop.state.sequence == 1
    assert seen[0].rows == 20
