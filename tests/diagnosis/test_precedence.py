"""What came first: a cause is there in what the first bad batch was made from."""

from dataclasses import replace

import pytest

from detectors.finding import Finding
from detectors.judgement import Readings
from diagnosis.alert import Alert, CauseKind
from diagnosis.observation import Observation
from tests.diagnosis.story import MINUTE, START, Dataset, Model, Shift, World, chain, last, run, tick

BREAK = 40
SHIFTED = Shift("view", "ratio", "location", BREAK, 40)


def chained(*columns: str) -> list[Dataset | Model]:
    """A source and a view of it whose column follows nothing that is known."""
    return [Dataset("raw", columns), Dataset("view", ("ratio",), ("raw",))]


def told(alerts: list[Alert]) -> list[tuple[CauseKind, str]]:
    return [(alert.cause.kind, alert.cause.component) for alert in last(alerts)]


def dated_back(finding: Finding, before: Observation) -> Finding:
    """The same with an onset interval that ends with another, sound batch."""
    return replace(finding, onset_batch_id=before.batch_id, onset_earliest=before.at - MINUTE, onset_latest=before.at)


def test_what_begins_in_a_parent_a_batch_later_is_not_the_cause() -> None:
    nodes = [Dataset("raw", ("a", "b")), Dataset("view", ("ratio",), ("raw",), {"ratio": ("raw", "a")})]
    shifts = [Shift("view", "ratio", "location", BREAK, 40), Shift("raw", "b", "location", BREAK + 1, 12)]
    _, alerts = run(World(nodes, shifts).rounds(0, BREAK + 12))

    assert [(alert.cause.component, alert.cause.column) for alert in last(alerts)] == [("view", "ratio"), ("raw", "b")]


def test_what_a_column_follows_explains_nothing_if_it_moved_a_batch_later() -> None:
    nodes = [Dataset("raw", ("a",)), Dataset("view", ("ratio",), ("raw",), {"ratio": ("raw", "a")})]
    _, alerts = run(World(nodes, [SHIFTED, Shift("raw", "a", "location", BREAK + 1, 12)]).rounds(0, BREAK + 12))

    assert told(alerts) == [(CauseKind.UNKNOWN, "view"), (CauseKind.SOURCE_DATA, "raw")]


def test_a_check_that_fails_a_batch_later_upstream_is_not_the_cause() -> None:
    retyped = Shift("raw", "a", "column_retyped", BREAK + 1, exact=True)
    _, alerts = run(World(chained("a"), [SHIFTED, retyped]).rounds(0, BREAK + 12))

    assert told(alerts) == [(CauseKind.UNKNOWN, "view"), (CauseKind.SCHEMA_CHANGE, "raw")]


def test_findings_of_one_column_that_plainly_began_apart_are_traced_apart() -> None:
    shifts = [
        SHIFTED,
        Shift("raw", "a", "column_retyped", BREAK + 1, exact=True),
        Shift("view", "ratio", "missing_rate", BREAK + 1, 60),
    ]
    _, alerts = run(World(chained("a"), shifts).rounds(0, BREAK + 12))

    assert told(alerts) == [(CauseKind.UNKNOWN, "view"), (CauseKind.SCHEMA_CHANGE, "raw")]
    assert [{one.statistic for one in alert.symptoms} for alert in last(alerts)] == [
        {"location"},
        {"column_retyped", "missing_rate"},
    ]


def test_the_strongest_statistic_of_a_column_says_when_the_others_came() -> None:
    shifts = [
        SHIFTED,
        Shift("raw", "a", "location", BREAK + 1, 20),
        Shift("raw", "a", "scale", BREAK + 1, 3, weak=True),
    ]
    _, alerts = run(World(chained("a"), shifts).rounds(0, BREAK + 12))

    assert told(alerts) == [(CauseKind.UNKNOWN, "view"), (CauseKind.SOURCE_DATA, "raw")]


def test_a_silence_that_follows_does_not_explain_what_was_made_from_a_new_batch() -> None:
    log = World(chained("a"), [SHIFTED]).rounds(0, BREAK + 1)
    ticks = [tick(START // MINUTE + BREAK + minutes) for minutes in range(1, 12)]
    _, alerts = run([*log, *ticks])

    assert ("shop/view", "location") in {(one.subject, one.statistic) for one in last(alerts)[0].symptoms}
    assert [alert.cause.component for alert in last(alerts)] == ["view", "raw"]


def test_what_spoilt_only_the_last_of_the_batches_that_are_read_together_did_not_come_later() -> None:
    nodes = [Dataset("raw", ("a",)), Model("risk", ("a",), ("raw",))]
    log = World(nodes, [Shift(name, "a", "missing_rate", BREAK, 20) for name in ("raw", "risk")]).rounds(0, BREAK + 8)
    sound = next(one for one in log if one.batch_id == f"risk-{BREAK - 1}")

    def pooled(one: Observation) -> Observation:
        number = int(one.batch_id.rpartition("-")[2])
        if one.name == "raw":
            return one
        if number % 2 != BREAK % 2:
            return replace(one, readings=Readings(), findings=())
        return replace(one, findings=tuple(dated_back(finding, sound) for finding in one.findings))

    (alert,) = last(run(map(pooled, log))[1])
    assert (alert.kind, alert.cause.component, alert.cause.column) == (CauseKind.SOURCE_DATA, "raw", "a")


def unrenewed() -> list[Observation]:
    """Customers come no more; what they are joined to reads their last batch again."""
    world = World(chain(), [Shift("joined", column, "missing_rate", BREAK, 40) for column in ("age", "income")])
    world.parent_of = lambda _child, parent, number: (
        f"{parent}-{min(number, BREAK - 1) if parent == 'customers' else number}"
    )
    return [one for one in world.rounds(0, BREAK + 3) if one.name != "customers" or one.batch_id < f"customers-{BREAK}"]


def test_a_join_that_reads_the_same_batch_again_shows_at_once_that_nothing_new_came() -> None:
    (final,) = last(run(unrenewed())[1])

    assert (final.kind, final.cause.component) == (CauseKind.SILENCE, "customers")
    assert final.impact.first_prediction_id == f"p{BREAK}-0-0"


def test_that_nothing_new_came_shows_in_the_first_bad_batch_though_its_window_began_with_a_sound_one() -> None:
    log = unrenewed()
    sound = next(one for one in log if one.batch_id == f"joined-{BREAK - 1}")
    log = [
        replace(one, findings=tuple(dated_back(each, sound) for each in one.findings)) if one.name == "joined" else one
        for one in log
    ]

    assert told(run(log)[1]) == [(CauseKind.SILENCE, "customers")]


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        (Shift("raw", "a", "missing_rate", BREAK, 8), CauseKind.SOURCE_DATA),
        (Shift("raw", "a", "column_retyped", BREAK, exact=True), CauseKind.SCHEMA_CHANGE),
    ],
)
def test_what_lasted_upstream_without_harm_until_the_stage_was_changed_is_not_the_cause(
    before: Shift, kind: CauseKind
) -> None:
    deployed = BREAK + 2
    world = World(
        chained("a"),
        [before, Shift("view", "ratio", "location", deployed, 40)],
        versions=lambda name, number: {"code": "v2" if name == "view" and number >= deployed else "v1"},
    )
    _, alerts = run(world.rounds(0, BREAK + 12))

    assert told(alerts) == [(kind, "raw"), (CauseKind.CODE_CHANGE, "view")]


def test_a_pause_that_is_over_does_not_explain_what_was_made_from_the_next_batch() -> None:
    shifts = [SHIFTED, Shift("raw", "", "gap", BREAK, 12, until=BREAK + 1)]
    _, alerts = run(World(chained("a"), shifts).rounds(0, BREAK + 12))

    assert (CauseKind.UNKNOWN, "view") in told(alerts)


def test_a_silence_that_did_no_harm_until_the_stage_was_changed_is_not_the_cause() -> None:
    deployed = BREAK + 7
    world = World(
        chained("a"),
        [Shift("view", "ratio", "location", deployed, 40)],
        versions=lambda name, number: {"code": "v2" if name == "view" and number >= deployed else "v1"},
    )
    world.parent_of = lambda _child, parent, number: f"{parent}-{min(number, BREAK - 1)}"
    log = world.rounds(0, BREAK)
    for number in range(BREAK, BREAK + 12):
        log += [tick(START // MINUTE + number), world.observation("view", number)]
    _, alerts = run(log)

    assert told(alerts) == [(CauseKind.SILENCE, "raw"), (CauseKind.CODE_CHANGE, "view")]
