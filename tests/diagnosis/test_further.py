"""A second fault in what is off already: told apart where a change made it leap."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from diagnosis.alert import Alert, CauseKind, Status
from tests.diagnosis.story import Model, Shift, World, chain, last, run

FIRST, SECOND, END = 30, 38, 60


def world(node: str, kind: str, *further: Shift, until: int = END) -> World:
    """Amounts are off at their source; then ``node`` is changed, and other things happen."""

    def versions(name: str, number: int) -> Mapping[str, str]:
        return {kind: "v2" if name == node and SECOND <= number < until else "v1"}

    source = Shift(node="orders", column="amount", statistic="location", since=FIRST)
    return World(chain(), [source, *further], versions=versions)


def leap(node: str, column: str, statistic: str, size: float = 30.0, until: int = END) -> Shift:
    return Shift(node=node, column=column, statistic=statistic, since=SECOND, size=size, until=until)


def causes(alerts: list[Alert]) -> list[tuple[CauseKind, str, str | None]]:
    return [(one.kind, one.cause.component, one.cause.column) for one in last(alerts)]


def growing(by: float) -> tuple[Shift, ...]:
    """Spend moves by itself, further with every batch."""
    return tuple(Shift("features", "spend", "location", since, by) for since in range(FIRST, END))


SOURCE = (CauseKind.SOURCE_DATA, "orders", "amount")


@pytest.mark.parametrize(
    ("node", "kind", "column", "statistic", "cause"),
    [
        ("features", "code", "spend", "location", CauseKind.CODE_CHANGE),
        ("features", "config", "spend", "location", CauseKind.CONFIG_CHANGE),
        ("risk", "model", "", "score_location", CauseKind.MODEL_CHANGE),
    ],
)
def test_a_change_that_breaks_what_is_off_already_gets_its_own_alert(
    node: str, kind: str, column: str, statistic: str, cause: CauseKind
) -> None:
    _, alerts = run(world(node, kind, leap(node, column, statistic)).rounds(0, END))

    assert causes(alerts) == [SOURCE, (cause, node, column or None)]
    second = last(alerts)[1]
    assert second.onset.batch_id == f"{node}-{SECOND}"
    assert second.impact.first_prediction_id == f"p{SECOND}-0-0"


def test_what_one_batch_does_not_show_some_together_do() -> None:
    _, alerts = run(world("risk", "model", leap("risk", "", "score_location", 8.0)).rounds(0, END))

    assert causes(alerts) == [SOURCE, (CauseKind.MODEL_CHANGE, "risk", None)]
    second = last(alerts)[1]
    assert second.onset.batch_id == f"risk-{SECOND}"
    assert second.detected_at > second.onset.latest


@pytest.mark.parametrize(
    "happened",
    [
        pytest.param((), id="harmless"),
        pytest.param((leap("features", "spend", "location", -6.0),), id="less wrong"),
        pytest.param((leap("orders", "amount", "location"),), id="made from what leapt"),
        pytest.param((leap("features", "spend", "location", 2.0),), id="as it strays"),
        pytest.param(growing(1.0), id="it grows slowly"),
        pytest.param(growing(3.0), id="it grows fast"),
    ],
)
def test_a_change_that_breaks_nothing_further_is_not_blamed(happened: tuple[Shift, ...]) -> None:
    _, alerts = run(world("features", "code", *happened).rounds(0, END))
    assert causes(alerts) == [SOURCE]


def test_what_leaps_without_a_change_stays_with_the_first_fault() -> None:
    _, alerts = run(world("customers", "code", leap("features", "spend", "location")).rounds(0, END))
    assert causes(alerts) == [SOURCE]


def test_the_second_ends_when_its_change_is_undone() -> None:
    undone = world("features", "code", leap("features", "spend", "location", until=50), until=50)
    _, alerts = run(undone.rounds(0, 70))
    assert [alert.status for alert in last(alerts)] == [Status.FIRING, Status.RESOLVED]


def test_the_second_lasts_when_its_first_batch_is_forgotten() -> None:
    _, alerts = run(
        world("features", "code", leap("features", "spend", "location", until=400), until=400).rounds(0, 400)
    )
    assert [alert.status for alert in last(alerts)] == [Status.FIRING, Status.FIRING]


def test_a_model_that_names_nothing_is_not_blamed_for_what_the_last_datasets_did() -> None:
    moved = world("risk", "model", leap("features", "spend", "location"))
    moved.nodes = [replace(node, parents=()) if isinstance(node, Model) else node for node in moved.nodes]
    _, alerts = run(moved.rounds(0, END))
    assert CauseKind.MODEL_CHANGE not in {kind for kind, _, _ in causes(alerts)}
