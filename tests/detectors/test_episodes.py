"""The measured alarm rate counts faults, not the statistics they move."""

from math import inf

from detectors.episodes import MONTH, MOST, Episodes, observe
from detectors.finding import Finding

HOUR = 3_600_000_000


def finding(column: str, evidence: float = 20.0) -> Finding:
    return Finding(
        subject="shop/orders",
        statistic="location",
        column=column,
        evidence_nats=evidence,
        alarm_batch_id="b",
        alarm_at=0,
        onset_earliest=0,
        onset_latest=0,
        sentence="",
    )


def seen(*judgements: tuple[int, str]) -> Episodes:
    """After judgements, each an event time and the columns with a finding."""
    episodes = Episodes()
    for at, columns in judgements:
        episodes = observe(episodes, [finding(column) for column in columns], at)
    return episodes


def test_a_fault_in_many_columns_is_one_episode_while_any_of_them_lasts() -> None:
    assert seen((1, ""), (2, "a"), (3, "abc"), (4, "c"), (5, "cd")).began == (2,)


def test_what_was_over_and_comes_again_is_another() -> None:
    assert seen((1, "a"), (2, ""), (3, "a")).began == (1, 3)


def test_after_a_month_an_episode_no_longer_counts_though_it_may_last() -> None:
    episodes = seen((0, "a"), (MONTH - HOUR, "a"))
    assert episodes.began == (0,)
    assert observe(episodes, [finding("a")], MONTH + HOUR) == Episodes(began=(), lasting=True)


def test_exact_checks_have_no_rate() -> None:
    assert observe(Episodes(), [finding("a", evidence=inf)], 1) == Episodes()


def test_what_is_kept_is_bounded() -> None:
    assert len(seen(*((at, "a" * (at % 2)) for at in range(5 * MOST))).began) == MOST
