"""Pipelines that feed other pipelines: the path crosses, a shared source pages once, circles end."""

import random
from dataclasses import replace

import pytest

from diagnosis.alert import CauseKind, StageOfDiagnosis, Status
from diagnosis.neighbours import READERS_KEPT, letters
from diagnosis.observation import Observation
from diagnosis.pipeline import fold, start
from diagnosis.provenance import ObservationKind, Parent
from tests.diagnosis.story import MINUTE, POLICY, START, Shift, World, chain, change, last, run, run_together, tick

BREAK = 30
LAKE = dict.fromkeys(("orders", "customers", "clean"), "lake")


def world(*shifts: Shift) -> World:
    """The lake cleans orders and customers; the shop joins them and serves a model."""
    return World(chain(), list(shifts), pipelines=LAKE)


def requests(log: list[Observation]) -> list[tuple[str | None, str, str]]:
    return [(one.reader, one.pipeline, one.name) for one in log if one.kind is ObservationKind.REQUEST]


def test_each_dataset_upstream_is_asked_for_once_hop_by_hop() -> None:
    states, _, log = run_together(world().rounds(0, 10))

    assert sorted(requests(log)) == [
        ("shop", "lake", "clean"),
        ("shop", "lake", "customers"),
        ("shop", "lake", "orders"),
    ]
    assert {key for key in states["shop"].nodes if key.startswith("lake:/")} == {
        f"lake:/{name}" for name in ("orders", "customers", "clean")
    }
    imported = states["shop"].nodes["lake:/orders"].ring
    assert [batch.batch_id for batch in imported][-1] == "orders-9"


@pytest.mark.parametrize("late", [0, 3, 40])
@pytest.mark.parametrize("broken", ["orders", "clean"])
def test_a_fault_of_a_shared_source_pages_once_and_what_it_reaches_elsewhere_points_to_it(
    late: int, broken: str
) -> None:
    _, alerts, _ = run_together(world(Shift(broken, "amount", "location", BREAK, 40)).rounds(0, BREAK + 20), late=late)

    firing = [alert for alert in last(alerts) if alert.status is Status.FIRING]
    assert [(alert.pipeline, alert.cause.component) for alert in firing] == [("lake", broken)]
    for alert in last(alerts):
        if alert.pipeline == "shop":
            assert (alert.status, alert.superseded_by) == (Status.SUPERSEDED, firing[0].alert_id)


def test_nobody_is_paged_downstream_before_the_alert_upstream_is_known() -> None:
    broken = world(Shift("orders", "amount", "location", BREAK, 40))
    _, alerts, _ = run_together(broken.rounds(0, BREAK + 20), late=6)

    diagnosed = [alert for alert in alerts if alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED]
    assert {alert.pipeline for alert in diagnosed} == {"lake"}


def test_a_weak_cause_in_another_pipeline_is_named_with_a_path_that_crosses() -> None:
    weak = Shift("orders", "amount", "location", BREAK, 5.0, weak=True)
    also = Shift("clean", "amount", "location", BREAK, 0.0, weak=True)
    loud = Shift("joined", "amount", "location", BREAK, 4.0)
    _, alerts, _ = run_together(world(weak, also, loud).rounds(0, BREAK + 20))

    (alert,) = last(alerts)
    assert (alert.pipeline, alert.cause.component) == ("shop", "orders")
    assert [(hop.pipeline, hop.dataset) for hop in alert.path][:3] == [
        ("lake", "orders"),
        ("lake", "clean"),
        ("shop", "joined"),
    ]
    assert alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED


@pytest.mark.parametrize(("pipeline", "blamed"), [("lake", True), ("shop", False)])
def test_a_deploy_in_another_pipeline_is_known_where_its_data_are_read(pipeline: str, blamed: bool) -> None:
    weak = Shift("clean", "amount", "location", BREAK, 5.0, weak=True)
    loud = Shift("joined", "amount", "location", BREAK, 4.0)
    broken = world(weak, loud)
    log = broken.rounds(0, BREAK + 20)
    deploy = replace(change("clean", "CODE", log[BREAK * len(chain())].at - 1), pipeline=pipeline)
    _, alerts, _ = run_together([*log[: BREAK * len(chain())], deploy, *log[BREAK * len(chain()) :]])

    (alert,) = last(alerts)
    assert (alert.pipeline, alert.cause.component) == ("shop", "clean")
    assert (alert.cause.change_id == "clean-v2") is blamed


def test_a_fault_of_its_own_pages_beside_the_one_upstream() -> None:
    shifts = [Shift("orders", "amount", "location", BREAK, 40), Shift("features", "age", "missing_rate", BREAK, 40)]
    versions = {"features": BREAK}
    both = world(*shifts)
    both.versions = lambda name, number: {"code": "v2" if number >= versions.get(name, 10_000) else "v1"}
    _, alerts, _ = run_together(both.rounds(0, BREAK + 20))

    firing = [alert for alert in last(alerts) if alert.status is Status.FIRING]
    assert sorted((alert.pipeline, alert.kind, alert.cause.component) for alert in firing) == [
        ("lake", CauseKind.SOURCE_DATA, "orders"),
        ("shop", CauseKind.CODE_CHANGE, "features"),
    ]


def test_what_outlasts_a_resolved_fault_upstream_for_long_is_a_fault_of_its_own() -> None:
    shifts = [
        Shift("orders", "amount", "location", BREAK, 40, until=BREAK + 6),
        Shift("features", "spend", "location", BREAK + 6, 40),
    ]
    _, alerts, _ = run_together(world(*shifts).rounds(0, BREAK + 60))

    assert [(alert.pipeline, alert.status) for alert in last(alerts) if alert.status is not Status.SUPERSEDED] == [
        ("lake", Status.RESOLVED),
        ("shop", Status.FIRING),
    ]


def test_a_source_that_falls_silent_in_another_pipeline_pages_once() -> None:
    silent = world()
    log = silent.rounds(0, BREAK)
    minute = (START + BREAK * MINUTE) // MINUTE
    for number in range(BREAK, BREAK + 12):
        log += [silent.observation("customers", number), tick(minute + number - BREAK)]
    _, alerts, _ = run_together(log)

    firing = [alert for alert in last(alerts) if alert.status is Status.FIRING]
    assert [(alert.pipeline, alert.kind, alert.cause.component) for alert in firing] == [
        ("lake", CauseKind.SILENCE, "orders")
    ]


def circle() -> list[Observation]:
    """``a`` feeds ``b``, and ``b`` feeds ``a``, every batch from the one before."""
    log = []
    for number in range(20):
        for place, (pipeline, name, parent, other) in enumerate([("a", "x", "y", "b"), ("b", "y", "x", "a")]):
            at = START + number * MINUTE + place
            named = Parent(dataset=parent, pipeline=other, batch_id=f"{parent}-{number - 1 + place}")
            log.append(
                Observation(
                    kind=ObservationKind.BATCH,
                    pipeline=pipeline,
                    name=name,
                    batch_id=f"{name}-{number}",
                    at=at,
                    arrived_at=at,
                    parents=(named,),
                )
            )
    return log


def test_pipelines_in_a_circle_ask_once_each_and_end() -> None:
    given = circle()
    states, _, log = run_together(given)

    assert sorted(requests(log)) == [("a", "b", "y"), ("b", "a", "x")]
    assert len(log) <= 3 * len(given)
    assert states["a"].cycles_refused > 0


def test_a_log_with_its_letters_folded_again_gives_the_same_alerts() -> None:
    _, alerts, log = run_together(world(Shift("orders", "amount", "location", BREAK, 40)).rounds(0, BREAK + 20))
    again: dict[str, list[object]] = {}
    for pipeline in ("lake", "shop"):
        _, again[pipeline] = run([one for one in log if one.addressee == pipeline], state=start(pipeline))  # type: ignore[assignment]

    for pipeline, found in again.items():
        assert found == [alert for alert in alerts if alert.pipeline == pipeline]


def test_answers_that_come_twice_change_nothing() -> None:
    _, _, log = run_together(world(Shift("orders", "amount", "location", BREAK, 40)).rounds(0, BREAK + 20))
    shop = [one for one in log if one.addressee == "shop"]
    twice = [copy for one in shop for copy in ([one, one] if one.reader else [one])]

    assert last(run(twice)[1]) == last(run(shop)[1])


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_two_pipelines_arrive_changes_no_page(seed: int) -> None:
    log = world(Shift("orders", "amount", "location", BREAK, 40)).rounds(0, BREAK + 20)
    generator = random.Random(seed)
    delay = {name: generator.uniform(0, 2 * MINUTE) for name in {one.name for one in log}}
    _, alerts, _ = run_together(sorted(log, key=lambda one: one.at + delay[one.name]), late=seed * 5)

    firing = [alert for alert in last(alerts) if alert.status is Status.FIRING]
    assert [(alert.pipeline, alert.cause.component) for alert in firing] == [("lake", "orders")]


def test_the_readers_of_a_dataset_are_bounded() -> None:
    state = start("lake")
    for number in range(READERS_KEPT + 5):
        asked = replace(tick(0), kind=ObservationKind.REQUEST, pipeline="lake", name="orders", reader=f"r{number}")
        state, _ = fold(state, asked, POLICY)
    batch = world().observation("orders", 0)
    after, alerts = fold(state, batch, POLICY)

    assert len(letters(state, after, batch, alerts)) == READERS_KEPT
