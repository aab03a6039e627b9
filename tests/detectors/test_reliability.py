import numpy as np
import pytest
from river import metrics

from detectors.estimated import estimate
from detectors.recalibration import KNOTS, SHELVES, Recalibration, expit, logit, shelf_of
from detectors.reliability import (
    BINS,
    HALF_LIFE_ROWS,
    Reliability,
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


def test_without_outcomes_there_are_no_gauges():
    assert gauges(Reliability()) == {}
    assert estimate(np.zeros(SHELVES), Recalibration(), top_class=False, valid=True) == {}


def test_estimated_accuracy_is_right_under_covariate_shift_and_its_interval_covers_the_truth():
    covered = 0
    healthy = Recalibration(values=-0.4 + 0.7 * KNOTS, precision=np.eye(11) * 1e4)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        scores = rng.beta(*rng.uniform(1, 6, 2), 500)
        y = rng.random(500) < expit(-0.4 + 0.7 * logit(scores))
        shelves = np.bincount(shelf_of(logit(scores)), minlength=SHELVES).astype(float)
        shown = estimate(shelves, healthy, top_class=False, valid=True)
        accuracy = float(((scores >= 0.5) == y).mean())
        covered += shown["estimated_accuracy_lower_ratio"] <= accuracy <= shown["estimated_accuracy_upper_ratio"]
    assert 53 <= covered <= 60
