import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import metrics

from detectors.estimated import estimate, support
from detectors.recalibration import KNOTS, SHELVES, Recalibration, count, expit, fit, logit, shelf_of, tally
from detectors.reliability import (
    BINS,
    HALF_LIFE_ROWS,
    Reliability,
    area_under_curve,
    calibration_error,
    fade_in,
    gauges,
)


def drawn(seed, rows):
    rng = np.random.default_rng(seed)
    scores = rng.beta(1.5, 3, rows)
    return scores, (rng.random(rows) < scores).astype(float)


def test_log_loss_brier_score_and_accuracy_equal_rivers_when_nothing_has_faded(monkeypatch):
    monkeypatch.setattr("detectors.reliability.HALF_LIFE_ROWS", 1e12)
    scores, y = drawn(1, 400)
    known = Reliability()
    for i in range(0, 400, 37):
        known = fade_in(known, scores[i : i + 37], y[i : i + 37], scores[i : i + 37])
    shown = gauges(known)
    log_loss, brier, accuracy = metrics.LogLoss(), metrics.MSE(), metrics.Accuracy()
    for truth, score in zip(y, scores, strict=True):
        log_loss.update(bool(truth), float(score))
        brier.update(truth, score)
        accuracy.update(bool(truth), bool(score >= 0.5))
    assert shown["log_loss"] == pytest.approx(log_loss.get(), rel=1e-9)
    assert shown["brier_score"] == pytest.approx(brier.get(), rel=1e-9)
    assert shown["accuracy_ratio"] == pytest.approx(accuracy.get(), rel=1e-9)


def test_the_area_under_the_curve_is_nearer_the_exact_one_than_rivers_thresholds():
    scores, y = drawn(2, 3_000)
    known = fade_in(Reliability(), scores, y, scores)
    order = np.argsort(scores)
    weight = np.exp2(-np.arange(2_999, -1, -1) / HALF_LIFE_ROWS)
    positive, negative = (weight * y)[order], (weight * (1 - y))[order]
    exact = float(positive @ (np.cumsum(negative) - negative / 2) / positive.sum() / negative.sum())
    river = metrics.ROCAUC(n_thresholds=10)
    for truth, score in zip(y, scores, strict=True):
        river.update(bool(truth), float(score))
    assert gauges(known)["roc_auc"] == pytest.approx(exact, abs=2e-3)
    assert abs(gauges(known)["roc_auc"] - exact) < abs(river.get() - exact)


@pytest.mark.parametrize("rows", [200, 1_000, 5_000])
def test_the_calibration_error_of_a_calibrated_model_is_half_the_plug_in_estimate(monkeypatch, rows):
    monkeypatch.setattr("detectors.reliability.HALF_LIFE_ROWS", 1e12)
    debiased, plug_in = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scores = rng.random(rows)
        y = (rng.random(rows) < scores).astype(float)
        debiased.append(calibration_error(fade_in(Reliability(), scores, y, scores)))
        where = (scores * BINS).astype(int)
        plug_in.append(np.abs(np.bincount(where, y - scores, BINS)).sum() / rows)
    assert np.mean(debiased) < 0.55 * np.mean(plug_in)


def test_the_calibration_error_of_a_wrong_model_is_the_gap():
    rng = np.random.default_rng(3)
    scores = rng.uniform(0.2, 0.7, 20_000)
    y = (rng.random(20_000) < scores + 0.1).astype(float)
    assert calibration_error(fade_in(Reliability(), scores, y, scores)) == pytest.approx(0.1, abs=0.015)


def test_reliability_does_not_depend_on_how_outcomes_are_cut():
    scores, y = drawn(5, 700)
    whole = fade_in(Reliability(), scores, y, scores)
    known = Reliability()
    for i in range(0, 700, 91):
        known = fade_in(known, scores[i : i + 91], y[i : i + 91], scores[i : i + 91])
    np.testing.assert_allclose(known.bins, whole.bins, rtol=1e-9)
    np.testing.assert_allclose(known.shelves, whole.shelves, rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=120),
    cuts=st.sets(st.integers(1, 119), max_size=4),
)
def test_streamed_gauges_equal_the_formulas_over_all_outcomes_at_once(pairs, cuts):
    score, y = (np.array(values, float) for values in zip(*pairs, strict=True))
    known = Reliability()
    for part in np.split(np.arange(score.size), sorted(cut for cut in cuts if cut < score.size)):
        known = fade_in(known, score[part], y[part], score[part])
    shown = gauges(known)
    weight = np.exp2(-np.arange(score.size - 1, -1, -1) / HALF_LIFE_ROWS)
    share, clipped = weight / weight.sum(), np.clip(score, 1e-15, 1 - 1e-15)
    assert shown["brier_score"] == pytest.approx(share @ (score - y) ** 2, rel=1e-9, abs=1e-12)
    loss = -np.where(y > 0, np.log(clipped), np.log1p(-clipped))
    assert shown["log_loss"] == pytest.approx(share @ loss, rel=1e-9, abs=1e-12)
    assert shown["accuracy_ratio"] == pytest.approx(share @ ((score >= 0.5) == (y > 0)), rel=1e-9)
    error = 0.0
    for i in range(BINS):
        mine = np.minimum((score * BINS).astype(int), BINS - 1) == i
        if mine.any():
            gap = share[mine] @ (y[mine] - score[mine]) / share[mine].sum()
            variance = share[mine] ** 2 @ (score[mine] * (1 - score[mine])) / share[mine].sum() ** 2
            error += share[mine].sum() * np.sqrt(max(gap**2 - variance, 0.0))
    assert shown["calibration_error_ratio"] == pytest.approx(error, rel=1e-9, abs=1e-7)  # the root of rounding errors
    if 0 < y.sum() < y.size:
        shelf = shelf_of(logit(score))
        above = (shelf[:, None] > shelf) + 0.5 * (shelf[:, None] == shelf)
        positive, negative = weight * y, weight * (1 - y)
        exact = positive @ above @ negative / positive.sum() / negative.sum()
        assert shown["roc_auc"] == pytest.approx(exact, rel=1e-9)


def test_without_outcomes_there_are_no_gauges():
    assert gauges(Reliability()) == {}
    assert estimate(np.zeros(SHELVES), Recalibration(), top_class=False) == {}


@pytest.mark.parametrize("share_known", [0.0, 0.6])
def test_estimates_are_right_under_covariate_shift_and_their_intervals_cover_the_truth(share_known):
    covered = {"accuracy": 0, "auc": 0}
    healthy = Recalibration(values=-0.4 + 0.7 * KNOTS, precision=np.eye(11) * 1e4)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        scores = rng.beta(*rng.uniform(1, 6, 2), 500)
        y = rng.random(500) < expit(-0.4 + 0.7 * logit(scores))
        seen = rng.random(500) < share_known
        place = shelf_of(logit(scores))
        shelves = np.bincount(place[~seen], minlength=SHELVES).astype(float)
        known = np.stack([np.bincount(place[seen & (y == one)], minlength=SHELVES).astype(float) for one in (0, 1)])
        shown = estimate(shelves, healthy, top_class=False, known=known)
        accuracy = float(((scores >= 0.5) == y).mean())
        covered["accuracy"] += shown["accuracy_lower_ratio"] <= accuracy <= shown["accuracy_upper_ratio"]
        area = area_under_curve(*(np.bincount(place[y == one], minlength=SHELVES) for one in (0, 1)))
        covered["auc"] += shown["roc_auc_lower"] <= area <= shown["roc_auc_upper"]
    assert 90 <= covered["accuracy"] <= 100
    assert 90 <= covered["auc"] <= 100


def test_scores_that_were_never_given_before_are_not_supported():
    scores, y = drawn(4, 5_000)
    known = fit(count(Recalibration(), tally(logit(scores), y)))
    usual = np.bincount(shelf_of(logit(scores)), minlength=SHELVES).astype(float)
    strange = np.bincount(shelf_of(logit(np.full(500, 1.0))), minlength=SHELVES).astype(float)
    assert support(usual, known) > 0.98
    assert support(strange, known) == 0.0
    assert support(usual + strange, known) == pytest.approx(10 / 11, abs=0.02)
    assert support(strange, Recalibration()) == 1.0


def test_where_every_outcome_is_in_nothing_is_estimated():
    scores, y = drawn(3, 800)
    known = np.stack([np.bincount(shelf_of(logit(scores[y == one])), minlength=SHELVES) for one in (0, 1)])
    shown = estimate(np.zeros(SHELVES), Recalibration(), top_class=False, known=known.astype(float))
    accuracy = float(((scores >= 0.5) == (y > 0.5)).mean())
    assert shown["accuracy_ratio"] == pytest.approx(accuracy, rel=1e-9)
    assert shown["accuracy_lower_ratio"] == pytest.approx(shown["accuracy_upper_ratio"], rel=1e-9)
