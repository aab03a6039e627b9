from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from detectors import model
from detectors.batch import CategoryColumn, NumberColumn
from detectors.recalibration import expit, logit

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
POLICY = model.Policy(calibration_run_length=1e6, monitored=20)


@dataclass
class Stream:
    """A model's life: rows a second apart, in events of ``size`` rows, each outcome after its own delay."""

    rows: int
    task: str = "BINARY"
    size: int = 100
    seed: int = 0
    score: np.ndarray = field(init=False)
    outcome: np.ndarray = field(init=False)
    delay_s: np.ndarray = field(init=False)
    feature: np.ndarray = field(init=False)
    extra: dict = field(default_factory=dict)

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        self.score = self.rng.beta(2, 3, self.rows)
        self.outcome = (self.rng.random(self.rows) < self.score).astype(float)
        self.delay_s = self.rng.exponential(300, self.rows)
        self.feature = self.rng.normal(0, 1, self.rows)
        self.at = START + np.arange(self.rows) * SECOND
        self.ids = self.rng.integers(1, 2**63, self.rows, dtype=np.uint64)

    def break_calibration(self, at, shift):
        odds = logit(self.score) + np.where(np.arange(self.rows) >= at, shift, 0.0)
        self.outcome = (self.rng.random(self.rows) < expit(odds)).astype(float)
        return self

    def predictions(self, start, end):
        part = slice(start, end)
        n = end - start
        events = -(-n // self.size)
        given = {name: value[part] for name, value in self.extra.items()}
        features = {"x": NumberColumn(values=self.feature[part])} | given.pop("features", {})
        return model.PredictionsInput(
            subject="p/m",
            first_event_id=f"e{start}",
            task=self.task,
            arrived_at=int(self.at[end - 1]) + SECOND,
            scores=self.score[part],
            at=self.at[part],
            id_hash=self.ids[part],
            features=features,
            latency_ms=self.rng.exponential(20, events),
            error=np.zeros(events, bool),
            **given,
        )

    def outcomes(self, chosen):
        observed = self.at[chosen] + (self.delay_s[chosen] * SECOND).astype(np.int64)
        return model.OutcomesInput(
            subject="p/m",
            id_hash=self.ids[chosen],
            outcome=self.outcome[chosen],
            at=observed,
            arrived_at=int(observed.max()) + SECOND,
        )

    def live(self, state=None, policy=POLICY, chunk=500, outcomes=True, change=None):
        """Everything in the order it happens; ``change`` may alter the input of a prediction chunk by its row."""
        state = state or model.start("p/m")
        observed = self.at + (self.delay_s * SECOND).astype(np.int64)
        order = np.argsort(observed, kind="stable")
        said, read = [], 0
        for start in range(0, self.rows, chunk):
            end = min(self.rows, start + chunk)
            given = self.predictions(start, end)
            given = change(given, start) if change else given
            state, judged = model.fold_predictions(state, model.summarise_predictions(state, given), policy)
            said += [judged] if judged else []
            upto = int(np.searchsorted(observed[order], self.at[end - 1]))
            if outcomes and upto > read:
                given = self.outcomes(order[read:upto])
                state, judged = model.fold_outcomes(state, model.summarise_outcomes(state, given), policy)
                said += [judged] if judged else []
                read = upto
        return state, said


def last_window(said):
    return [judged for judged in said if not judged.of_outcomes][-1]


def findings(said):
    return {(f.statistic, f.column, f.segment) for judged in said for f in judged.findings}


def test_a_healthy_model_whose_outcomes_come_early_when_they_are_bad_raises_nothing():
    stream = Stream(rows=30_000)
    stream.delay_s = np.where(stream.outcome > 0, stream.delay_s, 3_000 + stream.delay_s)
    state, said = stream.live()
    assert findings(said) == set()
    shown = last_window(said).gauges
    assert shown["outcomes_pending"] < 6_000
    assert shown["calibration_error_ratio"] < 0.03
    assert shown["estimated_valid"] == 1.0
    assert abs(shown["estimated_accuracy_error_ratio"]) < 0.02
    assert state.performance.rows > 20_000


def test_what_was_judged_before_the_usual_delay_was_known_leaves_no_trace():
    stream = Stream(rows=40_000)
    stream.delay_s = np.where(stream.outcome > 0, stream.delay_s, 8_000 + stream.delay_s)
    state, said = stream.live()
    assert findings(said) == set()
    weight, _, score, outcome, _ = state.performance.reliability.bins.sum(axis=1)
    assert abs(outcome - score) / weight < 0.02
    assert state.join.late > 0


def test_a_change_of_calibration_is_one_finding_that_names_the_step_it_began_in():
    stream = Stream(rows=30_000).break_calibration(20_000, 0.8)
    stream.extra = {"segment": (np.arange(30_000) % 3).astype(np.int32)}
    _, said = stream.live(change=lambda given, _: replace(given, segments=("a", "b", "c")))
    assert findings(said) == {("calibration", None, None)}
    first = next(judged for judged in said if judged.findings)
    finding = first.findings[0]
    assert finding.alarm_batch_id == first.window_id
    assert finding.onset_earliest <= START + 20_000 * SECOND <= finding.onset_latest
    assert finding.observed > finding.expected
    assert finding.sentence.startswith("outcomes are more frequent than the scores say")
    assert all(finding.alarm_batch_id == f.alarm_batch_id for judged in said for f in judged.findings)
    assert last_window(said).gauges["estimated_valid"] == 0.0


def test_scores_that_tell_less_than_they_did_are_said_to_promise_too_much():
    stream = Stream(rows=40_000)
    odds = logit(stream.score) * np.where(np.arange(40_000) >= 25_000, 0.5, 1.0)
    stream.outcome = (stream.rng.random(40_000) < expit(odds)).astype(float)
    _, said = stream.live()
    finding = next(f for f in said[-1].findings if f.statistic == "calibration")
    assert finding.sentence.startswith("high scores promise more than comes true")
    assert finding.effect == pytest.approx(100 * (finding.observed - finding.expected))
    assert finding.effect < -3.0


def test_a_fault_in_one_segment_is_found_there():
    stream = Stream(rows=40_000, seed=2)
    code = (np.arange(40_000) % 5).astype(np.int32)
    odds = logit(stream.score) + np.where((np.arange(40_000) >= 20_000) & (code == 3), 0.8, 0.0)
    stream.outcome = (stream.rng.random(40_000) < expit(odds)).astype(float)
    stream.extra = {"segment": code}
    names = tuple(f"region={i}" for i in range(5))
    _, said = stream.live(change=lambda given, _: replace(given, segments=names))
    first = next(judged for judged in said if judged.findings)
    assert [(f.statistic, f.segment) for f in first.findings] == [("calibration", "region=3")]


def test_scores_and_features_that_move_are_found_under_their_names():
    stream = Stream(rows=30_000)
    stream.score[20_000:] = stream.score[20_000:] ** 2
    stream.feature[20_000:] += 1.0
    _, said = stream.live(outcomes=False)
    seen = findings(said)
    assert ("score_location", None, None) in seen
    assert ("location", "x", None) in seen
    assert {column for _, column, _ in seen} == {None, "x"}
    first = next(judged for judged in said if judged.findings)
    read = set(zip(first.readings.column, first.readings.statistic, strict=True))
    assert {("", "score_location"), ("x", "location")} <= read
    assert "score" not in first.readings.column
    assert first.first_at <= START + 21_000 * SECOND
    assert all(f.onset_earliest <= START + 20_500 * SECOND for f in first.findings)


def test_a_model_that_is_seldom_asked_is_judged_window_by_window():
    stream = Stream(rows=24 * 60, size=24)
    stream.at = START + np.arange(stream.rows) // 24 * 3_600 * SECOND
    stream.feature[24 * 50 :] += 2.0
    _, said = stream.live(outcomes=False, chunk=24)
    first = next(judged for judged in said if judged.findings)
    assert {(f.statistic, f.column) for f in first.findings} == {("location", "x")}
    assert START + 50 * 3_600 * SECOND <= first.first_at <= START + 52 * 3_600 * SECOND


def test_a_feature_called_score_is_told_from_the_scores():
    stream = Stream(rows=30_000)
    feature = stream.rng.normal(50, 5, 30_000) + np.where(np.arange(30_000) >= 20_000, 4.0, 0.0)

    def serve(given, start):
        return replace(given, features={"score": NumberColumn(values=feature[start : start + given.scores.size])})

    state, said = stream.live(outcomes=False, change=serve)
    assert {(statistic, column) for statistic, column, _ in findings(said)} == {("location", "score")}
    read = set(zip(said[-1].readings.column, said[-1].readings.statistic, strict=True))
    assert {("", "score_location"), ("score", "location")} <= read
    means = {profile.name: profile.mean for profile in said[-1].profiles}
    assert means[""] == pytest.approx(0.4, abs=0.05)
    assert means["score"] == pytest.approx(54, abs=1)
    accepted = model.accept(state, int(stream.at[-1]), "score")
    assert not model.fold_predictions(
        accepted, model.summarise_predictions(accepted, serve(stream.predictions(29_500, 30_000), 29_500)), POLICY
    )[1].findings


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"latency_ms": lambda given: given.latency_ms * 4}, ("latency", None, None)),
        ({"error": lambda given: given.latency_ms > 30}, ("error_rate", None, None)),
        ({"read_age_s": lambda given: given.read_age_s + 86_400}, ("feature_age", "user", None)),
        ({"read_latency_ms": lambda given: given.read_latency_ms * 5}, ("feature_latency", "user", None)),
        ({"read_hit": lambda given: (given.read_age_s > 60).astype(np.int8)}, ("feature_miss_rate", "user", None)),
    ],
)
def test_serving_faults_are_found_under_their_names(changed, expected):
    stream = Stream(rows=30_000, size=10)

    def serve(given, start):
        reads = given.latency_ms.size
        given = replace(
            given,
            views=("user",),
            read_view=np.zeros(reads, np.int32),
            read_age_s=stream.rng.exponential(60, reads),
            read_latency_ms=stream.rng.exponential(3, reads),
            read_hit=np.ones(reads, np.int8),
        )
        return replace(given, **{name: value(given) for name, value in changed.items()}) if start >= 22_000 else given

    _, said = stream.live(outcomes=False, change=serve)
    assert expected in findings(said)
    assert {statistic for statistic, _, _ in findings(said)} <= {expected[0], "feature_age", "latency"}
    assert last_window(said).gauges["feature_age_seconds/user"] > 0


def test_a_regression_is_judged_by_its_residuals():
    stream = Stream(rows=30_000, task="REGRESSION")
    stream.score = stream.rng.normal(100, 20, 30_000)
    noise = stream.rng.normal(0, 5, 30_000)
    stream.outcome = stream.score + noise + np.where(np.arange(30_000) >= 20_000, 3.0, 0.0)
    stream.extra = {"lower": stream.score - 8.2, "upper": stream.score + 8.2}
    _, said = stream.live()
    assert {statistic for statistic, _, _ in findings(said)} >= {"residual_bias", "interval_coverage"}
    bias = next(f for judged in said for f in judged.findings if f.statistic == "residual_bias")
    assert bias.effect > 0
    assert "outcome minus prediction" in bias.sentence
    shown = said[-1].gauges
    assert abs(shown["mean_error"]) <= shown["mean_absolute_error"] <= shown["root_mean_squared_error"]


def test_a_multiclass_model_is_judged_by_the_confidence_of_its_top_class():
    stream = Stream(rows=24_000, task="MULTICLASS")
    stream.score = stream.rng.beta(6, 2, 24_000)
    right = stream.rng.random(24_000) < np.where(np.arange(24_000) < 16_000, stream.score, stream.score**2)
    predicted = stream.rng.integers(1, 6, 24_000).astype(np.uint64)
    actual = np.where(right, predicted, predicted + np.uint64(100))
    stream.extra = {"predicted": predicted}
    usual = stream.outcomes
    stream.outcomes = lambda chosen: replace(usual(chosen), outcome=np.full(len(chosen), np.nan), actual=actual[chosen])
    state, said = stream.live()
    assert state.task == "MULTICLASS"
    finding = next(f for f in said[-1].findings if f.statistic == "calibration")
    assert finding.sentence.startswith("scores are less often right than they claim")
    assert said[-1].gauges["changed_accuracy_ratio"] == pytest.approx(finding.observed)
    assert finding.observed == pytest.approx(right[17_000:].mean(), abs=0.03)


def test_categories_may_be_features():
    stream = Stream(rows=20_000)
    codes = np.where(np.arange(20_000) < 15_000, stream.rng.integers(0, 3, 20_000), 0).astype(np.int32)

    def colour(given, start):
        column = CategoryColumn(dictionary=("a", "b", "c"), codes=codes[start : start + given.scores.size])
        return replace(given, features={**given.features, "colour": column})

    _, said = stream.live(outcomes=False, change=colour)
    assert ("category_rate", "colour", None) in findings(said)


def test_a_model_that_was_wrong_from_the_start_is_judged_against_what_it_was():
    stream = Stream(rows=20_000).break_calibration(0, -0.8)
    _, said = stream.live()
    assert findings(said) == set()
    assert said[-1].gauges["calibration_error_ratio"] > 0.1
    assert abs(said[-1].gauges["estimated_accuracy_error_ratio"]) < 0.03


def test_accepting_ends_the_findings_and_the_new_normal_is_learnt():
    stream = Stream(rows=20_000).break_calibration(10_000, 1.0)
    state, said = stream.live()
    assert said[-1].findings
    state = model.accept(state, START + 20_000 * SECOND)
    more = Stream(rows=10_000, seed=5).break_calibration(0, 1.0)
    more.at = more.at + 30_000 * SECOND
    _, said = more.live(state)
    assert findings(said) == set()


def test_a_pinned_reference_never_alarms_and_what_comes_after_is_compared_with_it():
    stream = Stream(rows=24_000)
    stream.score[4_000:8_000] *= 0.5
    stream.break_calibration(16_000, 0.8)
    state = model.pin(model.start("p/m"), START + 12_000 * SECOND)
    _, said = stream.live(state)
    reference = [judged for judged in said if judged.last_at <= START + 12_000 * SECOND]
    assert findings(reference) == set()
    assert ("calibration", None, None) in findings(said)


@pytest.mark.parametrize("cuts", [[1], [3, 4, 17, 33], list(range(1, 50))])
def test_windows_do_not_depend_on_how_events_are_chunked(cuts):
    stream = Stream(rows=5_000)
    ends = sorted({100 * cut for cut in cuts} | set(range(500, 5_001, 500)))
    state, said = model.start("p/m"), []
    for start, end in zip([0, *ends], ends, strict=False):
        assert end - start <= model.rows_wanted(state, POLICY)
        given = stream.predictions(start, end)
        state, judged = model.fold_predictions(state, model.summarise_predictions(state, given), POLICY)
        said += [judged] if judged else []
    assert [judged.window_id for judged in said] == [f"e{start}" for start in range(0, 5_000, 500)]
    assert [judged.rows for judged in said] == [500] * 10
    whole = Stream(rows=5_000).live(outcomes=False)[1]
    for judged, one in zip(said, whole, strict=True):
        assert judged.profiles[0].mean == pytest.approx(one.profiles[0].mean, rel=1e-9)
        assert judged.profiles[0].distinct == one.profiles[0].distinct == pytest.approx(500, rel=0.2)
        assert judged.gauges["estimated_accuracy_ratio"] == pytest.approx(one.gauges["estimated_accuracy_ratio"])


def test_a_window_closes_when_its_time_has_passed_and_stale_ones_by_the_arrival_clock():
    policy = replace(POLICY, window_s=60.0)
    stream = Stream(rows=200)
    state, judged = model.start("p/m"), None
    for start in (0, 50):
        assert judged is None
        state, judged = model.fold_predictions(
            state, model.summarise_predictions(state, stream.predictions(start, start + 50)), policy
        )
    assert judged is not None
    assert (judged.window_id, judged.rows) == ("e0", 100)
    assert judged.profiles[0].distinct is None
    state, judged = model.fold_predictions(
        state, model.summarise_predictions(state, stream.predictions(100, 120)), policy
    )
    arrived = START + 120 * SECOND
    assert model.window_ends_at(state, policy) == START + 160 * SECOND
    same, judged = model.fold_tick(state, arrived + 30 * SECOND, policy)
    assert judged is None
    assert same is state
    state, judged = model.fold_tick(state, arrived + 61 * SECOND, policy)
    assert judged is not None
    assert judged.rows == 20


def test_outcomes_that_wait_for_more_are_read_by_the_clock():
    stream = Stream(rows=500)
    state, _ = stream.live(outcomes=False)
    given = stream.outcomes(np.arange(400))
    state, judged = model.fold_outcomes(state, model.summarise_outcomes(state, given), POLICY)
    assert judged is None
    state, judged = model.fold_tick(state, given.arrived_at + 61 * SECOND, POLICY)
    assert judged is not None
    assert judged.of_outcomes
    assert judged.window_id == "outcomes-400"
    assert len(state.join.unread) == 0


def test_outcomes_that_were_all_read_before_what_they_are_about_are_judged_by_the_clock():
    stream = Stream(rows=30_000).break_calibration(20_000, 0.8)
    given = stream.outcomes(np.argsort(stream.at + stream.delay_s * SECOND, kind="stable"))
    state = model.start("p/m")
    state, judged = model.fold_outcomes(state, model.summarise_outcomes(state, given), POLICY)
    state, said = stream.live(state, outcomes=False)
    assert not findings([judged, *said])

    later = given.arrived_at + 61 * SECOND
    assert model.is_due(state, later, POLICY)
    state, judged = model.fold_tick(state, later, POLICY)
    assert judged.of_outcomes
    assert findings([judged]) == {("calibration", None, None)}
    finding = judged.findings[0]
    assert finding.alarm_batch_id == judged.window_id
    assert judged.window_id not in {"outcomes-30000", ""}
    assert finding.onset_earliest <= START + 20_000 * SECOND <= finding.onset_latest
    assert not model.is_due(state, later + SECOND, POLICY)


def test_statistics_are_counted_once_they_are_live():
    assert model.statistics(model.start("p/m")) == 0
    state, _ = Stream(rows=3_000, size=10).live()
    assert 14 <= model.statistics(state) < 40


def test_arrays_that_do_not_fit_are_refused_by_name():
    given = Stream(rows=100).predictions(0, 100)
    with pytest.raises(ValueError, match="p/m: id_hash has 99 entries where 100 belong"):
        model.summarise_predictions(model.start("p/m"), replace(given, id_hash=given.id_hash[:99]))


def test_nonsense_scores_do_not_poison_the_state():
    stream = Stream(rows=20_000)
    stream.score[1::97] = np.nan
    stream.score[2::97] = np.inf
    stream.score[3::97] = 7.0
    stream.break_calibration(14_000, 1.2)
    stream.score[1::97] = np.nan
    state, said = stream.live()
    assert ("calibration", None, None) in findings(said)
    assert np.isfinite(state.performance.overall.healthy.precision).all()
