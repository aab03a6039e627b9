import numpy as np
import pytest

from detectors.baseline import empty_baseline, judge_values, learn
from detectors.cusum import CusumBank
from detectors.evidence import (
    SIZES,
    accumulate,
    empty_bank,
    height,
    learn_peaks,
    normal_steps,
    onsets,
    rare_steps,
    thresholds,
)
from detectors.second import StandardisedAdwin, StandardisedPageHinkley
from detectors.surprise import (
    believed_nats,
    empty_surprises,
    learn_surprises,
    single_limit,
    tail_shape,
    volatility,
)

LIVE = np.ones(1, np.bool_)


def cusum(z, size):
    """One-sided CUSUM by its definition: the walk less its running minimum."""
    walk = np.concatenate([[0.0], np.cumsum(size * z - size**2 / 2)])
    return walk[-1] - walk.min(), int(walk.argmin())


def test_the_bank_is_the_textbook_cusum_of_every_size_and_side():
    z = np.random.default_rng(0).normal(0.2, 1, 200)
    bank = empty_bank(1)
    for value in z:
        bank = accumulate(bank, normal_steps(np.array([value]), np.zeros(1), clip=50.0), LIVE)

    for i, size in enumerate(SIZES):
        for side, sign in enumerate((1, -1)):
            level, zero = cusum(sign * z, size)
            assert bank.level[0, side, i] == pytest.approx(level, abs=1e-9)
            if level > 0:
                assert bank.since[0, side, i] == len(z) - zero


@pytest.mark.parametrize(("side", "sign"), [(0, 1), (1, -1)], ids=["more", "less"])
def test_rare_steps_are_binomial_log_likelihood_ratios(side, sign):
    from scipy.stats import binom

    root, deviation = np.arcsin(0.004**0.5), 0.5 / 1000**0.5
    one = np.ones(1)
    steps = rare_steps(3 * one, 1000 * one, (root * one, root * one), deviation * one, 2 * one)
    for i, size in enumerate(SIZES[:3]):
        moved = np.sin(root + sign * size * deviation) ** 2
        expected = binom.logpmf(3, 1000, moved) - binom.logpmf(3, 1000, 0.004)
        assert steps[0, side, i] == pytest.approx(expected / 2, abs=1e-9)


def test_a_bank_without_a_past_takes_the_theoretical_threshold():
    assert thresholds(empty_bank(1), 1e6)[0] == pytest.approx(np.log(1e6))


def test_frequent_high_excursions_raise_the_threshold():
    bank = empty_bank(1)
    for _ in range(40):
        bank = learn_peaks(bank, np.array([0]), np.array([8.0]))

    assert thresholds(bank, 1e6)[0] > 25


def test_two_strange_batches_of_an_unknown_law_prove_one_in_a_million_and_not_one_in_a_billion():
    bank, two = empty_bank(1), 2 * normal_steps(np.array([9.0]), np.zeros(1), 5.0).max()

    assert thresholds(bank, 1e6, 1.0)[0] < two < thresholds(bank, 1e9, 1.0)[0]
    assert two > thresholds(bank, 1e9, 0.0)[0]


@pytest.mark.parametrize("seed", range(3))
def test_the_alarm_rate_of_normal_batches_is_about_the_requested_one(seed):
    m, steps, run_length = 2000, 400, 2000.0
    rng = np.random.default_rng(seed)
    bank, alarms, live = empty_bank(m), 0, np.ones(m, np.bool_)
    for _ in range(steps):
        bank = accumulate(bank, normal_steps(rng.normal(size=m), np.zeros(m), 5.0), live)
        crossed = height(bank) > thresholds(bank, run_length)
        alarms += crossed.sum()
        bank.level[crossed] = 0

    assert 0.3 < alarms / (m * steps / run_length) < 1.2


def accumulated(z):
    bank = empty_bank(1)
    for value in z:
        bank = accumulate(bank, normal_steps(np.array([value]), np.zeros(1), 5.0), LIVE)
    return bank


def test_a_plain_change_began_at_the_last_zero_and_no_later():
    z = np.concatenate([np.random.default_rng(1).normal(0, 1, 100), np.full(8, 3.0)])
    likeliest, least, _ = onsets(accumulated(z))

    assert likeliest[0] in range(8, 12)
    assert least[0] in range(8, likeliest[0] + 1)


def test_a_change_that_noise_led_up_to_may_have_begun_after_the_noise():
    z = np.concatenate([np.zeros(50), np.full(2, 1.2), np.full(8, 3.0)])
    likeliest, least, _ = onsets(accumulated(z))

    assert (likeliest[0], least[0]) == (10, 8)


def test_the_baseline_is_the_mean_and_variance_of_all_batches_before():
    values = np.random.default_rng(2).normal(5, 0.3, 50)
    baseline = empty_baseline(1)
    zero, one, sampling = np.zeros(1), np.ones(1), np.array([0.09])
    errors = []
    for value in values:
        judged = judge_values(baseline, np.array([value]), baseline.mean, sampling, zero)
        errors.append(float(judged.surprise[0]))
        baseline = learn(baseline, np.array([value]), judged, sampling, zero, one)

    assert baseline.mean[0] == pytest.approx(values.mean(), abs=0.01)
    assert baseline.dispersion[0] == pytest.approx(values.var() / 0.09, rel=0.25)


def test_standardised_batches_are_about_normal_from_the_tenth_on():
    m = 4000
    rng = np.random.default_rng(3)
    baseline, zero, sampling = empty_baseline(m), np.zeros(m), np.full(m, 0.5)
    for n in range(16):
        value = rng.normal(10, 3, m)
        judged = judge_values(baseline, value, baseline.mean, sampling, zero)
        if n >= 10:
            assert np.mean(np.abs(judged.z) > 1.96) == pytest.approx(0.05, abs=0.03)
        baseline = learn(baseline, value, judged, sampling, zero, np.ones(m))


def test_correlated_batches_are_whitened():
    rng = np.random.default_rng(4)
    m, state = 300, rng.normal(size=300)
    baseline, zero, sampling, seen = empty_baseline(m), np.zeros(m), np.ones(m), []
    for _ in range(300):
        state = 0.8 * state + 0.6 * rng.normal(size=m)
        judged = judge_values(baseline, state, baseline.mean, sampling, zero)
        seen.append(judged.z)
        baseline = learn(baseline, state, judged, sampling, zero, np.ones(m))
    z = np.array(seen[100:])

    assert z.std() == pytest.approx(1, abs=0.05)
    assert abs((z[1:] * z[:-1]).mean()) < 0.08


def test_batch_size_enters_the_variance_where_batches_differ_by_more_than_their_rows():
    rng = np.random.default_rng(5)
    m = 300
    baseline, zero = empty_baseline(m), np.zeros(m)
    z = {100: [], 10_000: []}
    for n in range(400):
        rows = 100 if n % 2 else 10_000
        sampling = np.full(m, 1 / rows)
        value = 0.05 * rng.normal(size=m) + rng.normal(size=m) / rows**0.5
        judged = judge_values(baseline, value, baseline.mean, sampling, zero)
        if n > 200:
            z[rows].append(judged.z)
        baseline = learn(baseline, value, judged, sampling, zero, np.ones(m))

    assert np.std(z[100]) == pytest.approx(1, abs=0.15)
    assert np.std(z[10_000]) == pytest.approx(1, abs=0.15)


def test_a_thin_tail_lets_a_single_batch_prove_what_a_heavy_one_does_not():
    rng = np.random.default_rng(6)
    thin, heavy = empty_surprises(1), empty_surprises(1)
    for _ in range(2000):
        thin = learn_surprises(thin, rng.normal(size=1), LIVE)
        heavy = learn_surprises(heavy, rng.standard_t(3, size=1), LIVE)

    assert tail_shape(thin)[0] < 0.1
    assert single_limit(thin, 1e6)[0] < 30
    assert single_limit(heavy, 1e6)[0] > 200


def test_how_rare_a_single_batch_must_be_is_what_was_requested_once_a_tail_was_seen():
    rng = np.random.default_rng(6)
    young = heavy = empty_surprises(1)
    for _ in range(2000):
        heavy = learn_surprises(heavy, rng.standard_t(3, size=1), LIVE)

    assert single_limit(young, 1e9) == single_limit(young, 1e6)
    assert single_limit(heavy, 1e9)[0] > 20 * single_limit(heavy, 1e6)[0]


def test_a_surprise_counts_for_as_much_as_it_is_rare():
    rng = np.random.default_rng(6)
    thin, heavy = empty_surprises(1), empty_surprises(1)
    for _ in range(2000):
        thin = learn_surprises(thin, rng.normal(size=1), LIVE)
        heavy = learn_surprises(heavy, rng.standard_t(3, size=1), LIVE)
    nats, all_of_it = np.array([30.0]), np.ones(1)

    assert believed_nats(thin, nats, all_of_it)[0] > 20
    assert believed_nats(heavy, nats, all_of_it)[0] < 8
    assert believed_nats(thin, np.ones(1), all_of_it) == 1.0


def test_variance_that_drawing_rows_explains_is_believed_to_have_a_thin_tail_at_once():
    young, nats = empty_surprises(1), np.array([30.0])

    assert believed_nats(young, nats, np.zeros(1))[0] > 25
    assert believed_nats(young, nats, np.ones(1))[0] < 10


def test_clustered_volatility_widens_what_is_expected_and_steady_one_does_not():
    rng = np.random.default_rng(7)
    steady, clustered = empty_surprises(1), empty_surprises(1)
    for n in range(1000):
        wide = 2.0 if (n // 50) % 2 else 0.3
        steady = learn_surprises(steady, rng.normal(size=1), LIVE)
        clustered = learn_surprises(clustered, wide * rng.normal(size=1), LIVE)

    assert volatility(steady)[0] == pytest.approx(1, abs=0.1)
    assert volatility(clustered)[0] > 1.5


def test_volatility_that_fades_slowly_is_known_within_three_hundred_batches():
    rng = np.random.default_rng(8)
    columns, log = 400, np.zeros(400)
    steady = clustered = empty_surprises(columns)
    for _ in range(300):
        log = 0.98 * log + 0.1 * rng.normal(size=columns)
        steady = learn_surprises(steady, rng.normal(size=columns), np.ones(columns, np.bool_))
        clustered = learn_surprises(
            clustered, np.exp(log - 0.25) * rng.normal(size=columns), np.ones(columns, np.bool_)
        )
    loud = clustered.recent > 1.3

    assert (volatility(clustered)[loud] > 1.1).mean() > 0.85
    assert (volatility(steady) > 1.1).mean() < 0.02


def test_volatility_is_followed_however_far_it_goes_but_not_after_one_batch():
    rng = np.random.default_rng(10)
    surprises = empty_surprises(1)
    for n in range(1000):
        surprises = learn_surprises(surprises, (2.0 if (n // 50) % 2 else 0.3) * rng.normal(size=1), LIVE)
    for _ in range(100):
        surprises = learn_surprises(surprises, 0.3 * rng.normal(size=1), LIVE)
    one = learn_surprises(surprises, np.array([30.0]), LIVE)
    for _ in range(30):
        surprises = learn_surprises(surprises, 10 * rng.normal(size=1), LIVE)

    assert volatility(one)[0] < 1.2
    assert volatility(surprises)[0] > 3.5


def test_turns_of_volatility_are_no_alarm_at_the_threshold_of_a_fleet():
    m, run_length = 500, 3e8
    rng = np.random.default_rng(11)
    bank, surprises, live = empty_bank(m), empty_surprises(m), np.ones(m, np.bool_)
    log, alarms = np.zeros(m), 0
    for _ in range(1500):
        log = 0.98 * log + 0.1 * rng.normal(size=m)
        z = np.exp(log - 0.25) * rng.normal(size=m)
        bank = accumulate(bank, normal_steps(z / volatility(surprises), np.zeros(m), 5.0), live)
        surprises = learn_surprises(surprises, z, live)
        alarms += (height(bank) > thresholds(bank, run_length, 1.0)).sum()

    assert alarms == 0


@pytest.mark.parametrize("detector", [CusumBank(), StandardisedAdwin(), StandardisedPageHinkley()])
def test_a_detector_survives_values_that_are_not_finite(detector):
    z = np.random.default_rng(8).normal(0, 1, 300)
    z[100:110] = [np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, np.nan, np.inf, 0.0, -0.0]
    z[250:] += 4
    found = []
    for n, value in enumerate(z):
        detector.update(value)
        if detector.drift_detected:
            found.append(n)

    assert any(250 <= n < 270 for n in found)


@pytest.mark.parametrize(("unit", "offset"), [(1.0, 0.0), (1e-6, 0.0), (1e6, 1.7e9), (1e-3, -50.0)])
def test_a_bank_of_one_does_not_mind_the_unit(unit, offset):
    rng = np.random.default_rng(9)
    bank, found = CusumBank(run_length=1e6), []
    for n, value in enumerate(np.concatenate([rng.normal(0, 1, 200), rng.normal(3, 1, 20)])):
        bank.update(offset + unit * value)
        if bank.drift_detected:
            found.append(n)

    assert found
    assert 200 <= found[0] < 206
