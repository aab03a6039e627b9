from dataclasses import replace
from itertools import pairwise

from diagnosis.alert import CauseKind, Severity, StageOfDiagnosis, Status
from diagnosis.observation import Observation
from diagnosis.pipeline import fold
from diagnosis.policy import Policy
from diagnosis.provenance import ObservationKind, Parent
from tests.diagnosis.story import MINUTE, POLICY, START, Dataset, Model, Shift, World, chain, last, run, tick

BREAK = 24


def test_the_first_finding_opens_an_alert_at_once() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
    state, before = run(world.rounds(0, BREAK))
    _, alerts = fold(state, world.observation("orders", BREAK), POLICY)

    assert before == []
    assert [(alert.revision, alert.status) for alert in alerts] == [(1, Status.FIRING)]


def test_one_fault_is_one_alert_with_few_revisions() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
    _, alerts = run(world.rounds(0, BREAK + 30))

    assert len(last(alerts)) == 1
    assert [alert.revision for alert in alerts] == list(range(1, len(alerts) + 1))
    assert len(alerts) <= 12
    assert {finding.subject for finding in alerts[-1].symptoms} == {
        f"shop/{name}" for name in ("orders", "clean", "joined", "features", "risk")
    }


def test_a_child_seen_before_its_parents_is_suspected_then_its_cause_moves_upstream() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
    state, _ = run(world.rounds(0, BREAK))
    order = ["features", "joined", "clean", "orders", "customers", "risk"]
    state, early = run([world.observation(name, BREAK) for name in order[:2]], state=state)
    state, late = run([world.observation(name, BREAK) for name in order[2:]], state=state)

    assert early[0].stage_of_diagnosis is StageOfDiagnosis.SUSPECTED
    assert early[0].cause.component == "features"
    final = last([*early, *late])
    assert len(final) == 1
    assert (final[0].cause.component, final[0].stage_of_diagnosis) == ("orders", StageOfDiagnosis.DIAGNOSED)


def test_two_independent_faults_at_the_same_moment_are_two_alerts() -> None:
    shifts = [Shift("orders", "amount", "location", BREAK, 40), Shift("customers", "income", "missing_rate", BREAK, 40)]
    _, alerts = run(World(chain(), shifts).rounds(0, BREAK + 10))

    assert sorted((alert.cause.component, alert.cause.column) for alert in last(alerts)) == [
        ("customers", "income"),
        ("orders", "amount"),
    ]


def test_a_second_fault_downstream_of_the_first_gets_its_own_alert() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
    world.shifts.append(Shift("features", "age", "scale", BREAK + 15, 40))
    world.versions = lambda name, number: {"code": "v2" if name == "features" and number >= BREAK + 15 else "v1"}
    _, alerts = run(world.rounds(0, BREAK + 30))

    assert [(alert.kind, alert.cause.component) for alert in last(alerts)] == [
        (CauseKind.SOURCE_DATA, "orders"),
        (CauseKind.CODE_CHANGE, "features"),
    ]


def forked() -> list[Dataset | Model]:
    return [
        Dataset("raw", ("a", "b")),
        Dataset("left", ("a",), ("raw",), {"a": ("raw", "a")}),
        Dataset("right", ("b",), ("raw",), {"b": ("raw", "b")}),
    ]


def test_two_alerts_found_to_be_one_fault_leave_the_earlier_one() -> None:
    """Parents without batch ids are taken to be the last ones seen, which may be put right later."""
    shifts = [Shift("raw", c, "location", BREAK, 40) for c in "ab"]
    world = World(forked(), shifts, parent_of=lambda _child, _parent, _number: None)
    state, _ = run(world.rounds(0, BREAK))
    state, early = run([world.observation(name, BREAK) for name in ("left", "right")], state=state)
    state, late = run([world.observation("raw", BREAK), *world.rounds(BREAK + 1, BREAK + 8)], state=state)

    first, second = last([*early, *late])
    assert len({alert.alert_id for alert in early}) == 2
    assert (second.status, second.superseded_by) == (Status.SUPERSEDED, first.alert_id)
    assert (first.status, first.cause.component) == (Status.FIRING, "raw")
    assert {finding.subject for finding in first.symptoms} == {"shop/raw", "shop/left", "shop/right"}


def test_findings_that_wait_for_the_same_batches_wait_in_one_alert() -> None:
    world = World(forked(), [Shift("raw", c, "location", BREAK, 40) for c in "ab"])
    state, _ = run(world.rounds(0, BREAK))
    state, early = run([world.observation(name, BREAK) for name in ("left", "right")], state=state)
    state, late = run([world.observation("raw", BREAK), *world.rounds(BREAK + 1, BREAK + 8)], state=state)

    assert [alert.stage_of_diagnosis for alert in last(early)] == [StageOfDiagnosis.SUSPECTED]
    alerts = last([*early, *late])
    assert [(alert.status, alert.cause.component) for alert in alerts] == [(Status.FIRING, "raw")]
    assert alerts[0].stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED


def test_findings_that_waited_together_part_when_the_batches_show_two_faults() -> None:
    shifts = [Shift("left", "a", "location", BREAK, 40), Shift("right", "b", "location", BREAK, 40)]
    world = World(forked(), shifts)
    state, _ = run(world.rounds(0, BREAK))
    state, early = run([world.observation(name, BREAK) for name in ("left", "right")], state=state)
    state, late = run([world.observation("raw", BREAK), *world.rounds(BREAK + 1, BREAK + 8)], state=state)

    assert len(last(early)) == 1
    assert sorted(alert.cause.component for alert in last([*early, *late])) == ["left", "right"]


def test_an_alert_resolves_when_every_subject_has_long_enough_been_without_its_finding() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40, until=BREAK + 6)])
    rounds = BREAK + 6 + POLICY.resolve_batches
    _, alerts = run(world.rounds(0, rounds))

    final = last(alerts)
    assert len(final) == 1
    assert final[0].status is Status.RESOLVED
    assert final[0].resolved_at == world.observation("risk", rounds - 1).at
    assert final[0].impact.predictions_affected == 600
    assert "resolved" in final[0].summary


def test_a_fault_that_comes_and_goes_is_one_alert() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", at, 40, until=at + 4) for at in (24, 36, 48)])
    _, alerts = run(world.rounds(0, 64))

    assert len(last(alerts)) == 1
    statuses = [alert.status for alert in alerts]
    assert statuses.count(Status.RESOLVED) == 3
    assert [alert.revision for alert in alerts] == list(range(1, len(alerts) + 1))


def deployed(*spans: tuple[int, int]) -> World:
    """A deploy of the features at ``BREAK`` that shows in some spans of rounds only, as a season may hide it."""
    world = World(chain(), [Shift("features", "spend", "location", first, 40, until=end) for first, end in spans])
    world.versions = lambda name, number: {"code": "v2" if name == "features" and number >= BREAK else "v1"}
    return world


def test_a_fault_that_comes_back_keeps_the_cause_and_onset_that_were_seen_when_it_began() -> None:
    _, alerts = run(deployed((BREAK, BREAK + 6), (BREAK + 14, BREAK + 40)).rounds(0, BREAK + 48))

    (final,) = last(alerts)
    assert (final.kind, final.cause.component, final.cause.after) == (CauseKind.CODE_CHANGE, "features", "v2")
    assert final.onset.batch_id == f"features-{BREAK}"
    assert final.impact.predictions_affected == 100 * (6 + 26)


def test_what_is_read_only_after_an_alert_has_resolved_is_still_its_symptom() -> None:
    """Topics loaded in bulk are read at their own pace: the model's windows come when the features are well again."""
    log = deployed((BREAK, BREAK + 6)).rounds(0, BREAK + 20)
    _, alerts = run(sorted(log, key=lambda one: one.name == "risk" and one.at >= START + BREAK * MINUTE))

    (final,) = last(alerts)
    assert (final.kind, final.status) == (CauseKind.CODE_CHANGE, Status.RESOLVED)
    assert final.impact.predictions_affected == 600


def test_predictions_that_are_read_only_after_an_alert_has_resolved_are_counted() -> None:
    """The model's windows look as ever, so that nothing else would bring the alert back."""
    log = World(chain(), [Shift("orders", "", "rows", BREAK, 40, until=BREAK + 6)]).rounds(0, BREAK + 30)
    end = log[-1].arrived_at
    late = [replace(one, arrived_at=end) for one in log if one.name == "risk"]
    state, alerts = run([one for one in log if one.name != "risk"])
    assert (alerts[-1].status, alerts[-1].impact.predictions_affected) == (Status.RESOLVED, 0)

    _, more = run([*late, tick(end // MINUTE + 1)], state=state)
    assert {alert.status for alert in more} == {Status.RESOLVED}
    assert [alert.revision for alert in more] == [alerts[-1].revision + 1 + n for n in range(len(more))]
    assert more[-1].impact.predictions_affected == 600
    assert more[-1].impact.first_prediction_id == f"p{BREAK}-0-0"
    assert 0.5 < (more[-1].impact.share_of_predictions or 0) < 0.7, "of what was predicted until it was over"
    assert "600" in more[-1].summary


def test_a_tick_tells_what_was_counted_since_the_last_revision_and_the_next_one_nothing() -> None:
    log = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)]).rounds(0, BREAK + 6)
    state, alerts = run(log)
    assert alerts[-1].impact.predictions_affected < 600

    minute = log[-1].arrived_at // MINUTE
    state, told = run([tick(minute + 1)], state=state)
    assert [alert.impact.predictions_affected for alert in told] == [600]
    assert run([tick(minute + 2)], state=state)[1] == []


def test_an_old_alert_tells_its_numbers_seldom() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
    log = [one for n in range(BREAK + 200) for one in [*world.rounds(n, n + 1), tick(START // MINUTE + n)]]
    _, alerts = run(log)

    assert len(alerts) < 30
    assert alerts[-1].impact.predictions_affected >= 20_000 * (1 - POLICY.tell_share)


def test_the_same_cause_much_later_is_a_new_alert_that_names_the_former() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", at, 40, until=at + 4) for at in (24, 90)])
    _, alerts = run(world.rounds(0, 98))

    first, second = last(alerts)
    assert second.previous_alert_id == first.alert_id
    assert second.cause_key == first.cause_key
    assert first.previous_alert_id is None


def test_a_stopped_source_is_named_with_its_usual_time_and_cleared_when_it_speaks() -> None:
    world = World(chain())
    log = world.rounds(0, 30)
    state, alerts = run(log)
    minute = (START + 30 * MINUTE) // MINUTE
    rest = [world.observation(n.name, number) for number in range(30, 42) for n in world.nodes if n.name == "customers"]
    ticks = [tick(minute + i) for i in range(12)]
    state, alerts = run([one for pair in zip(rest, ticks, strict=True) for one in pair], state=state)

    firing = last(alerts)
    assert [(alert.kind, alert.cause.component, alert.status) for alert in firing] == [
        (CauseKind.SILENCE, "orders", Status.FIRING)
    ]
    assert "usually sends every 60 seconds" in firing[0].summary
    assert {finding.subject for finding in firing[0].symptoms} >= {"shop/orders", "shop/clean", "shop/joined"}

    _, alerts = run(world.rounds(42, 43), state=state)
    assert last(alerts)[0].status is Status.RESOLVED


def test_history_loaded_in_bulk_is_not_silent_a_minute_later() -> None:
    world = World(chain())
    arrival = START + 100_000 * MINUTE
    log = [replace(one, arrived_at=arrival + place) for place, one in enumerate(world.rounds(0, 30))]
    ticks = [tick(arrival // MINUTE + i) for i in range(1, 4)]
    _, alerts = run([*log, *ticks])

    assert alerts == []


def test_a_tick_already_seen_is_ignored() -> None:
    state, _ = run(World(chain()).rounds(0, 10))
    state, _ = fold(state, tick(30_000_000), POLICY)
    again, alerts = fold(state, tick(30_000_000), POLICY)

    assert alerts == ()
    assert again.last_tick == 30_000_000


def test_a_late_batch_opens_no_alert_and_ends_none() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
    state, _ = run(world.rounds(0, BREAK))
    late = replace(world.observation("orders", BREAK), late=True)
    _, alerts = fold(state, late, POLICY)

    assert alerts == ()


def test_without_support_the_alert_says_so_after_settling() -> None:
    nodes = [Dataset("end", ("x",), ("nowhere",))]
    world = World(nodes, [Shift("end", "x", "location", BREAK, 40)])
    _, alerts = run(world.rounds(0, BREAK + 10))

    assert alerts[0].stage_of_diagnosis is StageOfDiagnosis.SUSPECTED
    assert alerts[-1].stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED
    assert any("Not observed: nowhere" in line for line in alerts[-1].cause.evidence)


def test_an_alert_settles_though_a_parent_that_children_name_sends_nothing_for_good() -> None:
    nodes = [Dataset("rare", ("y",)), Dataset("end", ("x",), ("rare",))]
    world = World(nodes, [Shift("end", "x", "location", BREAK, 40)])
    log = [one for one in world.rounds(0, BREAK + 12) if one.name != "rare" or one.at < world.at(nodes[0], BREAK - 3)]
    state, alerts = run(log)

    assert [alert.stage_of_diagnosis for alert in last(alerts)] == [StageOfDiagnosis.DIAGNOSED]
    assert [fault.settled for fault in state.faults] == [True]


def test_the_predictions_reached_are_exactly_those_made_from_spoilt_batches() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40, until=BREAK + 3)])
    world.parent_of = lambda child, parent, number: (
        f"{parent}-{number - number % 2}" if child == "risk" else f"{parent}-{number}"
    )
    _, alerts = run(world.rounds(0, BREAK + 12))

    final = last(alerts)[0]
    assert final.impact.models == ("risk",)
    assert final.impact.first_prediction_id == f"p{BREAK}-0-0"
    assert final.impact.predictions_affected == 400
    assert final.severity is Severity.CRITICAL


def test_the_count_of_predictions_survives_a_ring_that_forgets() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
    small = replace(POLICY, ring_batches=30)
    state, alerts = run(world.rounds(0, 92), small)

    assert all(len(node.ring) <= 30 for node in state.nodes.values())
    assert alerts[-1].impact.predictions_affected >= 3_400
    assert len(last(alerts)) == 1


def test_a_cycle_is_refused_and_counted() -> None:
    def batch(name: str, parent: str, number: int) -> Observation:
        at = START + number * MINUTE
        parents = (Parent(dataset=parent, batch_id=f"{parent}-{number}"),)
        return Observation(
            kind=ObservationKind.BATCH,
            pipeline="shop",
            name=name,
            batch_id=f"{name}-{number}",
            at=at,
            arrived_at=at,
            parents=parents,
        )

    state, alerts = run([batch("a", "b", 1), batch("b", "c", 1), batch("c", "a", 1), batch("a", "a", 2)])

    assert alerts == []
    assert state.cycles_refused == 2
    assert state.nodes["c"].parents == ()


def test_thirty_hops_lead_back_to_the_first() -> None:
    names = [f"stage{number:02}" for number in range(30)]
    nodes = [Dataset("stage00", ("x",))]
    nodes += [Dataset(b, ("x",), (a,), {"x": (a, "x")}) for a, b in pairwise(names)]
    world = World(nodes, [Shift("stage00", "x", "location", BREAK, 200)])
    _, alerts = run(world.rounds(0, BREAK + 3))

    final = last(alerts)
    assert len(final) == 1
    assert [hop.dataset for hop in final[0].path] == names
    assert final[0].cause.component == "stage00"


def test_what_is_remembered_is_bounded() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
    small = Policy(environment="test", ring_batches=20, max_nodes=4, max_findings=3, max_changes=2)
    state, _ = run(world.rounds(0, 60), small)

    assert len(state.nodes) == 4
    assert state.nodes_refused > 0
    assert len(state.active) <= 3
    assert all(len(node.ring) <= 20 for node in state.nodes.values())


def test_batches_that_go_on_coming_out_of_order_are_one_fault_however_each_of_them_shows_it() -> None:
    shifts = [
        Shift("orders", "", "window_gap", BREAK, until=BREAK + 2, exact=True),
        Shift("orders", "", "window_overlap", BREAK + 14, until=BREAK + 16, exact=True),
        Shift("orders", "", "window_gap", BREAK + 15, until=BREAK + 17, exact=True),
    ]
    lasting = Shift("orders", "", "out_of_order", BREAK, exact=True)
    _, alerts = run(World(chain(), [lasting, *shifts]).rounds(0, BREAK + 18))

    (final,) = last(alerts)
    assert (final.kind, final.cause.component, final.onset.batch_id) == (
        CauseKind.LATENESS,
        "orders",
        f"orders-{BREAK}",
    )


def test_scores_that_move_later_than_what_the_model_is_served_are_the_same_fault_unless_the_model_was_changed() -> None:
    shifts = [Shift("risk", "age", "location", BREAK, 40), Shift("risk", "", "score_location", BREAK + 20, 40)]
    _, alerts = run(World(chain(), shifts).rounds(0, BREAK + 30))
    assert [alert.cause.component for alert in last(alerts)] == ["risk"]

    world = World(chain(), shifts)
    world.versions = lambda name, number: {"model": "v2" if name == "risk" and number >= BREAK + 20 else "v1"}
    _, alerts = run(world.rounds(0, BREAK + 30))
    assert [alert.kind for alert in last(alerts)] == [CauseKind.SERVING_SKEW, CauseKind.MODEL_CHANGE]


def test_a_cause_that_nothing_supports_yields_to_one_further_up_whatever_is_still_on_its_way() -> None:
    nodes = [
        Dataset("idle", ("b",)),
        Dataset("raw", ("a", "ratio"), ("idle",)),
        Dataset("view", ("ratio",), ("raw", "idle")),
    ]
    shifts = [Shift("view", "ratio", "location", BREAK), Shift("raw", "a", "location", BREAK)]

    def alarmed_late(one: Observation) -> Observation:
        return replace(one, findings=()) if one.name == "raw" and one.at < START + (BREAK + 3) * MINUTE else one

    log = World(nodes, shifts).rounds(0, BREAK + 10)
    spoken = (one for one in log if one.name != "idle" or one.at < START + BREAK * MINUTE)
    _, alerts = run(map(alarmed_late, spoken), replace(POLICY, settle_s=100.0))

    assert [alert.cause.component for alert in alerts[:1]] == ["view"]
    assert [alert.cause.component for alert in last(alerts)] == ["raw"]
