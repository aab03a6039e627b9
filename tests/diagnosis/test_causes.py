from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from detectors.finding import Finding
from detectors.judgement import Readings
from diagnosis.alert import CauseKind, Grounding, Rejection, Severity, StageOfDiagnosis, Verdict
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind
from tests.diagnosis.story import MINUTE, START, Dataset, Model, Shift, World, chain, change, last, run

BREAK = 24
INTRODUCED, INHERITED = Verdict.INTRODUCED, Verdict.INHERITED


def versions(node: str, kind: str, since: int = BREAK) -> Callable[[str, int], Mapping[str, str]]:
    """Every node runs code v1; one node's ``kind`` goes from v1 to v2."""

    def at(name: str, number: int) -> Mapping[str, str]:
        base = {"code": "v1", "config": "v1", "schema": "v1", "model": "v1"}
        return {**base, kind: "v2"} if name == node and number >= since else base

    return at


@dataclass(frozen=True)
class Case:
    name: str
    shifts: tuple[Shift, ...]
    kind: CauseKind
    component: str
    column: str | None = None
    path: tuple[str, ...] = ()
    changed: tuple[str, str] | None = None
    outcomes: bool = False
    extra: tuple[Observation, ...] = field(default=())
    change_id: str | None = None


def shift(node: str, column: str, statistic: str, size: float = 40.0, **rest: object) -> Shift:
    return Shift(node, column, statistic, BREAK, size, **rest)  # type: ignore[arg-type]  # keywords of Shift


CASES = [
    Case(
        "source drift",
        (shift("orders", "amount", "location"),),
        CauseKind.SOURCE_DATA,
        "orders",
        "amount",
        ("orders", "clean", "joined", "features", "risk"),
    ),
    Case(
        "source nulls",
        (shift("customers", "age", "missing_rate"),),
        CauseKind.SOURCE_DATA,
        "customers",
        "age",
        ("customers", "joined", "features", "risk"),
    ),
    Case(
        "code deploy",
        (shift("features", "spend", "location"),),
        CauseKind.CODE_CHANGE,
        "features",
        "spend",
        ("features", "risk"),
        ("features", "code"),
        change_id="features:code:v2",
    ),
    Case(
        "config change",
        (shift("clean", "quantity", "scale"),),
        CauseKind.CONFIG_CHANGE,
        "clean",
        "quantity",
        ("clean", "joined"),
        ("clean", "config"),
        change_id="clean:config:v2",
    ),
    Case(
        "schema: column removed",
        (shift("clean", "quantity", "column_removed", exact=True), shift("joined", "quantity", "missing_rate")),
        CauseKind.SCHEMA_CHANGE,
        "clean",
        "quantity",
        ("clean", "joined"),
        ("clean", "schema"),
    ),
    Case(
        "join keys",
        (shift("joined", "age", "missing_rate"), shift("joined", "income", "missing_rate")),
        CauseKind.JOIN,
        "joined",
        None,
        ("joined", "features", "risk"),
    ),
    Case("join fan-out", (shift("joined", "", "rows"),), CauseKind.JOIN, "joined", None, ("joined",)),
    Case(
        "duplicated batch",
        (shift("orders", "", "duplicate_batch", exact=True), shift("clean", "", "rows")),
        CauseKind.DUPLICATION,
        "orders",
        None,
        ("orders", "clean"),
    ),
    Case(
        "late batch",
        (shift("customers", "", "out_of_order", exact=True),),
        CauseKind.LATENESS,
        "customers",
        None,
        ("customers",),
    ),
    Case(
        "stale features",
        (shift("risk", "spend_view", "feature_age", exact=True),),
        CauseKind.FEATURE_STALENESS,
        "risk",
        "spend_view",
        ("risk",),
    ),
    Case(
        "feature store",
        (shift("risk", "spend_view", "feature_miss_rate", exact=True),),
        CauseKind.FEATURE_STORE,
        "risk",
        "spend_view",
        ("risk",),
    ),
    Case("errors", (shift("risk", "", "error_rate", exact=True),), CauseKind.SERVING_HEALTH, "risk", None, ("risk",)),
    Case("serving skew", (shift("risk", "age", "location"),), CauseKind.SERVING_SKEW, "risk", "age", ("risk",)),
    Case(
        "model swap",
        (shift("risk", "", "score_location"),),
        CauseKind.MODEL_CHANGE,
        "risk",
        None,
        ("risk",),
        ("risk", "model"),
        change_id="risk:model:v2",
    ),
    Case(
        "concept shift",
        (shift("outcomes:risk", "", "calibration", exact=True, lag=4),),
        CauseKind.CONCEPT_SHIFT,
        "risk",
        None,
        ("risk",),
        outcomes=True,
    ),
    Case("scores alone", (shift("risk", "", "score_location"),), CauseKind.UNKNOWN, "risk", None, ("risk",)),
    Case(
        "announced deploy",
        (shift("features", "spend", "location"),),
        CauseKind.CODE_CHANGE,
        "features",
        "spend",
        ("features", "risk"),
        extra=(change("features", "CODE", START + BREAK * MINUTE - 20_000_000),),
        change_id="features-v2",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_cause_is_named_at_its_place_and_the_path_leads_to_the_effect(case: Case) -> None:
    world = World(chain(), [*case.shifts], outcomes=case.outcomes)
    if case.changed:
        world.versions = versions(*case.changed)
    _, alerts = run([*case.extra, *world.rounds(0, BREAK + 8)])
    final = last(alerts)

    assert len(final) == 1
    alert = final[0]
    assert (alert.kind, alert.cause.component, alert.cause.column) == (case.kind, case.component, case.column)
    assert tuple(hop.dataset for hop in alert.path) == case.path
    assert tuple(hop.verdict for hop in alert.path) == (INTRODUCED, *[INHERITED] * (len(case.path) - 1))
    assert alert.stage_of_diagnosis is StageOfDiagnosis.DIAGNOSED
    assert alert.cause.change_id == case.change_id or case.change_id is None
    if case.change_id:
        assert (alert.cause.before, alert.cause.after) == ("v1", "v2")
        assert "v1" in alert.next_steps[0]


def test_the_path_shows_the_first_bad_batch_and_what_was_made_from_it() -> None:
    def straddling(one: Observation) -> Observation:
        number = int(one.batch_id.split("-")[1])
        if one.kind is not ObservationKind.WINDOW or number == 0:
            return one
        earlier = tuple(replace(parent, batch_id=f"{parent.dataset}-{number - 1}") for parent in one.parents)
        return replace(one, parents=(*earlier, *one.parents))

    world = World(chain(), [shift("orders", "amount", "location")])
    _, alerts = run([straddling(one) for one in world.rounds(0, BREAK + 8)])

    final = last(alerts)[0]
    assert final.onset.batch_id == f"orders-{BREAK}"
    assert [hop.batch_id for hop in final.path] == [f"{hop.dataset}-{BREAK}" for hop in final.path]
    assert final.last_good is not None
    assert final.last_good.batch_id == f"orders-{BREAK - 1}"


def test_a_weak_cause_upstream_surfaces_although_it_did_not_alarm() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 5.0, weak=True)])
    world.shifts.append(Shift("features", "spend", "location", BREAK, 4.0))
    _, alerts = run(world.rounds(0, BREAK + 10))

    final = last(alerts)[0]
    assert final.cause.component == "orders"
    assert [hop.dataset for hop in final.path][:3] == ["orders", "clean", "joined"]


def test_a_stage_that_hides_the_fault_is_called_masked() -> None:
    nodes = [
        Dataset("raw", ("price",)),
        Dataset("middle", ("other",), ("raw",)),
        Dataset("end", ("price",), ("middle",)),
    ]
    world = World(nodes, [Shift("raw", "price", "location", BREAK, 40), Shift("end", "price", "location", BREAK, 20)])
    _, alerts = run(world.rounds(0, BREAK + 8))

    final = last(alerts)
    assert len(final) == 1
    assert [(hop.dataset, hop.verdict) for hop in final[0].path] == [
        ("raw", Verdict.INTRODUCED),
        ("middle", Verdict.MASKED),
        ("end", Verdict.INHERITED),
    ]


@pytest.mark.parametrize("late", [BREAK + 2, BREAK + 40])
def test_a_deploy_that_is_announced_when_the_alert_has_long_settled_is_the_cause(late: int) -> None:
    world = World(chain(), [shift("features", "spend", "location")])
    told = change("features", "CODE", START + BREAK * MINUTE - 20_000_000)
    _, alerts = run([*world.rounds(0, late), told, *world.rounds(late, late + 1)])

    (final,) = last(alerts)
    assert (final.kind, final.cause.change_id) == (CauseKind.CODE_CHANGE, "features-v2")
    assert final.impact.predictions_affected >= 100 * (late - BREAK) / 2


def test_the_nearest_deploy_is_not_guilt() -> None:
    world = World(chain(), [shift("orders", "amount", "location")])
    world.versions = versions("features", "code")
    told = change("customers", "CONFIG", START + BREAK * MINUTE - 1)
    stranger = change("billing", "CODE", START + BREAK * MINUTE - 1)
    _, alerts = run([told, stranger, *world.rounds(0, BREAK + 8)])

    final = last(alerts)[0]
    reasons = {one.component: one.reason for one in final.rejected}
    assert (final.kind, final.cause.component) == (CauseKind.SOURCE_DATA, "orders")
    assert reasons == {
        "features": Rejection.EXPLAINED_BY_PARENT,
        "customers": Rejection.NO_PATH,
        "billing": Rejection.NO_PATH,
    }


@pytest.mark.parametrize(("since", "reason"), [(BREAK + 1, Rejection.AFTER_ONSET), (BREAK - 3, Rejection.BEFORE_ONSET)])
def test_a_change_at_the_origin_at_the_wrong_time_is_ruled_out(since: int, reason: Rejection) -> None:
    world = World(chain(), [shift("features", "spend", "location")])
    world.versions = versions("features", "code", since)
    _, alerts = run(world.rounds(0, BREAK + 8))

    final = last(alerts)[0]
    assert [one.reason for one in final.rejected] == [reason]
    assert (final.kind, final.cause.component) == (CauseKind.UNKNOWN, "features")
    assert final.cause.grounding is Grounding.UNGROUNDED


def test_a_deploy_upstream_whose_output_stayed_healthy_is_ruled_out() -> None:
    world = World(chain(), [shift("features", "spend", "location")])
    world.versions = versions("clean", "code")
    _, alerts = run(world.rounds(0, BREAK + 8))

    final = last(alerts)[0]
    assert [(one.component, one.reason) for one in final.rejected] == [("clean", Rejection.NO_MECHANISM)]
    assert final.cause.component == "features"


def test_a_version_that_changes_with_every_batch_is_no_suspect() -> None:
    world = World(chain(), [shift("orders", "amount", "location")])
    world.versions = lambda name, number: {"code": "v1", "data": f"{name}-{number}"}
    _, alerts = run(world.rounds(0, BREAK + 8))

    assert last(alerts)[0].cause.change_id is None


def test_a_stage_without_versions_is_blamed_with_less_confidence() -> None:
    world = World(chain(), [shift("features", "spend", "location")])
    world.versions = lambda *_: {}
    _, alerts = run(world.rounds(0, BREAK + 8))

    final = last(alerts)[0]
    assert (final.kind, final.cause.grounding) == (CauseKind.CODE_CHANGE, Grounding.PATH_ONLY)
    assert final.cause.confidence < 0.5


def test_datasets_with_one_unseen_parent_that_move_together_point_to_it() -> None:
    nodes = [
        Dataset("left", ("a",), ("warehouse",)),
        Dataset("right", ("b",), ("warehouse",)),
        Dataset("aside", ("c",), ("warehouse",)),
    ]
    world = World(nodes, [Shift("left", "a", "location", BREAK, 40), Shift("right", "b", "location", BREAK, 40)])
    _, alerts = run(world.rounds(0, BREAK + 8))

    final = [alert for alert in last(alerts) if alert.superseded_by is None]
    assert [(alert.kind, alert.cause.component) for alert in final] == [(CauseKind.SOURCE_DATA, "warehouse")]


def test_a_second_dataset_of_a_source_that_shows_the_same_onset_later_points_to_the_source() -> None:
    slow = Shift("customers", "age", "location", BREAK, lag=12, exact=True)
    log = World(chain(), [shift("orders", "amount", "location"), slow]).rounds(0, BREAK + 16)
    log = [replace(one, source="erp") if one.name in ("orders", "customers") else one for one in log]

    (alert,) = last(run(log)[1])
    assert (alert.kind, alert.cause.component) == (CauseKind.SOURCE_DATA, "erp")


def test_a_model_alone_with_moved_features_blames_its_input() -> None:
    world = World([Model("loan", ("income", "debt"), ())], [Shift("loan", "income", "location", BREAK, 40)])
    _, alerts = run(world.rounds(0, BREAK + 8))

    final = last(alerts)[0]
    assert (final.kind, final.cause.component, final.cause.column) == (CauseKind.SOURCE_DATA, "loan", "income")


def test_harmless_drift_that_no_model_reads_is_info() -> None:
    nodes = [*chain(), Dataset("report", ("total",))]
    world = World(nodes, [Shift("report", "total", "location", BREAK, 40)])
    _, alerts = run(world.rounds(0, BREAK + 8))

    assert [alert.severity for alert in last(alerts)] == [Severity.INFO]


def test_the_words_name_the_change_the_time_and_the_way_back() -> None:
    world = World(chain(), [shift("features", "spend", "location")])
    world.versions = versions("features", "code")
    _, alerts = run(world.rounds(0, BREAK + 8))

    final = last(alerts)[0]
    assert final.title == "Code change in features broke column spend (v1 → v2)"
    assert final.next_steps[0] == "Roll features back to v1 (change features:code:v2)."
    assert "last good batch features-23" in final.summary
    assert "99% sure" in final.summary
    assert final.context.code_version == "v2"


@pytest.mark.parametrize(
    ("gauges", "kind"),
    [
        ({"calibration_slope": 1.0, "calibration_offset": 0.8}, CauseKind.CONCEPT_SHIFT),
        ({"calibration_slope": 0.5, "calibration_offset": 0.1}, CauseKind.CALIBRATION),
        (
            {"calibration_slope": 0.5, "calibration_offset": 0.9, "calibration_slope_nats": 1.0},
            CauseKind.CONCEPT_SHIFT,
        ),
        ({"calibration_slope": 2.0, "calibration_offset": -1.2, "calibration_slope_nats": 4.0}, CauseKind.CALIBRATION),
    ],
)
def test_confidence_that_is_off_is_told_from_outcomes_that_moved(gauges: dict[str, float], kind: CauseKind) -> None:
    world = World(chain(), [shift("outcomes:risk", "", "calibration", exact=True, lag=4)], outcomes=True)
    log = [replace(one, gauges=gauges) for one in world.rounds(0, BREAK + 10)]

    assert [alert.kind for alert in last(run(log)[1])] == [kind]


@pytest.mark.parametrize(
    ("outcomes", "gauges"),
    [
        ([], {"calibration_slope": 0.5, "calibration_offset": 0.9, "calibration_slope_nats": 8.0}),
        ([shift("outcomes:risk", "", "residual_bias", exact=True, lag=4)], {}),
    ],
)
def test_scores_and_outcomes_that_move_together_over_healthy_inputs_are_of_calibration(
    outcomes: list[Shift], gauges: dict[str, float]
) -> None:
    moved = [shift("risk", "", "score_location"), *outcomes]
    nodes = [replace(node, score=None) if isinstance(node, Model) else node for node in chain()]
    log = [replace(one, gauges=gauges) for one in World(nodes, moved, outcomes=True).rounds(0, BREAK + 10)]

    assert [(one.kind, one.cause.component) for one in last(run(log)[1])] == [(CauseKind.CALIBRATION, "risk")]


def test_a_model_swap_that_outcomes_date_is_named_though_they_are_of_windows_before_it_too() -> None:
    shifts = [
        shift("outcomes:risk", "", "calibration", exact=True, lag=4),
        shift("risk", "", "score_location", size=4.0, weak=True),
    ]
    nodes = [replace(node, score=None) if isinstance(node, Model) else node for node in chain()]
    world = World(nodes, shifts, versions=versions("risk", "model"), outcomes=True)
    log = [
        replace(one, window_start=(one.window_start or 0) - 6 * MINUTE) if one.kind is ObservationKind.OUTCOMES else one
        for one in world.rounds(0, BREAK + 10)
    ]
    (alert,) = last(run(log)[1])

    assert (alert.kind, alert.onset.batch_id) == (CauseKind.MODEL_CHANGE, f"risk-{BREAK}")


def test_a_column_that_one_side_of_a_join_has_is_not_explained_by_the_other() -> None:
    shifts = [Shift("joined", column, "missing_rate", BREAK, 40) for column in ("age", "income")]
    world = World(chain(), [*shifts, Shift("clean", "amount", "scale", BREAK, 5, weak=True)])
    _, alerts = run(world.rounds(0, BREAK + 4))

    assert [(alert.kind, alert.cause.component) for alert in last(alerts)] == [(CauseKind.JOIN, "joined")]


def test_rows_that_repeat_each_other_are_duplicates_even_where_they_are_not_all_there_twice() -> None:
    more = Shift("clean", "", "rows", BREAK, exact=True, observed=140.0, expected=100.0)
    fewer = [Shift("clean", column, "distinct", BREAK, -20) for column in ("amount", "quantity")]
    world = World(chain(), [more, Shift("clean", "", "rows", BREAK, 20), *fewer])
    _, alerts = run(world.rounds(0, BREAK + 4))

    assert [(alert.kind, alert.cause.component) for alert in last(alerts)] == [(CauseKind.DUPLICATION, "clean")]


def test_the_onset_is_that_of_the_first_statistic_of_a_column_to_alarm() -> None:
    world = World(
        chain(),
        [Shift("orders", "amount", "location", BREAK, 8), Shift("orders", "amount", "scale", BREAK + 2, 40)],
    )
    _, alerts = run(world.rounds(0, BREAK + 8))

    (final,) = last(alerts)
    assert final.onset.batch_id == f"orders-{BREAK}"


def test_small_batches_that_are_read_together_with_the_next_are_tested_again_like_others() -> None:
    broken = [shift("orders", "amount", "location", weak=True)]

    def pooled(one: Observation) -> Observation:
        first_of_two = int(one.batch_id.rpartition("-")[2].lstrip("o")) % 2 == 0
        return replace(one, readings=Readings(), findings=()) if first_of_two == (one.name != "orders") else one

    for rounds in (BREAK + 8, BREAK + 9):
        log = [pooled(one) for one in World(chain(), broken).rounds(0, rounds)]
        (alert,) = last(run(log)[1])
        assert (alert.kind, alert.cause.component, alert.cause.column) == (CauseKind.SOURCE_DATA, "orders", "amount")


def test_scores_that_move_long_after_what_they_are_made_from_are_no_other_fault() -> None:
    nodes = [replace(node, score=None) if isinstance(node, Model) else node for node in chain()]
    slow = [shift("orders", "amount", "location"), replace(shift("risk", "", "score_location"), since=BREAK + 14)]
    (alert,) = last(run(World(nodes, slow).rounds(0, BREAK + 20))[1])
    assert (alert.kind, alert.cause.component) == (CauseKind.SOURCE_DATA, "orders")
    assert ("shop/risk", "score_location") in {(one.subject, one.statistic) for one in alert.symptoms}


def test_a_derived_column_that_moves_long_after_what_it_is_made_from_is_no_other_fault() -> None:
    nodes = [*chain()[:5], Dataset("report", ("spend",), ("features",))]
    slow = [shift("orders", "amount", "location"), replace(shift("report", "spend", "location"), since=BREAK + 14)]
    (alert,) = last(run(World(nodes, slow).rounds(0, BREAK + 20))[1])
    assert (alert.kind, alert.cause.component, alert.cause.column) == (CauseKind.SOURCE_DATA, "orders", "amount")
    assert ("shop/report", "spend") in {(one.subject, one.column) for one in alert.symptoms}


def test_rows_that_come_or_go_long_after_those_of_the_parent_are_no_other_fault() -> None:
    slow = [shift("orders", "", "rows"), replace(shift("clean", "", "rows"), since=BREAK + 14)]
    (alert,) = last(run(World(chain()[:3], slow).rounds(0, BREAK + 20))[1])
    assert (alert.kind, alert.cause.component) == (CauseKind.SOURCE_DATA, "orders")


def test_what_a_second_fault_breaks_at_the_same_place_is_no_evidence_of_the_first() -> None:
    nodes = [Dataset("raw", ("a", "b")), Dataset("features", ("a", "b", "sum"), ("raw",))]
    gone = [Shift(name, "b", "column_removed", BREAK + 4, exact=True) for name in ("raw", "features")]
    log = World(nodes, [shift("features", "sum", "location"), *gone], versions("features", "code")).rounds(
        0, BREAK + 10
    )

    told = [(one.kind, one.cause.component, one.cause.column) for one in last(run(log)[1])]
    assert told == [(CauseKind.CODE_CHANGE, "features", "sum"), (CauseKind.SCHEMA_CHANGE, "raw", "b")]


def test_where_readings_leave_open_when_it_began_it_began_with_the_change_behind_it() -> None:
    world = World(chain(), [shift("clean", "amount", "location")], versions("clean", "code"))

    def vague(one: Finding) -> Finding:
        node = one.subject.removeprefix("shop/")
        return replace(one, onset_earliest=one.onset_earliest - 3 * MINUTE, onset_batch_id=f"{node}-{BREAK - 3}")

    log = [replace(one, findings=tuple(map(vague, one.findings))) for one in world.rounds(0, BREAK + 8)]
    (alert,) = last(run(log)[1])
    assert (alert.kind, alert.onset.batch_id) == (CauseKind.CODE_CHANGE, f"clean-{BREAK}")
    assert alert.impact.first_prediction_id == f"p{BREAK}-0-0"


class NowAndThen(Shift):
    """Far off in every twelfth round, and never an alarm: a statistic whose tails are heavy."""

    def on(self, number: int) -> bool:
        return number % 12 == 1


def test_what_is_far_off_now_and_then_is_no_cause_although_it_is_at_the_onset() -> None:
    odd = NowAndThen("risk", "spend", "scale", 0, 20, weak=True)
    broken = Shift("outcomes:risk", "", "calibration", BREAK, lag=3, exact=True)
    world = World(chain(), [odd, broken], outcomes=True)
    _, alerts = run(world.rounds(0, BREAK + 8))

    assert [(alert.cause.kind, alert.cause.component) for alert in last(alerts)] == [(CauseKind.CONCEPT_SHIFT, "risk")]
