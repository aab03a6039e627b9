import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import metrics

from detectors.regression import Errors, fade_in, gauges

NONE = np.full(400, np.nan)


def test_errors_equal_rivers_when_nothing_has_faded(monkeypatch):
    monkeypatch.setattr("detectors.regression.HALF_LIFE_ROWS", 1e12)
    rng = np.random.default_rng(0)
    y, said = rng.normal(size=400), rng.normal(size=400)
    known = Errors()
    for part in np.array_split(np.arange(400), 7):
        known = fade_in(known, (y - said)[part], NONE[part], NONE[part])
    shown = gauges(known)
    absolute, squared = metrics.MAE(), metrics.RMSE()
    for truth, value in zip(y, said, strict=True):
        absolute.update(truth, value)
        squared.update(truth, value)
    assert shown["mean_absolute_error"] == pytest.approx(absolute.get(), rel=1e-9)
    assert shown["root_mean_squared_error"] == pytest.approx(squared.get(), rel=1e-9)
    assert shown["mean_error"] == pytest.approx(np.mean(y - said), rel=1e-9)
    assert "interval_coverage_ratio" not in shown


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(0, 400), known_share=st.floats(0.1, 1.0))
def test_coverage_counts_only_outcomes_with_an_interval_however_they_are_cut(cut, known_share):
    rng = np.random.default_rng(1)
    error = rng.normal(size=400)
    lower = np.where(rng.random(400) < known_share, -1.0, np.nan)
    known = fade_in(Errors(), error[:cut], lower[:cut], np.ones(cut))
    known = fade_in(known, error[cut:], lower[cut:], np.ones(400 - cut))
    whole = gauges(fade_in(Errors(), error, lower, np.ones(400)))
    assert gauges(known) == pytest.approx(whole, rel=1e-9)
    assert whole["interval_coverage_ratio"] == pytest.approx(np.mean(np.abs(error[~np.isnan(lower)]) <= 1.0), abs=0.02)


def test_without_outcomes_there_are_no_errors():
    assert gauges(Errors()) == {}
