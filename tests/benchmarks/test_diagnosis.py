"""What the benchmark of diagnosis counts and compares with."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.diagnosis.folding import Run, live
from benchmarks.diagnosis.lives import Case, Setting, cases
from benchmarks.diagnosis.peers import PEERS
from benchmarks.diagnosis.reached import reached
from benchmarks.diagnosis.repeating import interleaved, replayed
from benchmarks.diagnosis.scoring import Score, reliability
from benchmarks.diagnosis.shop import Shop
from benchmarks.diagnosis.weak import some, unsteady, weakened
from detectors.finding import Finding
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind, Parent
from simulation.catalogue import FAMILIES, FAULTS
from simulation.checkout import CHECKOUT
from simulation.columns import rows_of
from simulation.damage import dropped, repeated, thinned
from simulation.faults import Rescore, Rewrite, Truth
from simulation.life import Life
from tests.diagnosis.story import Dataset, Model, Shift, World
from tests.diagnosis.story import run as tell

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
    observed("other", MINUTE, onset=0),
    observed("raw", 5 * MINUTE, onset=4 * MINUTE),
    observed("clean", 5 * MINUTE, "raw", onset=3 * MINUTE),
    observed("other", 4 * MINUTE, code="2"),
]


@pytest.mark.parametrize(
    ("peer", "first"), [("upstream first", "raw"), ("earliest onset", "clean"), ("nearest change", "other")]
)
def test_a_peer_ranks_by_its_own_rule_whatever_was_found_in_healthy_days(peer, first):
    assert PEERS[peer](LOG, 2 * MINUTE, np.random.default_rng(0))[0] == first


def test_every_peer_ranks_every_dataset_once():
    for peer in PEERS.values():
        assert sorted(peer(LOG, 2 * MINUTE, np.random.default_rng(0))) == ["clean", "other", "raw"]


def test_a_weak_fault_touches_two_fifths_of_the_rows():
    effect = next(one for one in weakened(FAULTS["unit-change"]).effects if isinstance(one, Rewrite))
    table = {"amount": np.ones(10_000)}
    damaged = effect.damage(table, np.random.default_rng(0))
    assert rows_of(damaged) == 10_000
    assert np.mean(damaged["amount"] != 1) == pytest.approx(0.4, abs=0.02)
    swap = replace(FAULTS["model-swap"], effects=(Rescore(shift=1.0),))
    assert weakened(swap).effects == (Rescore(shift=0.4),)


def test_weakly_lost_and_doubled_rows_are_two_fifths_of_those_that_were():
    table = {"amount": np.ones(10_000)}
    assert rows_of(some(thinned(0.5))(table, np.random.default_rng(0))) == pytest.approx(8_000, abs=200)
    assert rows_of(some(repeated(1.0))(table, np.random.default_rng(0))) == pytest.approx(14_000, abs=200)


def test_a_schema_does_not_change_in_some_rows_only():
    assert some(dropped("amount"))({"amount": np.ones(3), "age": np.ones(3)}, np.random.default_rng(0)).keys() == {
        "age"
    }


def test_reliability_holds_confidence_against_being_right():
    case = Case(setting=Setting.FULL, seed=1, names=("unit-change",))
    scores = [
        Score(case=case, datasets=4, rank=1, kind=True, confidence=0.8),
        Score(case=case, datasets=4, rank=2, confidence=0.8),
    ]
    assert list(reliability(scores)) == [("0.7-0.9", 2, pytest.approx(0.8), 0.5)]


def test_every_family_is_lived_in_full_and_weakened():
    lived = cases(3, quick=False)
    for setting in (Setting.FULL, Setting.WEAK):
        assert {case.names[0] for case in lived if case.setting is setting} == set(FAMILIES)


def test_no_two_of_a_few_lives_are_of_one_family():
    names = [case.names for case in cases(3, quick=True) if case.setting in (Setting.FULL, Setting.WEAK)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("quick", [True, False])
def test_lives_are_of_all_settings_and_no_two_have_one_seed(quick):
    lived = cases(3, quick)
    assert {case.setting for case in lived} == set(Setting)
    assert len({case.seed for case in lived}) == len(lived)
    assert {case.seed for case in lived}.isdisjoint(case.seed for case in cases(4, quick))


def test_two_faults_at_once_are_in_places_of_which_neither_is_made_from_the_other():
    scene = Case(setting=Setting.PAIR, seed=5, names=("null-burst", "config-change")).scene()
    first, second = scene.faults
    assert second.component not in scene.pipeline.descendants(first.component)
    assert first.component not in scene.pipeline.descendants(second.component)
    assert (first.after, second.after, first.innocent, second.innocent) == (0, 0, (), ())


def test_a_case_is_the_same_scene_every_time():
    case = Case(setting=Setting.WEAK, seed=7, names=("subgroup",), size=8)
    first, second = case.scene(), case.scene()
    assert first.pipeline.jitter == unsteady(CHECKOUT).jitter
    assert [fault.sentence for fault in first.faults] == [fault.sentence for fault in second.faults]


def test_the_same_log_gives_the_same_alerts_and_another_order_the_same_causes():
    def life():
        return Life(CHECKOUT, FAULTS["unit-change"], seed=1, start=1_700_000_000_000_000, ticks=34, onset=30)

    run = live(life(), "checkout")
    assert run.alerts
    assert run.opened(30) == {revision.alert.alert_id for revision in run.alerts}
    assert replayed(run)
    assert interleaved(life(), run)


def test_the_newest_predictions_count_as_reached_while_an_alert_is_looked_at_again():
    shown = Shift("outcomes:risk", "", "calibration", 24, lag=16, exact=True)
    nodes = [Dataset("orders", ("amount",)), Model("risk", ("amount",), ("orders",), {"amount": ("orders", "amount")})]
    log = World(nodes, [Shift("orders", "amount", "location", 24), shown], outcomes=True).rounds(0, 42)
    state, _ = tell(log)
    (fault,) = state.faults
    since = (one for one in log if one.kind is ObservationKind.WINDOW and int(one.batch_id.split("-")[1]) >= 24)
    ids = tuple(name for one in since for call in one.predictions for name in call.ids)
    truth = Truth(fault="", kind="SOURCE_DATA", component="orders", onset_tick=24, affected_predictions=ids)

    assert not fault.settled
    run = Run(observations=[(0, one) for one in log], state=state)
    assert reached(run, fault.alert, truth)[0] == (len(ids), len(ids), len(ids))


def test_a_fault_in_some_rows_is_told_with_the_rows_it_is_in():
    fault = FAULTS["subgroup"]
    life = Life(CHECKOUT, fault, seed=1, start=1_700_000_000_000_000, ticks=34, onset=30)
    (told,) = live(life, "checkout").alerts
    assert (told.alert.cause.column, told.alert.cause.segment) == (fault.column, fault.segment)


def test_a_copy_of_the_shop_leaves_the_original_where_it_was():
    values = {"latency_p50": 0.1, "latency_p90": 0.2, "latency_p95": 0.3, "latency_p99": 0.4}
    step = {"site": {**values, "requests_sum": 20.0, "availability_average": 95.0}}
    shop = Shop({"site": ()})
    shop.live(step)
    other = shop.copy()
    seen, _ = other.live(step)
    assert (shop.step, other.step) == (1, 2)
    assert shop.state.last_tick < other.state.last_tick
    assert seen[0].rows == 20
