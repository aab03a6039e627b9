"""Rows across a hop: what a stage makes of each row it is given, however many those are."""

from dataclasses import replace
from math import sin

import numpy as np
import pytest

from diagnosis.alert import Alert, CauseKind
from diagnosis.observation import Observation
from tests.diagnosis.story import Shift, World, chain, last, run

BREAK = 40


def swinging(world: World, node: str, times: float) -> list[Observation]:
    """Rows swing from 60 to 140; since the break, ``node`` makes ``times`` as many of what it is given."""
    made = ("orders", "clean", "joined", "features")
    log = []
    for number in range(BREAK + 12):
        for one in world.rounds(number, number + 1):
            rows = round(100 + 40 * sin(number / 4)) if one.name in made else one.rows
            spoilt = number >= BREAK and one.name in made[made.index(node) :]
            log.append(replace(one, rows=round(rows * times) if spoilt else rows))
    return log


def told(node: str, column: str, times: float) -> Alert:
    fewer = Shift(node, column, "distinct", BREAK, -20)
    alerts = last(run(swinging(World(chain(), [fewer]), node, times))[1])
    assert len(alerts) == 1
    return alerts[0]


@pytest.mark.parametrize("times", [1.25, 2.0])
def test_a_join_that_multiplies_rows_is_known_by_what_it_makes_of_each_though_rows_swing(times: float) -> None:
    alert = told("joined", "age", times)
    assert (alert.kind, alert.cause.component) == (CauseKind.JOIN, "joined")
    assert f"{times:.2f} for each row of clean where it used to be 1.00" in alert.cause.evidence[0]


@pytest.mark.parametrize("times", [1.25, 2.0])
def test_a_stage_that_repeats_rows_is_known_by_what_it_makes_of_each_though_rows_swing(times: float) -> None:
    alert = told("clean", "amount", times)
    assert (alert.kind, alert.cause.component) == (CauseKind.DUPLICATION, "clean")


def test_rows_that_swing_with_those_of_the_parents_break_no_join() -> None:
    assert told("joined", "age", 1.0).kind is not CauseKind.JOIN


class Counted(World):
    """How many different ages there are per row follows the customers', and nothing else while rows are as many."""

    def z(self, name: str, number: int) -> dict[tuple[str, str], float]:
        known = (name, number) in self._z
        found = super().z(name, number)
        if not known and name in ("customers", "joined"):
            own = float(np.random.default_rng((number, name == "joined")).normal())
            above = self.z("customers", number)["age", "distinct"] if name == "joined" else 0.0
            moved = found.get(("age", "distinct"), 0.0)
            found["age", "distinct"] = moved + (0.995 * above + 0.1 * own if name == "joined" else own)
        return found


def test_rows_that_are_there_twice_repeat_what_is_joined_to_them_though_the_join_was_deployed_just_then() -> None:
    def deployed(name: str, number: int) -> dict[str, str]:
        return {"code": "v2" if name == "joined" and number >= BREAK else "v1"}

    twice = [Shift(name, "", "rows", BREAK, 20) for name in ("clean", "joined", "features")]
    fewer = [Shift("clean", "amount", "distinct", BREAK, -20), Shift("joined", "age", "distinct", BREAK, -20)]
    _, alerts = run(swinging(Counted(chain(), [*twice, *fewer], versions=deployed), "clean", 2.0))

    assert [(alert.kind, alert.cause.component) for alert in last(alerts)] == [(CauseKind.DUPLICATION, "clean")]
