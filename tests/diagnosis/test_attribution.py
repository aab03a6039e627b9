"""An alert's impact says which input columns carry the shift of the scores."""

from dataclasses import replace

import pytest

from diagnosis.alert import Contribution
from diagnosis.attribution import carried
from tests.diagnosis.story import POLICY, Shift, World, chain, last, run

BREAK, ROUNDS = 24, 40
SHARES = {"score_share:spend": 0.9, "score_share:age": 0.06, "rows": 500.0}


def story(told=lambda _: True, *shifts, rounds=ROUNDS, policy=POLICY):
    """The last revisions of a log in which ``amount`` moves the scores, and windows that are ``told`` say by what."""
    world = World(chain(), shifts=[*shifts] or [Shift("orders", "amount", "location", BREAK, 40.0)])
    log = [
        replace(seen, gauges=SHARES) if seen.name == "risk" and number >= BREAK and told(number) else seen
        for number in range(rounds)
        for seen in world.rounds(number, number + 1)
    ]
    return last(run(log, policy)[1])


def test_the_impact_names_the_columns_that_moved_the_scores():
    first, *_ = story()

    assert first.impact.attribution == (
        Contribution(column="spend", share=0.9),
        Contribution(column="age", share=0.06),
    )
    assert "What moved their scores: spend (90%), age (6%)." in first.summary


def test_without_rows_to_tell_it_from_nothing_is_named():
    first, *_ = story(lambda _: False)

    assert first.impact.attribution == ()
    assert "What moved their scores" not in first.summary


def test_what_is_known_stays_once_the_windows_that_told_it_are_forgotten():
    first, *_ = story(lambda number: number < 40, rounds=120, policy=replace(POLICY, ring_batches=32))

    assert [one.column for one in first.impact.attribution] == ["spend", "age"]


def test_a_fault_that_no_score_shows_is_not_told_to_have_moved_any():
    first, *_ = story(lambda _: True, Shift("features", "age", "scale", BREAK, 40.0))

    assert first.impact.predictions_affected
    assert first.impact.attribution == ()


def test_shares_are_means_over_the_windows_that_tell_any():
    found = carried([{"score_share:a": 1.0}, {}, {"score_share:a": 0.5, "score_share:b": -0.4}, {"score_share:c": 0.1}])

    assert found == (
        Contribution(column="a", share=0.5),
        Contribution(column="b", share=pytest.approx(-0.133, abs=1e-3)),
    )
