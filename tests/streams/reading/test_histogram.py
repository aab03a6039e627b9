"""Histograms of a column before and at the cause."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.batch import NumberColumn
from detectors.column import summarise_column
from detectors.judgement import ColumnProfile
from detectors.reference import number_reference
from streams.reading.histogram import histogram, moved_categories, render_histogram, spark
from streams.reading.incident.drawing import before_after_histogram
from streams.reading.layout import as_text

CATEGORY = ColumnProfile(
    name="channel",
    kind="category",
    count=100,
    missing=0,
    counts=np.array([20.0, 60.0, 20.0]),
    expected_share=np.array([0.6, 0.3, 0.1], np.float32),
    categories=("web", "app"),
)


def profile_of(before, after):
    first = summarise_column(NumberColumn(values=before), None)
    reference = number_reference(first.points, first.weights)
    usual, now = (summarise_column(NumberColumn(values=values), reference) for values in (before, after))
    return ColumnProfile(
        name="amount",
        kind="number",
        count=now.count,
        missing=now.missing,
        minimum=now.minimum,
        maximum=now.maximum,
        edges=reference.cuts,
        counts=now.counts,
        expected_share=(usual.counts / usual.counts.sum()).astype(np.float32),
    )


@pytest.mark.parametrize("shift", [0.0, 1.0, 5.0])
def test_a_histogram_holds_nearly_all_rows_where_they_lie(shift):
    rows = np.random.default_rng(1).normal(size=5000)
    drawn = histogram(profile_of(rows, rows + shift))
    assert drawn is not None
    middle = drawn.low + (np.arange(32) + 0.5) * (drawn.high - drawn.low) / 32

    assert drawn.before.sum() > 0.97
    assert drawn.after.sum() > 0.97
    assert drawn.before @ middle / drawn.before.sum() == pytest.approx(0.0, abs=0.15)
    assert drawn.after @ middle / drawn.after.sum() == pytest.approx(shift, abs=0.25 + 0.1 * shift)


@pytest.mark.parametrize("values", [np.full(400, 7.0), np.full(400, np.nan), np.r_[np.full(399, 1.0), 1e308]])
def test_constant_missing_and_absurd_values_are_drawn_or_left_out(values):
    profile = profile_of(np.random.default_rng(2).normal(size=400), values)

    drawn = histogram(profile)

    assert drawn is None or np.isfinite([drawn.low, drawn.high, drawn.after.sum()]).all()
    if drawn is not None:
        assert "nan" not in before_after_histogram(drawn)


def test_sparklines_stand_above_one_axis():
    rows = np.random.default_rng(3).normal(50, 5, 4000)
    before, after, axis = as_text(render_histogram(profile_of(rows, rows + 15))).splitlines()

    assert before.startswith("before")
    assert after.startswith("at the cause")
    assert len(before.removeprefix("before").strip()) > 0
    assert len(before.rstrip()) < len(after.rstrip())
    assert len(axis) <= len("at the cause") + 2 + 32


def test_a_share_that_is_not_zero_shows():
    assert spark(np.array([0.0, 0.01, 0.5, 1.0]), 1.0) == " ▁▄█"


def test_of_categories_those_are_told_that_moved():
    assert [name for name, *_ in moved_categories(CATEGORY)] == ["web", "app", "others"]
    assert "60 % → 20 %" in as_text(render_histogram(CATEGORY))


def test_without_anything_to_compare_nothing_is_drawn():
    assert render_histogram(replace(CATEGORY, expected_share=np.empty(0))) is None
