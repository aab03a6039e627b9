from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.bank import Calibration
from detectors.bets import MEMBERS, SHIFTS, SLOPES, intercepts, live_members, log_ratios, shiryaev_roberts
from detectors.calibration import fold_outcomes
from detectors.model_findings import calibration_gauges
from detectors.recalibration import Recalibration, count, expit, fit, logit, tally

THRESHOLD = float(np.log(1e6 / 0.05))


def outcomes(seed, rows, *, change_at=None, shift=0.0, slope=1.0, true_shift=0.0, true_slope=1.0):
    """Scores, their outcomes, and times: ``change_at`` is when the truth becomes ``shift + slope * logit``."""
    rng = np.random.default_rng(seed)
    x = logit(rng.beta(2, 3, rows))
    changed = np.arange(rows) >= (rows if change_at is None else change_at)
    odds = np.where(changed, shift + slope * x, true_shift + true_slope * x)
    return x, (rng.random(rows) < expit(odds)).astype(float), np.arange(rows)


def folded(bank, x, y, at, chunk=1_000, threshold=THRESHOLD):
    for i in range(0, len(x), chunk):
        part = slice(i, i + chunk)
        bank = fold_outcomes(bank, x[part], y[part], at[part], threshold_nats=threshold, baseline_rows=500)
        if bank.alarm:
            break
    return bank


@pytest.mark.parametrize("seed", range(5))
def test_a_model_that_was_never_calibrated_raises_no_alarm_while_it_stays_as_it_was(seed):
    bank = folded(Calibration(), *outcomes(seed, 60_000, true_shift=-0.7, true_slope=0.6))
    assert bank.alarm is None
    np.testing.assert_allclose(bank.healthy.log_odds(np.array([-1.0, 0.0, 1.0])), [-1.3, -0.7, -0.1], atol=0.1)


@pytest.mark.parametrize(
    ("shift", "slope", "within"), [(0.3, 1.0, 3_000), (1.0, 1.0, 400), (0.0, 1 / 1.5, 3_000), (0.0, 2.0, 1_500)]
)
def test_a_change_of_calibration_is_found_and_its_onset_enclosed_after_many_good_outcomes(shift, slope, within):
    bank = folded(Calibration(), *outcomes(3, 40_000, change_at=30_000, shift=shift, slope=slope))
    assert bank.alarm is not None
    assert 30_000 < bank.alarm.at < 30_000 + within
    assert bank.alarm.onset_earliest - 150 <= 30_000 <= bank.alarm.onset_latest + 150


@pytest.mark.parametrize("slope", [0.7, 1.4])
def test_confidence_that_is_off_while_outcomes_stay_as_frequent_is_found_at_low_base_rates(slope):
    rng = np.random.default_rng(4)
    x = rng.normal(-3.0, 1.0, 80_000)
    stretched = slope * x
    for _ in range(20):  # Newton's method for the level at which as much happens
        p = expit(stretched)
        stretched += (expit(x).mean() - p.mean()) / (p * (1 - p)).mean()
    y = (rng.random(80_000) < expit(np.where(np.arange(80_000) >= 60_000, stretched, x))).astype(float)
    bank = folded(Calibration(), x, y, np.arange(80_000))
    assert bank.alarm is not None
    assert 60_000 < bank.alarm.at < 75_000
    said = calibration_gauges(bank, top_class=False)
    assert (said["calibration_slope"] - 1.0) * (slope - 1.0) > 0.0
    assert abs(said["calibration_offset"]) < 0.15


def test_log_odds_stretched_about_the_centre_leave_outcomes_as_frequent():
    x, y, _ = outcomes(5, 50_000, true_shift=-2.0)
    known = fit(count(Recalibration(), tally(x, y)))
    p = known.log_odds(x)
    assert expit(known.centre + 1.01 * (p - known.centre)).mean() == pytest.approx(expit(p).mean(), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_a_change_begins_with_the_first_of_the_predictions_that_were_made_at_once(seed):
    x, y, row = outcomes(seed, 24_000, change_at=18_000, shift=1.2)
    bank = folded(Calibration(), x, y, row // 150, chunk=400)
    assert bank.alarm is not None
    assert bank.alarm.onset_earliest < bank.alarm.onset_latest == 18_000 // 150


def test_a_change_among_predictions_of_one_time_is_told_by_the_right_bet():
    x, y, _ = outcomes(2, 24_000, change_at=22_000, shift=0.8)
    bank = folded(Calibration(), x, y, np.where(np.arange(24_000) < 12_000, 1, 2))
    assert bank.alarm is not None
    assert SHIFTS[bank.alarm.member] > 0.0
    assert (bank.alarm.onset_earliest, bank.alarm.onset_latest) == (1, 2)


def test_covariate_shift_is_no_evidence():
    rng = np.random.default_rng(5)
    scores = np.concatenate([rng.beta(2, 8, 20_000), rng.beta(8, 2, 20_000)])
    y = (rng.random(40_000) < scores).astype(float)
    assert folded(Calibration(), logit(scores), y, np.arange(40_000)).alarm is None


def test_the_alarm_ends_when_outcomes_follow_the_scores_again():
    x, y, at = outcomes(8, 30_000, change_at=20_000, shift=0.8)
    bank = folded(Calibration(), x, y, at)
    assert bank.alarm is not None
    x, y, at = outcomes(9, 10_000)
    back = fold_outcomes(bank, x, y, at + 50_000, threshold_nats=THRESHOLD, baseline_rows=500)
    assert back.alarm is None


@pytest.mark.parametrize(("shift", "slope"), [(-0.5, 1.0), (0.3, 1.0), (0.0, 1 / 0.7)])
@pytest.mark.parametrize("seed", range(4))
def test_an_alarm_stands_while_the_change_lasts_whatever_bet_won(seed, shift, slope):
    bank = folded(Calibration(), *outcomes(seed, 60_000, change_at=30_000, shift=shift, slope=slope))
    assert bank.alarm is not None
    x, y, at = outcomes(100 + seed, 60_000, change_at=0, shift=shift, slope=slope)
    later = fold_outcomes(bank, x, y, at + 60_000, threshold_nats=THRESHOLD, baseline_rows=500)
    assert later.alarm is not None
    assert later.alarm.rows == bank.alarm.rows


def test_the_bet_that_stands_for_a_change_is_asked_again_as_outcomes_come_in():
    bank = folded(Calibration(), *outcomes(3, 60_000, change_at=30_000, shift=-0.5))
    bank = replace(bank, alarm=replace(bank.alarm, member=int(np.argmin(SHIFTS))))
    x, y, at = outcomes(4, 10_000, change_at=0, shift=-0.5)
    later = fold_outcomes(bank, x, y, at + 60_000, threshold_nats=THRESHOLD, baseline_rows=500)
    assert later.alarm is not None
    assert SHIFTS[later.alarm.member] == -0.5


def test_outcomes_that_may_belong_to_a_change_wait_and_never_teach_the_map_once_it_is_found():
    bank = folded(Calibration(), *outcomes(3, 31_000, change_at=30_000, slope=1 / 1.2), chunk=500)
    assert bank.alarm is None
    assert bank.waiting.sum() > 0
    found = folded(bank, *outcomes(4, 20_000, change_at=0, slope=1 / 1.2))
    assert found.alarm is not None
    np.testing.assert_array_equal(found.healthy.values, bank.healthy.values)


def test_every_outcome_teaches_the_map_in_the_end_while_nothing_changes():
    bank = folded(Calibration(), *outcomes(6, 60_000), chunk=500)
    assert bank.alarm is None
    assert bank.healthy.rows > 50_000
    assert bank.healthy.rows + bank.waiting.sum() == 60_000


def test_bets_wait_until_the_map_is_known_far_better_than_they_differ_from_it():
    x, y, at = outcomes(1, 20_000)
    few = fold_outcomes(Calibration(), x[:500], y[:500], at[:500], threshold_nats=THRESHOLD, baseline_rows=500)
    many = fold_outcomes(Calibration(), x, y, at, threshold_nats=THRESHOLD, baseline_rows=500)
    live = live_members(few.healthy)
    assert not live[np.abs(SHIFTS) + np.abs(SLOPES - 1) < 0.9].any()
    assert live_members(many.healthy)[np.abs(SHIFTS) >= 0.25].all()


@settings(max_examples=10, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 3_999), max_size=6, unique=True),
    shift=st.sampled_from([0.0, 0.6, -1.0]),
    at_once=st.sampled_from([1, 70]),
)
def test_how_outcomes_are_cut_into_calls_changes_nothing(cuts, shift, at_once):
    cuts = sorted(cuts)
    x, y, row = outcomes(11, 4_000, change_at=2_000, shift=shift)
    at = row // at_once
    whole = fold_outcomes(Calibration(), x, y, at, threshold_nats=9.0, baseline_rows=500)
    bank = Calibration()
    for start, end in zip([0, *cuts], [*cuts, 4_000], strict=True):
        part = slice(start, end)
        bank = fold_outcomes(bank, x[part], y[part], at[part], threshold_nats=9.0, baseline_rows=500)
    assert bank.rows == whole.rows
    np.testing.assert_allclose(bank.cusum, whole.cusum, atol=1e-6)
    np.testing.assert_allclose(np.log(bank.stake + 1), np.log(whole.stake + 1), atol=1e-6)
    np.testing.assert_array_equal(bank.zero_at, whole.zero_at)
    np.testing.assert_array_equal(bank.late_at, whole.late_at)
    np.testing.assert_allclose(bank.totals, whole.totals)
    assert (bank.alarm is None) == (whole.alarm is None)
    if bank.alarm and whole.alarm:
        assert (bank.alarm.rows, bank.alarm.member) == (whole.alarm.rows, whole.alarm.member)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans()), min_size=1, max_size=60))
def test_stakes_follow_the_recursion_of_shiryaev_and_roberts(pairs):
    x = np.array([pair[0] for pair in pairs])
    y = np.array([float(pair[1]) for pair in pairs])
    ratios = log_ratios(x, y, SHIFTS, SLOPES)
    stake = np.full(MEMBERS, 0.5)
    found = shiryaev_roberts(stake, np.cumsum(ratios, axis=1))
    for i in range(len(pairs)):
        q = expit(SHIFTS + SLOPES * x[i])
        p = expit(x[i : i + 1])
        ratio = np.where(y[i] > 0.5, q / p, (1 - q) / (1 - p))
        stake = (stake + 1) * ratio
        np.testing.assert_allclose(found[:, i], stake, rtol=1e-9)


@pytest.mark.parametrize("member", [3, 4, 10, 11, 16, 17])
def test_the_expected_stake_grows_by_one_an_outcome_while_nothing_changed(member):
    rng = np.random.default_rng(0)
    x = logit(rng.beta(2, 3, (2_000, 20)))
    y = (rng.random(x.shape) < expit(x)).astype(float)
    bet = slice(member, member + 1)
    level = intercepts(Recalibration(centre=-0.4))[bet]
    stakes = [
        shiryaev_roberts(np.zeros(1), np.cumsum(log_ratios(a, b, level, SLOPES[bet]), axis=1))[0, -1]
        for a, b in zip(x, y, strict=True)
    ]
    assert np.mean(stakes) == pytest.approx(20.0, rel=0.05)


def test_extreme_scores_and_long_faults_leave_the_state_finite():
    x = logit(np.tile([0.0, 1.0], 20_000))
    y = np.tile([1.0, 0.0], 20_000)
    bank = Calibration(healthy=Recalibration(precision=np.eye(11) * 1e6, rows=20_000), rows=20_000)
    bank = fold_outcomes(bank, x, y, np.arange(40_000), threshold_nats=THRESHOLD, baseline_rows=500)
    assert bank.alarm is not None
    for array in (bank.stake, bank.cusum, bank.totals, bank.zero_totals, bank.healthy.precision):
        assert np.isfinite(array).all()


def test_a_fold_leaves_the_state_it_was_given_as_it_was():
    x, y, at = outcomes(2, 3_000)
    bank = fold_outcomes(Calibration(), x, y, at, threshold_nats=THRESHOLD, baseline_rows=500)
    kept = replace(bank, stake=bank.stake.copy(), cusum=bank.cusum.copy(), zero_totals=bank.zero_totals.copy())
    fold_outcomes(bank, x, 1 - y, at, threshold_nats=THRESHOLD, baseline_rows=500)
    for name in ("stake", "cusum", "zero_totals"):
        np.testing.assert_array_equal(getattr(bank, name), getattr(kept, name))


def test_the_map_learnt_in_pieces_is_the_one_learnt_at_once_and_near_the_one_of_single_scores():
    x, y, _ = outcomes(4, 20_000, true_shift=0.5, true_slope=0.8)
    whole = fit(count(Recalibration(), tally(x, y)))
    known = Recalibration()
    for i in range(0, len(x), 500):
        known = fit(count(known, tally(x[i : i + 500], y[i : i + 500])))
    np.testing.assert_allclose(known.values, whole.values, atol=1e-3)
    at = np.linspace(-1, 1, 5)
    np.testing.assert_allclose(known.log_odds(at), 0.5 + 0.8 * at, atol=0.1)


def test_certainty_does_not_fade_where_there_are_no_outcomes():
    rng = np.random.default_rng(1)
    known = Recalibration()
    for _ in range(400):
        x = rng.normal(0, 0.3, 500)
        known = fit(count(known, tally(x, (rng.random(500) < expit(x)).astype(float))), memory_rows=2_000)
    assert known.counts.sum() <= 2_000.1
    assert np.abs(known.values).max() < 10
    assert np.linalg.eigvalsh(known.precision).min() > 0


def test_a_map_that_is_no_line_is_learnt():
    rng = np.random.default_rng(6)
    x = rng.uniform(-4, 4, 60_000)
    truth = np.where(np.abs(x) < 2, x, np.sign(x) * 2)
    y = (rng.random(60_000) < expit(truth)).astype(float)
    known = fit(count(Recalibration(), tally(x, y)), memory_rows=60_000)
    np.testing.assert_allclose(known.log_odds(np.array([-3.5, -1.5, 0.5, 3.0])), [-2, -1.5, 0.5, 2], atol=0.15)


@pytest.mark.parametrize(("shift", "slope"), [(0.0, 0.5), (0.0, 2.0), (0.7, 1.0), (-1.0, 1.0)])
def test_an_alarm_says_whether_the_mean_or_the_confidence_is_off(shift, slope):
    bank = folded(Calibration(), *outcomes(3, 30_000, change_at=15_000, shift=shift, slope=slope))
    said = calibration_gauges(bank, top_class=False)
    assert (said["calibration_slope"] - 1.0) * (slope - 1.0) >= 0.0
    assert abs(said["calibration_offset"] - shift) < 0.45
    confidence = abs(said["calibration_slope"] - 1.0) > abs(said["calibration_offset"])
    assert confidence is (slope != 1.0)


def test_without_an_alarm_there_is_nothing_to_say_about_how_calibration_is_off():
    assert calibration_gauges(Calibration(), top_class=False) == {}
