import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.batch import CategoryColumn, NumberColumn, SketchColumn
from detectors.column import add, against, summarise_column, summarise_columns
from detectors.polynomials import FEW, polynomials
from detectors.reference import RANGE, category_reference, number_reference

NUMBERS = st.one_of(
    st.floats(-1e3, 1e3),
    st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e308, -1e308, float("nan"), float("inf"), float("-inf"), 1.7e9]),
)
COLUMNS = st.integers(1, 60).flatmap(lambda n: arrays(np.float64, n, elements=NUMBERS))


def reference_of(values: np.ndarray):
    summary = summarise_column(NumberColumn(values=values), None)
    return number_reference(summary.points, summary.weights)


NORMAL = reference_of(np.random.default_rng(1).normal(size=2000))


@settings(max_examples=80)
@given(COLUMNS)
def test_counts_and_extremes_are_those_of_the_plain_formulas(values):
    summary = summarise_column(NumberColumn(values=values), NORMAL)

    finite = values[np.isfinite(values)]
    assert summary.count == len(values)
    assert summary.missing == np.isnan(values).sum()
    assert summary.non_finite == np.isinf(values).sum()
    assert summary.distinct == len(np.unique(finite))
    assert summary.minimum == (finite.min() if len(finite) else None)
    assert summary.maximum == (finite.max() if len(finite) else None)
    below = [(finite <= cut).sum() for cut in NORMAL.cuts]
    assert summary.counts.tolist() == np.diff([0, *below, len(finite)]).tolist()


@settings(max_examples=60)
@given(arrays(np.float64, st.integers(2, 200), elements=st.floats(-1e6, 1e6)), st.floats(-1e9, 1e9))
def test_moments_hold_at_any_offset(values, offset):
    summary = summarise_column(NumberColumn(values=values + offset), None)

    assert summary.mean == pytest.approx(float(np.mean(values + offset)), rel=1e-12, abs=1e-6)
    assert summary.squares == pytest.approx(float(np.var(values + offset)) * len(values), rel=1e-6, abs=1e-3)


@settings(max_examples=60)
@given(COLUMNS, st.integers(0, 60), st.booleans())
def test_parts_add_up_to_the_whole(values, cut, referenced):
    reference = NORMAL if referenced else None
    whole = summarise_column(NumberColumn(values=values), reference)
    parts = add(
        summarise_column(NumberColumn(values=values[:cut]), reference, piece=True),
        summarise_column(NumberColumn(values=values[cut:]), reference, piece=True),
    )

    for field in ("count", "missing", "non_finite", "minimum", "maximum"):
        assert getattr(parts, field) == getattr(whole, field)
    assert parts.different == summarise_column(NumberColumn(values=values), reference, piece=True).different
    assert parts.counts.tolist() == whole.counts.tolist()
    assert parts.points.tolist() == whole.points.tolist()
    assert parts.weights.tolist() == whole.weights.tolist()
    if np.abs(values[np.isfinite(values)]).max(initial=0) < 1e9:
        assert parts.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-9)
        assert parts.squares == pytest.approx(whole.squares, rel=1e-6, abs=1e-3)


def test_a_block_of_columns_gives_what_each_gives_alone():
    rng = np.random.default_rng(2)
    columns = {f"c{i}": NumberColumn(values=rng.normal(i, 1, 100 + 10 * (i % 2))) for i in range(6)}
    together = summarise_columns(columns, dict.fromkeys(columns, NORMAL))

    for name, column in columns.items():
        alone = summarise_column(column, NORMAL)
        assert together[name].counts.tolist() == alone.counts.tolist()
        assert together[name].mean == alone.mean


@pytest.mark.parametrize("law", ["normal", "lognormal", "standard_cauchy", "exponential"])
def test_polynomials_are_orthonormal_over_the_rows_of_the_reference(law):
    reference = reference_of(getattr(np.random.default_rng(5), law)(size=2000))
    scores, share = polynomials([reference])[0], reference.share.astype(np.float64)

    assert np.abs((scores * share[:, None]).T @ scores - np.eye(4)).max() < 1e-6
    assert np.abs(share @ scores).max() < 1e-6


def test_two_values_have_a_location_and_no_shape():
    reference = reference_of(np.repeat([0.0, 1.0], 250))

    assert np.abs(polynomials([reference])[0, :, 1:]).max() == 0.0


@pytest.mark.parametrize("far", [4.0, 10.0, 30.0])
def test_location_goes_on_growing_with_a_shift_far_beyond_the_reference(far):
    rows = np.random.default_rng(6).normal(size=5000)
    reference = reference_of(rows)
    scores = polynomials([reference])[0, :, 0]
    near, further = (
        summarise_column(NumberColumn(values=rows + shift), reference).counts @ scores / len(rows)
        for shift in (far, 1.5 * far)
    )

    assert further > near + 0.5


@pytest.mark.parametrize(
    "values",
    [np.full(500, 7.0), np.repeat([0.0, 1.0], 250), np.arange(500.0), np.r_[np.zeros(400), np.arange(1, 101.0)]],
)
def test_a_reference_keeps_the_atoms_of_a_discrete_column(values):
    reference = reference_of(values)
    counts = summarise_column(NumberColumn(values=values), reference).counts

    assert counts[RANGE].sum() == counts.sum() == len(values)
    assert np.allclose(counts / len(values), reference.share, atol=1e-2)
    for _, held in zip(*np.unique(values, return_counts=True), strict=True):
        if held > len(values) / 8:
            assert held in counts


def test_without_a_reference_the_sketch_is_off_by_less_than_a_hundredth_of_rank():
    values = np.random.default_rng(3).lognormal(size=5000)
    parts = [summarise_column(NumberColumn(values=part), None) for part in np.split(values, 10)]
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part)
    sketched = against(total, NORMAL).counts / 5000
    exact = summarise_column(NumberColumn(values=values), NORMAL).counts / 5000

    assert np.abs(np.cumsum(sketched) - np.cumsum(exact)).max() < 0.02


def test_categories_are_counted_against_the_frequent_ones_and_the_rest():
    reference = category_reference({f"k{i}": 100 - i for i in range(20)}, 0)
    column = CategoryColumn(dictionary=("k0", "k19", "new"), codes=np.array([0, 0, 1, 2, 2, 2, -1, 9], np.int32))
    summary = summarise_column(column, reference)

    assert summary.missing == 2
    assert summary.counts[0] == 2
    assert summary.counts[16] == 4
    assert summary.new == 3


def test_categories_without_a_reference_can_be_counted_later():
    column = CategoryColumn(dictionary=("a", "b", "c"), codes=np.array([0, 0, 1, 2, -1], np.int32))
    reference = category_reference({"a": 5, "b": 5}, 0)
    later = against(summarise_column(column, None), reference)
    at_once = summarise_column(column, reference)

    assert later.counts.tolist() == at_once.counts.tolist()
    assert later.new == at_once.new == 1


def test_summaries_against_different_references_do_not_add():
    other = reference_of(np.arange(1000.0))
    column = NumberColumn(values=np.arange(10.0))
    with pytest.raises(ValueError, match="cannot add"):
        add(summarise_column(column, NORMAL), summarise_column(column, other))


def kll_of(values):
    from datasketches import kll_doubles_sketch

    sketch = kll_doubles_sketch(400)
    sketch.update(values)
    return sketch.serialize()


@pytest.mark.parametrize("shape", ["histogram", "kll", "quantiles"])
def test_a_sketch_gives_the_counts_of_its_rows_within_its_error(shape):
    values = np.random.default_rng(4).normal(size=20_000)
    counts, edges = np.histogram(values, bins=200)
    p = np.linspace(0, 1, 201)
    given_shape = {
        "histogram": {"edges": edges, "counts": counts.astype(np.float64)},
        "kll": {"kll": kll_of(values)},
        "quantiles": {"p": p, "v": np.quantile(values, p)},
    }[shape]
    column = SketchColumn(
        count=20_100, missing=100, sum=float(values.sum()), sum_squares=float((values**2).sum()), **given_shape
    )
    summary = summarise_column(column, NORMAL)
    exact = summarise_column(NumberColumn(values=values), NORMAL)

    assert summary.missing == 100
    assert summary.mean == pytest.approx(exact.mean)
    assert summary.squares == pytest.approx(exact.squares)
    assert np.abs(np.cumsum(summary.counts) - np.cumsum(exact.counts)).max() / 20_000 < 0.02


def test_what_few_references_lead_to_is_worked_out_once():
    assert polynomials([NORMAL, NORMAL]) is polynomials([NORMAL, NORMAL])


def test_what_many_references_lead_to_is_not_kept():
    many = [NORMAL] * (FEW + 1)

    assert polynomials(many) is not polynomials(many)
    assert np.array_equal(polynomials(many)[-1], polynomials([NORMAL])[0])
