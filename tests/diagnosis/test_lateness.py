from collections.abc import Mapping
from dataclasses import replace

from diagnosis.alert import CauseKind
from diagnosis.observation import Observation
from tests.diagnosis.story import MINUTE, START, World, chain, last, run

BREAK = 24
MADE_OF_ORDERS = ("orders", "clean", "joined", "features")


def timed(rounds: int, late: Mapping[int, float], run_kind: str = "SCHEDULED") -> list[Observation]:
    """A log in which each batch covers the minute before its round; those made of orders are so many minutes late.

    The model reads the newest features that are there.
    """
    batches = [
        replace(
            one,
            at=one.at + wait,
            arrived_at=one.arrived_at + wait,
            window_start=START + (number - 1) * MINUTE,
            window_end=START + number * MINUTE,
            run_kind=run_kind if wait else "SCHEDULED",
        )
        for number in range(rounds)
        for one in World(chain()).rounds(number, number + 1)
        if one.name != "risk"
        for wait in [round(late.get(number, 0.0) * MINUTE) if one.name in MADE_OF_ORDERS else 0]
    ]
    features = [one for one in batches if one.name == "features"]

    def newest(_child: str, _parent: str, number: int) -> str | None:
        there = [one for one in features if one.at < START + number * MINUTE + 10_000_000]
        return max(there, key=lambda one: one.at).batch_id if there else None

    windows = World(chain(), parent_of=newest)
    scored = [windows.observation("risk", number) for number in range(rounds)]
    return sorted([*batches, *scored], key=lambda one: one.at)


def test_late_batches_are_found_with_the_first_and_reach_what_went_on_without_them() -> None:
    _, alerts = run(timed(BREAK + 12, dict.fromkeys(range(BREAK, BREAK + 12), 1.5)))

    (final,) = last(alerts)
    assert (final.kind, final.cause.component) == (CauseKind.LATENESS, "orders")
    assert final.onset.batch_id == f"orders-{BREAK}"
    assert final.detected_at == START + BREAK * MINUTE + round(1.5 * MINUTE)
    assert final.impact.first_prediction_id == f"p{BREAK}-0-0"
    assert final.impact.share_of_predictions == 1.0


def test_late_batches_are_one_fault_while_some_of_them_are_less_late() -> None:
    _, alerts = run(timed(BREAK + 30, {BREAK + number: 1.5 if number % 9 == 0 else 0.5 for number in range(28)}))

    (final,) = last(alerts)
    assert (final.kind, final.cause.component) == (CauseKind.LATENESS, "orders")


def test_a_batch_that_is_there_before_the_next_is_due_is_not_called_late() -> None:
    assert run(timed(BREAK + 12, {BREAK: 0.5}))[1] == []


def test_a_backfill_is_not_late() -> None:
    assert run(timed(BREAK + 12, {BREAK: 2.5}, "BACKFILL"))[1] == []
