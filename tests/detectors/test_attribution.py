"""Which features carry a shift of the scores."""

from functools import reduce

import numpy as np
import pytest

from detectors.attribution import attribute
from detectors.batch import CategoryColumn, NumberColumn
from detectors.model import Policy, PredictionsInput, fold_predictions, start, summarise_predictions
from detectors.reference import category_reference, number_reference
from detectors.sampled import merged, row_keys, sample

KINDS = ("a", "b", "c")
NORMAL = number_reference(np.sort(np.random.default_rng(0).normal(size=2000)), np.ones(2000))
REFERENCES = dict.fromkeys(("score", "x", "y", "z"), NORMAL) | {
    "kind": category_reference({"a": 3, "b": 2, "c": 1}, 0),
}


def drawn(rng, rows=256):
    values = {name: rng.normal(size=rows) for name in ("x", "y", "z")}
    return values | {"kind": rng.choice(3, rows, p=[0.5, 0.3, 0.2])}


def scored(values, rng, intercept=0.0):
    """``z`` is of no account; a missing ``y`` counts as 2."""
    y = np.where(np.isnan(values["y"]), 2.0, values["y"])
    score = 0.6 * values["x"] - 0.4 * y + 0.8 * (values["kind"] == 2) + intercept
    return score + 0.1 * rng.normal(size=len(score))


def cells(values, score):
    columns = {name: NumberColumn(values=values[name]) for name in ("x", "y", "z")}
    columns |= {
        "kind": CategoryColumn(dictionary=KINDS, codes=values["kind"].astype(np.int32)),
        "score": NumberColumn(values=score),
    }
    return sample(columns, REFERENCES, row_keys("w", len(score))).cells


def shares(damage, seed=0, intercept=0.0):
    rng = np.random.default_rng(seed)
    before, after = drawn(rng), damage(drawn(rng))
    return attribute(
        cells(before, scored(before, rng)), cells(after, scored(after, rng, intercept)), REFERENCES, "score"
    )


def average(damage, intercept=0.0, seeds=20):
    found = [shares(damage, seed, intercept) for seed in range(seeds)]
    return {name: np.mean([one.get(name, 0.0) for one in found]) for name in sorted({n for one in found for n in one})}


def shifted(**by):
    return lambda values: {name: held + by.get(name, 0.0) for name, held in values.items()}


def test_the_feature_that_shifted_carries_the_shift():
    assert average(shifted(x=1.0)) == {"x": pytest.approx(1.0, abs=0.1)}


def test_two_features_share_it_by_coefficient_and_shift():
    found = average(shifted(x=1.0, y=-1.0))

    assert found["x"] == pytest.approx(0.6, abs=0.07)
    assert found["y"] == pytest.approx(0.4, abs=0.07)


def test_what_works_against_the_shift_has_a_negative_share():
    assert average(shifted(x=1.0, y=1.0))["y"] < -0.5


def test_a_feature_that_the_model_does_not_heed_carries_nothing():
    assert "z" not in average(shifted(x=1.0, z=3.0))
    assert average(shifted(z=3.0)) == {}


def test_more_rows_of_a_category_carry_what_the_category_is_worth():
    assert average(lambda values: values | {"kind": np.full(256, 2)})["kind"] == pytest.approx(1.0, abs=0.15)


def test_missing_values_that_were_never_seen_before_carry_what_the_model_makes_of_them():
    def damage(values):
        return values | {"y": np.where(np.arange(256) % 2, np.nan, values["y"])}

    assert average(damage)["y"] == pytest.approx(1.0, abs=0.15)


def test_another_model_on_the_same_features_is_carried_by_none():
    assert average(shifted(), intercept=1.0) == {}


def test_half_by_a_feature_and_half_by_another_model_is_told_as_half():
    assert average(shifted(x=1.0), intercept=0.6)["x"] == pytest.approx(0.5, abs=0.07)


def test_nothing_is_told_of_scores_that_have_not_moved():
    told = [shares(shifted(), seed) for seed in range(200)]

    assert sum(bool(one) for one in told) <= 2


def test_few_rows_and_unknown_columns_tell_nothing():
    rng = np.random.default_rng(0)
    values = drawn(rng)
    known = cells(values, scored(values, rng))
    few = cells({name: held[:40] for name, held in values.items()}, np.full(40, 3.0))

    assert attribute(known, few, REFERENCES, "score") == {}
    assert attribute(known, known, {"x": NORMAL}, "score") == {}
    assert attribute(known, known, {"score": NORMAL}, "score") == {}
    assert attribute(sample({}, {}, row_keys("w", 0)).cells, known, REFERENCES, "score") == {}


def window(values, score, number, rows):
    """The event of some rows of a window of 500 predictions."""
    return PredictionsInput(
        subject="shop/risk",
        first_event_id=f"p{number}",
        task="BINARY",
        arrived_at=number,
        scores=score[rows],
        at=np.full(500, number * 60_000_000)[rows],
        id_hash=(np.arange(500, dtype=np.uint64) + np.uint64(1 + 1000 * number))[rows],
        features={name: NumberColumn(values=values[name][rows]) for name in ("x", "y", "z")},
        latency_ms=np.full(1, np.nan),
        error=np.zeros(1, bool),
    )


def lived(damage, count):
    """A model's state after windows of which those from the 40th on are damaged, their shares, and the next window."""
    rng, state, told = np.random.default_rng(1), start("shop/risk"), []
    for number in range(count + 1):
        values = damage(drawn(rng, 500)) if number >= 40 else drawn(rng, 500)
        given = values, 1 / (1 + np.exp(-scored(values, rng))), number
        if number == count:
            return state, told, given
        summary = summarise_predictions(state, window(*given, slice(None)))
        state, judgement = fold_predictions(state, summary, Policy(window_rows=500))
        told.append({name: share for name, share in judgement.gauges.items() if name.startswith("score_share:")})


def test_windows_of_a_model_tell_it_while_their_scores_are_found_to_have_moved():
    _, told, _ = lived(shifted(x=1.0), 46)

    assert not any(told[:40])
    assert told[-1].keys() == {"score_share:x"}
    assert told[-1]["score_share:x"] > 0.8


def test_the_same_rows_are_drawn_however_the_events_were_gathered():
    state, _, given = lived(shifted(), 3)
    pieces = [slice(0, 120), slice(120, 125), slice(125, 500)]
    whole = summarise_predictions(state, window(*given, slice(None))).drawn
    parts = reduce(merged, [summarise_predictions(state, window(*given, rows)).drawn for rows in pieces])

    assert np.array_equal(whole.key, parts.key)
    assert np.array_equal(whole.cells.code, parts.cells.code)
