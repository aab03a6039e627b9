"""Silence by habit: nightly batches, weekdays only, backfills, a whole pipeline that stopped."""

from collections.abc import Iterable
from dataclasses import replace

from diagnosis.alert import Alert, CauseKind, Status
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind, Parent
from tests.diagnosis.story import MINUTE, START, World, chain, change, last, run, tick

HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONDAY = START - START % DAY + 6 * DAY  # 1 699 920 000 s was a Tuesday


def nightly(days: Iterable[int]) -> list[Observation]:
    return [
        Observation(
            kind=ObservationKind.BATCH,
            pipeline="shop",
            name="ledger",
            batch_id=f"ledger-{day}",
            at=MONDAY + day * DAY,
            arrived_at=MONDAY + day * DAY,
        )
        for day in days
    ]


def with_ticks(log: list[Observation], until: int, every: int = HOUR) -> list[Observation]:
    """Number a minute of every hour until ``until``, in order of arrival."""
    first = log[0].arrived_at // every + 1
    ticks = [tick(number * every // MINUTE) for number in range(first, until // every + 1)]
    return sorted([*log, *ticks], key=lambda one: one.arrived_at)


def told(log: list[Observation], until: int) -> list[Alert]:
    return last(run(with_ticks(log, until))[1])


def test_a_nightly_batch_that_does_not_come_is_told_half_a_day_later() -> None:
    log = nightly(range(12))

    assert told(log, MONDAY + 12 * DAY + 11 * HOUR) == []
    (alert,) = told(log, MONDAY + 12 * DAY + 14 * HOUR)
    assert (alert.kind, alert.cause.component) == (CauseKind.SILENCE, "ledger")
    assert "usually sends every 24 hours" in alert.summary or "usually sends every day" in alert.summary


def test_batches_on_weekdays_only_are_not_missed_at_the_weekend() -> None:
    weekdays = [day for day in range(5 * 7) if day % 7 < 5]

    assert told(nightly(weekdays), MONDAY + 5 * 7 * DAY) == []


def test_a_backfill_is_neither_silence_nor_stale() -> None:
    log = nightly(range(12))
    backfill = [
        replace(one, batch_id=f"again-{one.batch_id}", late=True, arrived_at=MONDAY + 11 * DAY + HOUR + place)
        for place, one in enumerate(nightly(range(-40, 0)))
    ]
    log = sorted([*log, *backfill, *nightly(range(12, 20))], key=lambda one: one.arrived_at)

    assert told(log, MONDAY + 19 * DAY + HOUR) == []


def test_a_dataset_that_was_given_up_is_accepted_and_not_missed_again() -> None:
    log = nightly(range(12))
    until = MONDAY + 14 * DAY
    state, alerts = run(with_ticks(log, until))
    accepted = change("ledger", "BASELINE", until, after="silence")
    later = [tick((until + hour * HOUR) // MINUTE) for hour in range(1, 100)]
    _, after = run([accepted, *later], state=state)

    assert [alert.status for alert in last(alerts)] == [Status.FIRING]
    assert [alert.status for alert in after] == [Status.RESOLVED]


def test_a_pipeline_that_stops_as_a_whole_is_told_of_once_per_source() -> None:
    log = World(chain()).rounds(0, 30)
    minute = (START + 30 * MINUTE) // MINUTE
    _, alerts = run([*log, *(tick(minute + number) for number in range(15))])

    firing = [alert for alert in last(alerts) if alert.status is Status.FIRING]
    assert {alert.kind for alert in firing} == {CauseKind.SILENCE}
    assert {alert.cause.component for alert in firing} == {"orders", "customers"}


def test_the_cause_settles_when_nothing_more_can_be_observed_of_what_fell_silent() -> None:
    log = nightly(range(12))
    early, _ = run(with_ticks(log, MONDAY + 13 * DAY))
    late, alerts = run(with_ticks(log, MONDAY + 18 * DAY))

    assert [fault.settled for fault in early.faults] == [False]
    assert [fault.settled for fault in late.faults] == [True]
    assert [alert.status for alert in last(alerts)] == [Status.FIRING]


def night_shift(nights: Iterable[int], calls: int, name: str, kind: ObservationKind) -> list[Observation]:
    """One record a minute from midnight on, so many a night."""
    moments = [(night, call, MONDAY + night * DAY + call * MINUTE) for night in nights for call in range(calls)]
    parents = (Parent(dataset="ledger"),) if kind is ObservationKind.WINDOW else ()
    return [
        Observation(
            kind=kind,
            pipeline="shop",
            name=name,
            batch_id=f"{name}-{night}-{call}",
            at=at,
            arrived_at=at,
            parents=parents,
        )
        for night, call, at in moments
    ]


def test_a_model_that_scores_each_nights_batch_in_many_calls_is_missed_only_when_it_leaves_one_out() -> None:
    scored = night_shift(range(20), 40, "score", ObservationKind.WINDOW)
    log = sorted([*nightly(range(23)), *scored], key=lambda one: one.arrived_at)

    assert told(log, MONDAY + 19 * DAY + 23 * HOUR) == []
    (alert,) = told(log, MONDAY + 22 * DAY)
    assert (alert.kind, alert.cause.component) == (CauseKind.SILENCE, "score")


def test_a_pause_that_comes_back_every_day_is_no_silence_from_the_second_one_on() -> None:
    log = night_shift(range(12), 40, "parts", ObservationKind.BATCH)
    seen = told(log, MONDAY + 11 * DAY + 23 * HOUR)

    assert [(one.kind, one.detected_at < MONDAY + DAY) for one in seen] == [(CauseKind.SILENCE, True)]


def test_a_pause_that_did_not_come_back_is_forgotten() -> None:
    minutes = [number for number in range(3000) if not 100 <= number < 160]
    log = [
        replace(one, at=MONDAY + n * MINUTE, arrived_at=MONDAY + n * MINUTE, batch_id=f"b{n}")
        for n, one in zip(minutes, nightly([0] * len(minutes)), strict=True)
    ]
    last_at = MONDAY + 2999 * MINUTE
    quiet = [tick((last_at + number * MINUTE) // MINUTE) for number in range(1, 10)]

    (alert,) = [one for one in last(run([*log, *quiet])[1]) if one.status is Status.FIRING]
    assert alert.kind is CauseKind.SILENCE
