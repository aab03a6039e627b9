"""The law nearest to a reference that has a given location."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from detectors.polynomials import polynomials
from detectors.reference import number_reference
from detectors.tilt import completed, shapes_given, tilted

LAWS = {
    "normal": lambda rng: rng.normal(size=1000),
    "lognormal": lambda rng: rng.lognormal(0, 0.7, 1000),
    "Poisson": lambda rng: rng.poisson(4, 1000).astype(float),
    "mostly zero": lambda rng: rng.lognormal(size=1000) * (rng.random(1000) > 0.6),
}


def reference(rows):
    held = number_reference(np.sort(rows), np.ones(len(rows)))
    return held, held.share[None].astype(np.float64), polynomials([held])


def measured(held, scores, rows):
    """Location, scale, skew and tail of ``rows``."""
    counts = np.bincount(np.searchsorted(held.cuts, rows), minlength=len(held.share))
    return counts @ scores[0] / len(rows)


def shaped(share, scores, location):
    """Scale, skew and tail of the tilted reference."""
    return shapes_given(tilted(share, scores[:, :, 0], location), scores)[0]


@pytest.mark.parametrize("rows", LAWS)
@given(tilt=st.floats(-1.5, 1.5))
def test_it_is_the_exponential_tilt_with_that_location(rows, tilt):
    _, share, scores = reference(LAWS[rows](np.random.default_rng(1)))
    (law,) = completed(share, scores[:, :, 0])

    def shape_at(theta):
        weight = law * np.exp(theta * scores[0, :, 0])
        return weight @ scores[0] / weight.sum()

    location = shape_at(tilt)[0]
    theta = brentq(lambda t: shape_at(t)[0] - location, -3, 3)

    assert shaped(share, scores, np.array([location]))[0] == pytest.approx(shape_at(theta)[1:], abs=1e-5)


@pytest.mark.parametrize("law", LAWS)
def test_where_the_reference_is_it_has_next_to_no_shape_of_its_own(law):
    _, share, scores = reference(LAWS[law](np.random.default_rng(2)))

    assert np.abs(shaped(share, scores, np.zeros(1))).max() < 0.1


@pytest.mark.parametrize("shift", [-1.0, -0.5, 0.5, 1.0])
def test_a_normal_law_that_shifts_has_the_shape_it_tells(shift):
    rng = np.random.default_rng(3)
    held, share, scores = reference(rng.normal(size=1000))
    location, *shape = measured(held, scores, rng.normal(shift, 1, 100_000))

    assert shaped(share, scores, np.array([location]))[0] == pytest.approx(shape, abs=0.15)


@pytest.mark.parametrize("shift", [-0.8, 0.0, 0.8])
def test_batches_of_a_normal_law_that_shifts_differ_as_it_tells(shift):
    rng = np.random.default_rng(5)
    held, share, scores = reference(rng.normal(size=1000))
    seen = np.stack([measured(held, scores, rows) for rows in rng.normal(shift, 1, (1000, 500))])
    due = np.concatenate([shaped(share, scores, seen[n : n + 1, 0]) for n in range(len(seen))])
    _, variance = shapes_given(tilted(share, scores[:, :, 0], seen[:, 0].mean(keepdims=True)), scores)

    assert 500 * (seen[:, 1:] - due).var(axis=0) == pytest.approx(variance[0], rel=0.3)


@pytest.mark.parametrize("shift", [-1.0, -0.5, 0.5, 1.0])
def test_traffic_that_grows_has_about_the_shape_it_tells(shift):
    rng = np.random.default_rng(4)
    held, share, scores = reference(rng.poisson(4, 1000).astype(float))
    location, scale, *_ = measured(held, scores, rng.poisson(4 * np.exp(0.5 * shift), 100_000).astype(float))

    assert shaped(share, scores, np.array([location]))[0, 0] == pytest.approx(scale, abs=0.15)


@pytest.mark.parametrize("location", [-1e9, -30.0, 30.0, 1e9])
@pytest.mark.parametrize("rows", [np.full(200, 7.0), np.arange(200) % 2 * 1.0, np.arange(200.0)])
def test_a_location_that_no_rows_can_have_is_that_of_the_last_bin(rows, location):
    _, share, scores = reference(rows)
    last = scores[0, -1 if location > 0 else 0, 1:]

    assert shaped(share, scores, np.array([location]))[0] == pytest.approx(last, rel=0.1, abs=0.01)
