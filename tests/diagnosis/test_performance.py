import numpy as np
import pytest

from diagnosis.performance import change, observed_change


def windows(accuracy: float, number: int, reach: float = 0.02) -> list[dict[str, float]]:
    ends = {"lower_": accuracy - reach, "": accuracy, "upper_": accuracy + reach}
    return [{f"estimated_accuracy_{end}ratio": value for end, value in ends.items()}] * number


def test_the_change_is_that_of_the_means_and_its_interval_narrows_with_the_windows() -> None:
    few, many = change(windows(0.9, 4), windows(0.8, 4)), change(windows(0.9, 16), windows(0.8, 16))
    assert few is not None
    assert many is not None
    assert few[0] == many[0] == pytest.approx(-0.1)
    assert few[1].upper - few[1].lower == pytest.approx(2 * np.hypot(0.01, 0.01))
    assert many[1].upper - many[1].lower == pytest.approx(np.hypot(0.01, 0.01))


def test_without_estimates_on_both_sides_there_is_no_change_to_tell() -> None:
    assert change([], windows(0.8, 3)) is None
    assert change(windows(0.8, 3), [{"rows": 500.0}]) is None


def test_scores_that_mean_nothing_known_tell_no_change() -> None:
    strange = [window | {"estimated_support_ratio": 0.1} for window in windows(0.99, 3)]
    assert change(windows(0.8, 3), strange) is None
    assert change(windows(0.8, 3), [*strange, *windows(0.7, 3)]) == change(windows(0.8, 3), windows(0.7, 3))


def test_where_calibration_changed_accuracy_is_what_outcomes_say() -> None:
    said = [*windows(0.99, 2), {"changed_accuracy_ratio": 0.25, "changed_outcomes": 400.0}, {"rows": 500.0}]
    found = observed_change(windows(0.85, 4), said)
    assert found is not None
    assert found[0] == pytest.approx(-0.6)
    assert found[1].upper - found[0] == pytest.approx(np.hypot(0.01, 1.96 * np.sqrt(0.25 * 0.75 / 400)), rel=1e-3)
    assert observed_change(windows(0.85, 4), windows(0.9, 2)) is None
