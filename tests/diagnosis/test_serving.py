from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from diagnosis.alert import CauseKind, Status
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind
from tests.diagnosis.story import MINUTE, START, Dataset, Model, Shift, World, chain, last, run, tick

BREAK = 30


def silent_detectors(log: list[Observation]) -> list[Observation]:
    """The same log from detectors that say nothing: what is found then is found by comparing subjects."""
    return [replace(one, findings=()) for one in log]


def test_features_served_otherwise_than_batched_are_found_by_comparing_both() -> None:
    world = World(chain(), [Shift("risk", "age", "location", BREAK, 40)])
    _, alerts = run(silent_detectors(world.rounds(0, BREAK + 4)))

    final = last(alerts)
    assert [(alert.kind, alert.cause.component, alert.cause.column) for alert in final] == [
        (CauseKind.SERVING_SKEW, "risk", "age")
    ]
    assert {finding.statistic for finding in final[0].symptoms} == {"serving_skew"}
    assert final[0].onset.batch_id == f"risk-{BREAK}"


def test_drift_that_the_batches_show_too_is_no_skew() -> None:
    world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
    _, alerts = run(silent_detectors(world.rounds(0, BREAK + 10)))

    assert alerts == []


def test_a_feature_batch_that_is_not_renewed_is_stale_features_and_ends_with_the_next_batch() -> None:
    world = World(chain())
    state, _ = run(world.rounds(0, BREAK))
    stuck = [one for one in world.rounds(BREAK, BREAK + 5) if one.name != "features"]
    stuck = [
        replace(one, parents=(replace(one.parents[0], batch_id=f"features-{BREAK - 1}"),))
        if one.kind is ObservationKind.WINDOW
        else one
        for one in stuck
    ]
    state, alerts = run(stuck, state=state)

    final = last(alerts)[0]
    assert (final.kind, final.cause.component) == (CauseKind.FEATURE_STALENESS, "features")
    assert "usually it is" in final.summary

    _, alerts = run(world.rounds(BREAK + 5, BREAK + 6), state=state)
    final = last(alerts)[0]
    assert final.status is Status.RESOLVED
    assert final.impact.predictions_affected == 500


def test_a_model_that_names_no_parents_is_linked_to_the_last_datasets() -> None:
    nodes = [Dataset("features", ("x",)), Model("risk", ("x",), (), {"x": ("features", "x")}, score=("features", "x"))]
    world = World(nodes, [Shift("features", "x", "location", BREAK, 40)])
    _, alerts = run(world.rounds(0, BREAK + 4))

    final = last(alerts)
    assert len(final) == 1
    assert [hop.dataset for hop in final[0].path] == ["features", "risk"]
    assert final[0].path[0].match == "LATEST"
    assert final[0].impact.predictions_affected >= 300


def test_a_parent_named_only_by_partition_or_window_is_matched_and_says_so() -> None:
    def loosened(one: Observation, how: str) -> Observation:
        number = one.batch_id.split("-")[1]
        if one.kind is not ObservationKind.BATCH:
            return one
        at = one.at - one.at % MINUTE
        spans = {"window_start": at, "window_end": at + MINUTE}
        named = {"partition": number} if how == "PARTITION" else spans
        parents = tuple(replace(parent, batch_id=None, **named) for parent in one.parents)
        return replace(one, partition=number, parents=parents)

    for how in ("PARTITION", "WINDOW"):
        world = World(chain(), [Shift("orders", "amount", "location", BREAK, 40)])
        _, alerts = run([loosened(one, how) for one in world.rounds(0, BREAK + 4)])
        final = last(alerts)[0]
        assert final.cause.component == "orders"
        assert {hop.match for hop in final.path[:-1]} >= {how}


def test_a_model_that_goes_on_reading_what_a_silent_source_left_shows_the_silence_and_is_reached_by_it() -> None:
    world = World(chain(), [Shift("risk", "age", "location", BREAK + 6, 40)])
    state, _ = run(world.rounds(0, BREAK))
    kept = f"features-{BREAK - 1}"
    windows = [
        replace(one, parents=(replace(one.parents[0], batch_id=kept),))
        for one in world.rounds(BREAK, BREAK + 10)
        if one.kind is ObservationKind.WINDOW
    ]
    first = START // MINUTE + BREAK
    stuck = [each for i, one in enumerate(windows) for each in (one, tick(first + i + 1))]
    _, alerts = run(stuck, state=state)

    firing = [alert for alert in last(alerts) if alert.status is Status.FIRING]
    assert {(alert.kind, alert.cause.component) for alert in firing} <= {
        (CauseKind.SILENCE, "orders"),
        (CauseKind.SILENCE, "customers"),
    }
    assert (firing[0].impact.models, firing[0].impact.first_prediction_id) == (("risk",), f"p{BREAK}-0-0")


@pytest.mark.parametrize(("missed", "kind"), [(30.0, CauseKind.FEATURE_STORE), (0.0, CauseKind.SERVING_SKEW)])
def test_features_that_are_missing_because_reads_found_nothing_are_the_stores_fault(
    missed: float, kind: CauseKind
) -> None:
    world = World(chain(), [Shift("risk", "age", "missing_rate", BREAK, 40)])
    log = [
        replace(one, gauges={"feature_reads/features/hit": 100.0 - misses, "feature_reads/features/miss": misses})
        if one.kind is ObservationKind.WINDOW
        else one
        for one in world.rounds(0, BREAK + 4)
        for misses in [missed if one.batch_id >= f"risk-{BREAK}" else 0.0]
    ]
    _, alerts = run(log)

    assert [(alert.kind, alert.cause.component) for alert in last(alerts)] == [(kind, "risk")]


def test_what_read_a_batch_before_the_next_was_due_is_not_on_the_path_of_stale_features() -> None:
    world = World(chain(), [Shift("risk", "", "score_location", BREAK + 1, 40)])
    state, _ = run(world.rounds(0, BREAK))
    stuck = [
        replace(one, parents=(replace(one.parents[0], batch_id=f"features-{BREAK - 1}"),))
        if one.kind is ObservationKind.WINDOW
        else one
        for one in world.rounds(BREAK, BREAK + 6)
        if one.name != "features"
    ]
    _, alerts = run(stuck, state=state)

    (final,) = last(alerts)
    assert (final.kind, final.cause.component) == (CauseKind.FEATURE_STALENESS, "features")
    assert [hop.batch_id for hop in final.path] == [f"features-{BREAK - 1}", f"risk-{BREAK}"]


def reading(age_s: Callable[[int], float], windows: int) -> list[Observation]:
    """A model's windows, a minute apart, that read a feature view so old."""
    log = World([Model("risk", ("spend",), ())]).rounds(0, windows)
    return [replace(one, gauges={"feature_age_seconds/profile": age_s(n)}) for n, one in enumerate(log)]


def test_a_feature_view_that_is_no_longer_renewed_is_stale_and_over_when_it_is() -> None:
    log = reading(lambda n: 60.0 * (n % 5 if not 40 <= n < 60 else n - 38), 70)
    (alert,) = last(run(log[:60])[1])

    assert (alert.kind, alert.cause.component, alert.cause.column) == (CauseKind.FEATURE_STALENESS, "risk", "profile")
    assert [one.status for one in last(run(log)[1])] == [Status.RESOLVED]


def test_a_feature_view_that_is_not_renewed_at_night_is_stale_only_in_the_first_one() -> None:
    log = reading(lambda n: 60.0 * (n % 5 if n % 100 < 70 else n % 100 - 65), 600)
    told = [one.detected_at - START for one in last(run(log)[1])]

    assert len(told) == 1
    assert told[0] < 100 * MINUTE


def test_a_feature_view_as_old_as_it_happens_to_be_is_not_stale() -> None:
    random = np.random.default_rng(1)
    log = reading(lambda _: float(random.exponential(600.0)), 400)

    assert last(run(log)[1]) == []


@pytest.mark.parametrize(
    ("held", "cause"), [(3.5, (CauseKind.UNKNOWN, "features")), (0.0, (CauseKind.SERVING_SKEW, "risk"))]
)
def test_what_is_served_is_off_with_its_batches_even_where_these_are_too_few_to_tell_by_themselves(
    held: float, cause: tuple[CauseKind, str]
) -> None:
    early = 12  # before there are enough healthy batches to learn what follows what
    weak = Shift("features", "age", "location", early, held, until=early + 2, weak=True)
    served = Shift("risk", "age", "location", early, 9.0 - held, until=early + 2)
    _, alerts = run(World(chain(), [weak, served]).rounds(0, early + 2))

    assert {(alert.kind, alert.cause.component) for alert in last(alerts)} == {cause}
