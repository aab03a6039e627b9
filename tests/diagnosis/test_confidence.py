from itertools import pairwise

import pytest

from diagnosis.alert import Cause, CauseKind
from diagnosis.confidence import calibrated, sharing


def test_more_support_is_more_confidence_and_even_odds_stay_even() -> None:
    said = [calibrated(support / 20) for support in range(1, 20)]

    assert all(less < more for less, more in pairwise(said))
    assert calibrated(0.5) == 0.5


@pytest.mark.parametrize(("rest", "shares"), [(0.5, [0.3, 0.1]), (0.1, [0.075, 0.025]), (0.0, [0.0, 0.0])])
def test_alternatives_share_what_the_cause_leaves(rest: float, shares: list[float]) -> None:
    alternatives = [Cause(kind=CauseKind.UNKNOWN, component="a", confidence=confidence) for confidence in (0.3, 0.1)]

    assert [one.confidence for one in sharing(rest, alternatives)] == shares
