"""A fault that reaches predictions of another pipeline: they are counted there, and told in the one alert."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache

import pytest

from diagnosis.alert import Alert, Impact, Interval, Match, Severity, Status
from diagnosis.harm import take_harm, with_harms
from diagnosis.neighbours import letters
from diagnosis.observation import Harm, Observation, Told
from diagnosis.pipeline import fold
from diagnosis.provenance import ObservationKind
from diagnosis.publish import Reason, why_tell
from diagnosis.state import PipelineState, Reached
from diagnosis.toll import root_of, toll_told
from diagnosis.wording import whose
from tests.diagnosis.story import (
    MINUTE,
    POLICY,
    START,
    Dataset,
    Model,
    Shift,
    World,
    chain,
    last,
    run_together,
    tick,
)
from tests.diagnosis.test_determinism import decode, encode

BREAK = 30
LAKE = dict.fromkeys(("orders", "customers", "clean"), "lake")
BROKEN = Shift("orders", "amount", "location", BREAK, 40)
FIRST = f"p{BREAK}-0-0"


def life(world: World, rounds: int = 20) -> list[Observation]:
    """So many rounds after the break, and a tick after each."""
    log = []
    for number in range(BREAK + rounds):
        log += [*world.rounds(number, number + 1), tick(START // MINUTE + number + 1)]
    return log


def two(*shifts: Shift, nodes: Iterable[Dataset | Model] = ()) -> World:
    """The lake cleans orders and customers; the shop joins them and serves a model."""
    return World([*chain(), *nodes], [replace(shift) for shift in shifts], pipelines=LAKE)


def harms(log: list[Observation]) -> list[Harm]:
    return [one.harm for one in log if one.kind is ObservationKind.REACHED and one.harm is not None]


def firing(alerts: list[Alert]) -> Alert:
    (alert,) = [alert for alert in last(alerts) if alert.status is Status.FIRING]
    return alert


def counted(state: PipelineState) -> tuple[Harm, set[str]]:
    """What is known at the end of the one alert of another pipeline, and the windows it reached."""
    (toll,) = [guest.toll for guest in state.guests if guest.toll is not None]
    harm = toll.draft or toll.told
    assert harm is not None
    return harm, set(toll.tainted["model:risk"])


def test_the_one_alert_says_whose_predictions_were_reached_how_many_and_how_badly() -> None:
    _, alerts, _ = run_together(life(two(BROKEN)))

    alert = firing(alerts)
    assert (alert.pipeline, alert.severity, alert.impact.models) == ("lake", Severity.CRITICAL, ("shop/risk",))
    (part,) = alert.impact.elsewhere
    assert (part.pipeline, part.models, part.first_prediction_id) == ("shop", ("risk",), FIRST)
    assert alert.impact.predictions_affected == part.predictions_affected >= 100 * 20 * (1 - POLICY.tell_share)
    assert (alert.impact.first_prediction_id, alert.impact.match) == (FIRST, Match.EXACT)
    assert alert.impact.share_of_predictions == 1.0
    assert "predictions of risk in pipeline shop were reached (100% of all since it began), first p30" in alert.summary


STORIES = {
    "a source": (BROKEN,),
    "a stage": (Shift("clean", "amount", "location", BREAK, 40),),
    "grows": tuple(Shift("orders", "amount", "location", BREAK + step, 3) for step in range(14)),
    "hidden at first": (
        Shift("orders", "amount", "location", BREAK, 5.0, weak=True),
        Shift("clean", "amount", "location", BREAK, 40),
    ),
    "one column after the other": (
        Shift("orders", "amount", "missing_rate", BREAK, exact=True, until=BREAK + 6),
        Shift("orders", "quantity", "missing_rate", BREAK, exact=True, lag=2, until=BREAK + 16),
    ),
    "over": (replace(BROKEN, until=BREAK + 8),),
    "comes back": (
        replace(BROKEN, until=BREAK + 8),
        Shift("orders", "amount", "location", BREAK + 15, 40, until=BREAK + 18),
    ),
}


@cache
def counted_alone(story: str) -> tuple[Impact, Severity]:
    """What is known at the end where both pipelines are one."""
    states, _, _ = run_together(life(World(chain(), [replace(shift) for shift in STORIES[story]]), 30))
    return known_of_one(states)


def known_of_one(states: Mapping[str, PipelineState]) -> tuple[Impact, Severity]:
    (fault,) = states["shop"].faults
    known = fault.draft or fault.alert
    return known.impact, known.severity


@pytest.mark.parametrize("late", [0, 40])
@pytest.mark.parametrize("story", STORIES)
def test_the_predictions_reached_are_those_that_one_pipeline_alone_would_count(story: str, late: int) -> None:
    states, alerts, _ = run_together(life(two(*STORIES[story]), 30), late=late)

    truth, severity = counted_alone(story)
    harm, windows = counted(states["shop"])
    assert (harm.affected, harm.first_id, harm.match) == (truth.predictions_affected, FIRST, truth.match)
    assert len(windows) * 100 == harm.affected
    (alert,) = [one for one in last(alerts) if one.pipeline == "lake"]
    if alert.status is Status.RESOLVED:
        assert alert.impact.predictions_affected == truth.predictions_affected
    assert alert.severity is severity


def silent(pipelines: Mapping[str, str]) -> list[Observation]:
    """Orders come no more; what is made from them goes on with the last ones."""
    world = World(chain(), pipelines=pipelines)
    world.parent_of = lambda _, parent, number: f"{parent}-{min(number, BREAK - 1) if parent == 'orders' else number}"
    return [one for one in life(world) if one.name != "orders" or one.at < START + BREAK * MINUTE]


def deployed(pipelines: Mapping[str, str]) -> list[Observation]:
    """A deploy breaks a column that was a little off just before it."""
    shifts = [Shift("clean", "amount", "location", BREAK + step, size) for step, size in ((-1, 4), (0, 14), (1, 30))]
    world = World(chain(), shifts, pipelines=pipelines)
    world.versions = lambda name, number: {"code": "v2" if name == "clean" and number >= BREAK else "v1"}
    return life(world)


@pytest.mark.parametrize("story", [silent, deployed])
def test_what_is_no_shift_of_its_source_is_counted_alike_too(
    story: Callable[[Mapping[str, str]], list[Observation]],
) -> None:
    truth, _ = known_of_one(run_together(story({}))[0])
    states, _, _ = run_together(story(LAKE))

    harm, windows = counted(states["shop"])
    assert (harm.affected, harm.first_id) == (truth.predictions_affected, FIRST)
    assert f"risk-{BREAK - 1}" not in windows


def test_what_was_made_from_good_batches_is_not_counted() -> None:
    stale = two(BROKEN)
    stale.parent_of = lambda child, parent, number: f"{parent}-{number - 3 * (child == 'risk')}"
    states, _, _ = run_together(life(stale))

    harm, windows = counted(states["shop"])
    assert windows == {f"risk-{number}" for number in range(BREAK + 3, BREAK + 20)}
    assert (harm.affected, harm.first_id) == (100 * 17, f"p{BREAK + 3}-0-0")


def test_predictions_that_are_read_after_the_fault_is_over_are_told_too() -> None:
    log = life(two(replace(BROKEN, until=BREAK + 6)))
    windows = [one for one in log if one.kind is ObservationKind.WINDOW and one.at >= START + BREAK * MINUTE]
    _, alerts, _ = run_together([*(one for one in log if one not in windows), *windows, *life(two())[-1:]])

    assert alerts[-1].status is Status.RESOLVED
    assert (alerts[-1].impact.predictions_affected, alerts[-1].impact.models) == (600, ("shop/risk",))


def test_an_alert_that_is_over_before_anything_is_told_of_it_becomes_as_severe_as_it_was() -> None:
    short = replace(BROKEN, since=80, until=88)  # letters take eleven rounds
    _, alerts, _ = run_together(life(two(short), 90), late=80)

    resolved = [alert for alert in alerts if alert.pipeline == "lake" and alert.status is Status.RESOLVED]
    assert (resolved[0].severity, resolved[0].impact.predictions_affected) == (Severity.WARNING, 0)
    assert (resolved[-1].severity, resolved[-1].impact.predictions_affected) == (Severity.CRITICAL, 800)


def test_harmless_drift_that_another_pipeline_reads_pages_nobody_for_it() -> None:
    _, alerts, log = run_together(life(two(BROKEN)), replace(POLICY, harmless_effect=1e9))

    assert {alert.severity for alert in alerts} == {Severity.INFO}
    assert harms(log) == []


def test_a_reader_none_of_whose_predictions_were_reached_says_nothing() -> None:
    customers = Shift("customers", "income", "location", BREAK, 40)
    other = Dataset("statistics", ("amount",), ("clean",), {"amount": ("clean", "amount")})
    world = two(customers, nodes=[other])
    world.pipelines = LAKE | {"statistics": "office"}
    _, alerts, log = run_together(life(world))

    assert {one.reader for one in log if one.kind is ObservationKind.REQUEST} == {"office", "shop"}
    assert {one.reader for one in log if one.kind is ObservationKind.REACHED} == {"shop"}
    assert [part.pipeline for part in firing(alerts).impact.elsewhere] == ["shop"]


def churn(parent: str) -> Model:
    return Model("churn", ("amount",), (parent,), {"amount": (parent, "amount")}, score=(parent, "amount"))


def test_each_of_three_pipelines_in_a_row_answers_for_its_own_predictions() -> None:
    world = two(BROKEN, nodes=[churn("joined")])
    world.pipelines = LAKE | {"joined": "middle", "churn": "middle"}
    states, alerts, log = run_together(life(world))

    assert {(one.reader, one.pipeline) for one in log if one.kind is ObservationKind.REACHED} == {
        ("middle", "lake"),
        ("shop", "lake"),
    }
    impact = firing(alerts).impact
    assert impact.models == ("middle/churn", "shop/risk")
    assert impact.predictions_affected == sum(part.predictions_affected for part in impact.elsewhere)
    (fault,) = states["lake"].faults
    assert {name: harm.models for name, harm in fault.harms.items()} == {"middle": ("churn",), "shop": ("risk",)}


def test_in_a_circle_of_pipelines_nothing_is_counted_twice() -> None:
    world = two(BROKEN, nodes=[Dataset("back", ("spend",), ("features",), {"spend": ("features", "spend")})])
    board = Model("board", ("spend",), ("back",), {"spend": ("back", "spend")}, score=("back", "spend"))
    world.nodes = [*world.nodes, board]
    world.pipelines = LAKE | dict.fromkeys(("back", "board"), "lake")
    _, alerts, log = run_together(life(world))

    impact = firing(alerts).impact
    (part,) = impact.elsewhere
    assert impact.models == ("board", "shop/risk")
    at_home = impact.predictions_affected - part.predictions_affected
    assert 1_000 <= part.predictions_affected <= 2_000
    assert 1_000 <= at_home <= 2_000
    assert len(harms(log)) <= len([alert for alert in alerts if alert.pipeline == "lake"])


def estimated(one: Observation) -> Observation:
    """A window with estimates of accuracy: .9 while all is well, .7 after."""
    if one.kind is not ObservationKind.WINDOW:
        return one
    known = 0.9 if one.at < START + BREAK * MINUTE else 0.7
    gauges = {f"estimated_accuracy_{end}ratio": known for end in ("lower_", "", "upper_")}
    return replace(one, gauges=gauges)


def test_what_the_fault_does_to_the_model_elsewhere_is_told() -> None:
    _, alerts, _ = run_together([estimated(one) for one in life(two(BROKEN))])

    impact = firing(alerts).impact
    assert impact.performance_change == pytest.approx(-0.2)
    assert impact.interval is not None
    assert impact.elsewhere[0].performance_change == impact.performance_change


def test_what_is_told_of_performance_later_takes_the_place_of_what_was_told_before() -> None:
    log = [estimated(one) for one in life(two(BROKEN), 40)]
    better = {
        number: replace(one, gauges=dict.fromkeys(one.gauges, 0.88))
        for number, one in enumerate(log)
        if one.gauges and one.at > START + (BREAK + 6) * MINUTE
    }
    _, alerts, _ = run_together([better.get(number, one) for number, one in enumerate(log)])

    told = [alert.impact for alert in alerts if alert.impact.performance_change is not None]
    assert told[0].performance_change == pytest.approx(-0.2)
    assert all(impact.performance_change == impact.elsewhere[0].performance_change for impact in told)
    assert (told[-1].performance_change or 0.0) > -0.1


def test_letters_are_as_rare_as_revisions_and_end_with_the_fault() -> None:
    log = life(two(replace(BROKEN, until=BREAK + 40)), 120)
    _, alerts, written = run_together(log)

    told = [one for one in written if one.kind is ObservationKind.REACHED]
    assert len(told) <= len(alerts) <= 25
    over = alerts[-1].resolved_at
    assert over is not None
    assert told[-1].at <= over + 10 * MINUTE


def test_written_and_read_back_at_every_step_the_same_is_told() -> None:
    log = life(two(replace(BROKEN, until=BREAK + 6)), 15)
    states, alerts, written = run_together(log)
    assert harms(written)

    kept: dict[str, bytes] = {}
    again: list[Alert] = []
    for seen in written:
        for name in sorted(kept) if seen.kind is ObservationKind.TICK else [seen.addressee]:
            before = decode(kept[name]) if name in kept else PipelineState(pipeline=name)
            after, found = fold(before, seen, POLICY)
            kept[name] = encode(after)
            again += found
    assert last(again) == last(alerts)
    assert kept == {name: encode(state) for name, state in states.items()}


HARM = Harm(alert_id="a", revision=1, models=("churn",), affected=100, total=200, first_at=5, first_id="c1")


@pytest.mark.parametrize(
    ("change", "due", "reason"),
    [
        ({}, True, Reason.NOTHING_NEW),
        ({"affected": 200}, False, Reason.NOTHING_NEW),
        ({"affected": 201}, False, Reason.NUMBERS),
        ({"affected": 0}, False, Reason.NUMBERS),
        ({"affected": 101}, True, Reason.NUMBERS),
        ({"performance_change": -0.1}, False, Reason.NOTHING_NEW),
        ({"performance_change": -0.1}, True, Reason.NUMBERS),
        ({"models": ("churn", "risk")}, False, Reason.IMPACT),
        ({"severity": Severity.CRITICAL}, False, Reason.SEVERITY),
    ],
)
def test_only_what_changed_materially_is_told_again(change: Mapping[str, object], due: bool, reason: Reason) -> None:
    assert why_tell(HARM, replace(HARM, **change), due=due) is reason  # type: ignore[arg-type]  # fields of Harm


def test_the_first_predictions_reached_are_told_at_once_and_none_never() -> None:
    assert why_tell(None, HARM, due=False) is Reason.OPENED
    assert why_tell(None, replace(HARM, affected=0), due=True) is Reason.NOTHING_NEW


HOME = Impact(models=("fraud",), predictions_affected=10, share_of_predictions=0.1, first_prediction_id="f1")
TOTALS = {"model:fraud": Reached(affected=10, total=100, first_at=7, first_id="f1"), "model:x": Reached(total=50)}


def test_what_is_told_elsewhere_adds_to_the_impact_at_home() -> None:
    home = replace(HOME, match=Match.EXACT)
    both = with_harms(
        home, TOTALS, {"marketing": replace(HARM, match=Match.WINDOW), "office": replace(HARM, affected=0)}
    )

    assert (both.predictions_affected, both.share_of_predictions) == (110, pytest.approx(110 / 300))
    assert (both.first_prediction_id, both.match) == ("c1", Match.WINDOW)
    assert both.models == ("fraud", "marketing/churn")
    assert whose(both) == "fraud and of churn in pipeline marketing"


@pytest.mark.parametrize(("home", "elsewhere", "told"), [(None, 0.1, 0.1), (-0.1, -0.2, -0.2), (-0.2, -0.1, -0.2)])
def test_the_worst_change_of_performance_is_told(home: float | None, elsewhere: float, told: float) -> None:
    interval = Interval(lower=elsewhere - 0.1, upper=elsewhere + 0.1)
    harm = replace(HARM, performance_change=elsewhere, interval=interval)
    both = with_harms(replace(HOME, performance_change=home), TOTALS, {"marketing": harm})

    assert both.performance_change == told
    assert (both.interval == interval) is (told == elsewhere)


def test_only_newer_letters_of_readers_about_alerts_of_ours_count() -> None:
    states, _, written = run_together(life(two(BROKEN), 3))
    lake = states["lake"]
    letter = [one for one in written if one.kind is ObservationKind.REACHED][-1]
    (known,) = lake.faults[0].harms.values()
    more = replace(known, affected=7_000)

    def affected(harm: Harm, reader: str = "shop") -> dict[str, int]:
        after = take_harm(lake, replace(letter, harm=harm, reader=reader))
        return {name: one.affected for name, one in after.faults[0].harms.items()}

    assert affected(replace(more, revision=known.revision + 1)) == {"shop": 7_000}
    for harm, reader in (
        (more, "shop"),
        (replace(more, revision=99), "stranger"),
        (replace(more, alert_id="x"), "shop"),
    ):
        assert affected(harm, reader) == {"shop": known.affected}


@pytest.mark.parametrize("later", [1, 13, 70])
def test_a_letter_that_comes_twice_changes_nothing_whenever_it_comes(later: int) -> None:
    log = two(*STORIES["one column after the other"]).rounds(0, BREAK + 30)
    states, alerts, written = run_together(log)
    kinds = (ObservationKind.FAULT, ObservationKind.REACHED)
    twice = [(place, one) for place, one in enumerate(written) if one.kind in kinds]

    again = written.copy()
    for place, one in reversed(twice):
        again.insert(min(place + later, len(written)), one)
    folded = {name: PipelineState(pipeline=name) for name in states}
    said: list[Alert] = []
    sent: list[Observation] = []
    for seen in again:
        before = folded[seen.addressee]
        folded[seen.addressee], found = fold(before, seen, POLICY)
        said += found
        sent += [one for one in letters(before, folded[seen.addressee], seen, found) if one.kind in kinds]
    assert said == alerts
    assert [(one.told, one.harm) for one in sent] == [(one.told, one.harm) for _, one in twice]


def told(state: PipelineState, **changed: object) -> Told:
    """The newest letter of the lake about its alert, changed."""
    (fault,) = state.faults
    root = root_of(state, fault)
    assert root is not None
    root = replace(root, **changed)  # type: ignore[arg-type]  # fields of Root
    return Told(alert_id="a", revision=1, onset_earliest=0, onset_latest=1, root=root)


def test_what_was_counted_stands_unless_the_fault_began_elsewhere_after_all() -> None:
    states, _, _ = run_together(life(two(BROKEN), 12))
    lake, shop = states["lake"], states["shop"]
    (known,) = [guest.toll for guest in shop.guests]
    assert known is not None
    assert known.settled

    assert toll_told(shop, known, told(lake)) == known
    more = toll_told(shop, known, told(lake, findings=()))
    assert more is not None
    assert (more.findings, more.tainted, more.observed) == ((), known.tainted, 0)
    moved = toll_told(shop, known, told(lake, dataset="clean"))
    assert moved is not None
    assert (moved.origin, moved.settled, moved.tainted, moved.reached) == ("lake:/clean", False, {}, {})
    assert (moved.told, moved.opened_arrival) == (known.told, known.opened_arrival)
    assert toll_told(shop, known, replace(told(lake, findings=()), resolved_at=1)) == known


def test_a_finding_that_joins_without_a_revision_is_told_too() -> None:
    until_it_joins = life(two(*STORIES["one column after the other"]), 3)[:-6]
    states, _, log = run_together(until_it_joins)

    stale, newest = [one for one in log if one.kind is ObservationKind.FAULT][-2:]
    assert stale.told is not None
    assert newest.told is not None
    assert stale.told.revision == newest.told.revision
    again, _ = fold(states["shop"], stale, POLICY)
    assert again.guests == states["shop"].guests
    (toll,) = [guest.toll for guest in states["shop"].guests]
    assert toll is not None
    assert len(toll.findings) == 2


def test_findings_further_down_are_told_where_the_origin_has_none() -> None:
    states, _, _ = run_together(life(two(*STORIES["hidden at first"]), 6))
    root = root_of(states["lake"], states["lake"].faults[0])

    assert root is not None
    assert root.dataset == "orders"
    assert [name.split("\x1f")[0] for name in root.findings] == ["lake/clean"]


def test_a_fault_of_a_model_is_told_without_a_dataset_to_look_for() -> None:
    states, _, _ = run_together(life(two(Shift("risk", "", "score_location", BREAK, 40)), 6))
    shop = states["shop"]

    assert [root_of(shop, fault) for fault in shop.faults] == [None]


def test_findings_told_of_datasets_that_are_not_read_are_left_out() -> None:
    states, _, _ = run_together(life(two(BROKEN), 6))
    lake, shop = states["lake"], states["shop"]
    (fault,) = lake.faults
    names = root_of(lake, fault).findings  # type: ignore[union-attr]  # it began in orders
    strange = tuple(name.replace("lake/orders", "lake/unread") for name in names)

    toll = toll_told(shop, None, told(lake, findings=(*strange, *names)))
    assert toll is not None
    assert [key.split("\x1f")[:2] for key in toll.findings] == [["lake:/orders", "lake/orders"]]
