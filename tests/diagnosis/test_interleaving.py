"""The order in which datasets reach diagnosis is chance: it must change neither the number of alerts nor the cause."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from diagnosis.alert import CauseKind, StageOfDiagnosis, Status
from diagnosis.observation import Observation
from tests.diagnosis.story import MINUTE, POLICY, Dataset, Shift, World, chain, last, run

BREAK = 22
ROUNDS = BREAK + 8
SEEDS = range(2)
FAULTS: dict[str, tuple[list[Shift], dict[str, str], list[tuple[CauseKind, str]]]] = {
    "source values": (
        [Shift("orders", "amount", "location", BREAK, 40)],
        {},
        [(CauseKind.SOURCE_DATA, "orders")],
    ),
    "missing values of the other source": (
        [Shift("customers", "age", "missing_rate", BREAK, 40)],
        {},
        [(CauseKind.SOURCE_DATA, "customers")],
    ),
    "code of a stage in the middle": (
        [Shift("clean", "amount", "scale", BREAK, 40)],
        {"clean": "code"},
        [(CauseKind.CODE_CHANGE, "clean")],
    ),
    "code of the last stage": (
        [Shift("features", "spend", "location", BREAK, 40)],
        {"features": "code"},
        [(CauseKind.CODE_CHANGE, "features")],
    ),
    "another model": (
        [Shift("risk", "", "score_location", BREAK, 40)],
        {"risk": "model"},
        [(CauseKind.MODEL_CHANGE, "risk")],
    ),
    "outcomes": (
        [Shift("outcomes:risk", "", "calibration", BREAK, lag=3, exact=True)],
        {},
        [(CauseKind.CONCEPT_SHIFT, "risk")],
    ),
    "two sources at once": (
        [Shift("orders", "amount", "location", BREAK, 40), Shift("customers", "age", "missing_rate", BREAK, 40)],
        {},
        [(CauseKind.SOURCE_DATA, "customers"), (CauseKind.SOURCE_DATA, "orders")],
    ),
}


def interleaved(log: Sequence[Observation], seed: int, furthest: float) -> list[Observation]:
    """Delay every subject by up to ``furthest`` rounds, differently from time to time; each keeps its own order."""
    generator = random.Random(seed)
    delays: dict[str, float] = {}
    reached: dict[str, float] = {}
    order = []
    for one in log:
        if one.name not in delays or generator.random() < 0.05:
            delays[one.name] = generator.uniform(0, furthest * MINUTE)
        reached[one.name] = max(reached.get(one.name, 0.0), one.at + delays[one.name] + generator.uniform(0, MINUTE))
        order.append(reached[one.name])
    return [one for _, one in sorted(zip(order, log, strict=True), key=lambda pair: pair[0])]


def one_after_another(log: Sequence[Observation], seed: int, patience_s: float) -> list[Observation]:
    """Give every subject's whole history at once, in a random order ``patience_s`` apart, as a bulk load may."""
    subjects = sorted({(one.name, str(one.kind)) for one in log})
    random.Random(seed).shuffle(subjects)
    end = max(one.at for one in log)
    turn = {subject: number for number, subject in enumerate(subjects)}
    ordered = sorted(log, key=lambda one: turn[one.name, str(one.kind)])
    late = {subject: end + round(number * patience_s * 1e6) for subject, number in turn.items()}
    return [replace(one, arrived_at=late[one.name, str(one.kind)]) for one in ordered]


def broken(name: str, rounds: int, until: int = 10_000) -> list[Observation]:
    shifts, changed, _ = FAULTS[name]
    shifts = [replace(shift, until=until) for shift in shifts]

    def versions(node: str, number: int) -> dict[str, str]:
        told = {"code": "v1", "model": "m1"}
        return told | ({changed[node]: "v2"} if node in changed and BREAK <= number < until else {})

    return World(chain(), shifts, versions=versions, outcomes=True).rounds(0, rounds)


@pytest.mark.parametrize("furthest", [1.0, 20.0])
@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_is_one_alert_with_the_right_cause_in_whatever_order_its_datasets_come(
    name: str, furthest: float
) -> None:
    expected = FAULTS[name][2]
    log = broken(name, ROUNDS)
    onsets = {alert.cause.component: alert.onset for alert in last(run(log)[1])}
    for seed in SEEDS:
        alerts = last(run(interleaved(log, seed, furthest))[1])
        assert sorted((alert.kind, alert.cause.component) for alert in alerts) == expected, f"interleaving {seed}"
        assert {alert.cause.component: alert.onset for alert in alerts} == onsets, f"interleaving {seed}"


@pytest.mark.parametrize("patience_s", [0.1, 1_000.0])
@pytest.mark.parametrize("name", FAULTS)
def test_effects_that_come_before_anything_of_their_cause_is_seen_end_as_one_alert_with_the_right_cause(
    name: str, patience_s: float
) -> None:
    expected = FAULTS[name][2]
    log = broken(name, ROUNDS)
    onsets = {alert.cause.component: alert.onset for alert in last(run(log)[1])}
    for seed in range(6):
        told = last(run(one_after_another(log, seed, patience_s))[1])
        alerts = [alert for alert in told if alert.status is not Status.SUPERSEDED]
        assert sorted((alert.kind, alert.cause.component) for alert in alerts) == expected, f"order {seed}"
        assert {alert.cause.component: alert.onset for alert in alerts} == onsets, f"order {seed}"
        assert patience_s > POLICY.settle_s or len(told) == len(alerts), f"order {seed}: nobody is told twice"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_was_over_before_anything_of_its_cause_was_seen_is_one_resolved_alert_of_the_right_cause(
    name: str,
) -> None:
    log = broken(name, BREAK + 40, until=BREAK + 8)
    for seed in range(6):
        told = last(run(one_after_another(log, seed, 0.1))[1])
        alerts = [alert for alert in told if alert.status is not Status.SUPERSEDED]
        assert sorted((alert.kind, alert.cause.component) for alert in alerts) == FAULTS[name][2], f"order {seed}"
        assert {alert.status for alert in alerts} == {Status.RESOLVED}, f"order {seed}"


@pytest.mark.parametrize("furthest", [1.0, 20.0])
def test_a_steady_fault_is_told_a_handful_of_times_whatever_the_order(furthest: float) -> None:
    shifts = [Shift("orders", "amount", "location", BREAK, 40)]
    log = World(chain(), shifts, outcomes=True).rounds(0, BREAK + 16)
    for seed in SEEDS:
        assert len(run(interleaved(log, seed, furthest))[1]) <= 8
    assert len(run(log)[1]) <= 5


def test_what_others_have_in_common_is_not_called_the_cause_while_it_is_still_to_be_read() -> None:
    copied = {"x": ("base", "x")}
    nodes = [
        Dataset("raw", ("x",)),
        Dataset("base", ("x",), ("raw",), {"x": ("raw", "x")}),
        Dataset("left", ("x",), ("base",), copied),
        Dataset("right", ("x",), ("base",), copied),
    ]
    log = World(nodes, [Shift("raw", "x", "location", BREAK, 40)]).rounds(0, ROUNDS)
    read = {name: place for place, name in enumerate(("left", "right", "base", "raw"))}
    log = sorted(log, key=lambda one: read[one.name])
    at = max(one.at for one in log)
    _, alerts = run([replace(one, arrived_at=at + 10_000 * place) for place, one in enumerate(log)])

    diagnosed = [alert for alert in alerts if alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED]
    assert {(alert.kind, alert.cause.component) for alert in diagnosed} == {(CauseKind.SOURCE_DATA, "raw")}
    assert len(last(alerts)) == 1
