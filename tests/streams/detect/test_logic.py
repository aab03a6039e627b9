"""Replays of the detect agent without a broker: records in, observations and journal steps out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from detectors import dataset, model
from detectors.model import PredictionsInput, PredictionsSummary
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind
from schemas import Codec, Decoder, Reason
from schemas.events import (
    Change,
    ChangeKind,
    Column,
    DataBatch,
    Event,
    Numbers,
    Outcome,
    Part,
    Prediction,
    Run,
    RunKind,
    Window,
)
from simulation.catalogue import FAULTS
from simulation.checkout import CHECKOUT
from simulation.life import Life
from streams.demo.feeding import address
from streams.detect import logic as detect
from streams.detect.budget import Budget, Share
from streams.detect.logic import DetectLogic
from streams.detect.subject import Policies, Subject
from streams.ingest.encoding import Encoding
from streams.kafka.chunk import Chunk
from streams.metrics import Metrics
from streams.plain import from_bytes
from streams.settings import Settings
from streams.task.reaction import Reaction
from streams.topics import Topic, key_of, partition_of

OBSERVATION = Codec("observation", Observation)
ENCODING = Encoding()
TICKS = 24
NOW = 1_800_000_000_000_000  # when all events arrive, microseconds


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes
    key: bytes | None = None
    timestamp: int = NOW // 1000
    headers: Sequence[tuple[str, bytes]] = ()


def logic(partition: int = 0, partitions: int = 1) -> DetectLogic:
    settings = Settings(partitions=partitions)
    decoders = {
        Topic.DATA_BATCHES: Decoder(DataBatch, salt=b"s").decode,
        Topic.PREDICTIONS: Decoder(Prediction, salt=b"s").decode,
        Topic.OUTCOMES: Decoder(Outcome).decode,
        Topic.CHANGES: Decoder(Change).decode,
    }
    policies = Policies(dataset=dataset.Policy(), model=model.Policy())
    budget = Budget(Metrics(CollectorRegistry()))
    return DetectLogic(partition, settings, decoders, OBSERVATION.encode, policies, budget)


def chunk(topic: Topic, records: Sequence[Record], partition: int = 0) -> Chunk:
    begin, end = records[0].offset, records[-1].offset + 1
    return Chunk(
        topic=f"headwater.{topic}", partition=partition, begin=begin, end=end, epoch=0, bytes=0, records=tuple(records)
    )


@pytest.fixture(scope="module")
def life() -> list[tuple[Topic, Record]]:
    offsets: Counter[Topic] = Counter()
    records = []
    for arrival in Life(CHECKOUT, FAULTS["code-deploy"], seed=3, start=1_700_000_000_000_000, ticks=TICKS, onset=22):
        topic, _ = address(arrival.event)
        records.append((topic, Record(offsets[topic], ENCODING.encode(arrival.event))))
        offsets[topic] += 1
    return records


def replayed(records: Sequence[tuple[Topic, Record]], most: int) -> tuple[DetectLogic, Reaction]:
    """Fold records in their order, in chunks of at most ``most`` of one topic."""
    folded, reaction = logic(), Reaction()
    run: list[Record] = []
    for place, (topic, record) in enumerate(records):
        run.append(record)
        following = records[place + 1][0] if place + 1 < len(records) else None
        if following is not topic or len(run) == most:
            folded.read(chunk(topic, run), reaction)
            run = []
    return folded, reaction


def observed(reaction: Reaction) -> list[Observation]:
    return [OBSERVATION.decode(one.value) for one in reaction.outputs if one.topic.endswith(Topic.OBSERVATIONS)]


def test_folding_the_journal_gives_the_live_state_to_the_byte(life: list[tuple[Topic, Record]]) -> None:
    live, reaction = replayed(life, 500)
    again = logic()
    for subject, step in reaction.steps:
        again.replay(subject, step)
    subjects = {subject for subject, _ in reaction.steps}
    assert len(subjects) >= 7
    assert {name: again.dump(name) for name in subjects} == {name: live.dump(name) for name in subjects}


def test_a_state_that_was_written_goes_on_as_if_it_had_not_been(life: list[tuple[Topic, Record]]) -> None:
    half = len(life) // 2
    whole, _ = replayed(life, 500)
    first, before = replayed(life[:half], 500)
    second = logic()
    for name in {subject for subject, _ in before.steps}:
        second.restore(name, first.dump(name))
    after = Reaction()
    for topic, record in life[half:]:
        second.read(chunk(topic, [record]), after)
    for name in {subject for subject, _ in after.steps}:
        if "/fraud" not in name:  # sums over predictions are taken in another order
            assert second.dump(name) == whole.dump(name), name


def test_windows_do_not_depend_on_how_records_arrive(life: list[tuple[Topic, Record]]) -> None:
    seen = []
    for most in (1, 7, 500):
        _, reaction = replayed(life, most)
        windows = [one for one in observed(reaction) if one.kind is ObservationKind.WINDOW]
        seen.append([(one.batch_id, one.rows, len(one.predictions), sorted(map(str, one.findings))) for one in windows])
    assert seen[0]
    assert [[row[:3] for row in rows] for rows in seen] == [[row[:3] for row in seen[0]]] * 3


def test_every_event_is_observed_once_and_counted_once(life: list[tuple[Topic, Record]]) -> None:
    _, reaction = replayed(life + life, 500)
    batches = Counter(one.batch_id for one in observed(reaction) if one.kind is ObservationKind.BATCH)
    assert set(batches.values()) == {1}
    assert reaction.counts["headwater_events_total", ("data-batches", "duplicate")] == len(batches)


def test_what_belongs_elsewhere_is_moved_with_its_origin_and_folded_there() -> None:
    batch = DataBatch(pipeline="p", dataset="d", produced_at=1_700_000_000_000_000, rows=1)
    home = partition_of(key_of("p", "d"), 4)
    away, reaction = (home + 1) % 4, Reaction()
    record = Record(9, ENCODING.encode(batch))
    logic(away, 4).read(chunk(Topic.DATA_BATCHES, [record], away), reaction)
    (moved,) = reaction.outputs
    assert (moved.topic, moved.partition, moved.value) == ("headwater.inbox", home, record.value)
    arrived = Record(0, moved.value or b"", headers=moved.headers)
    there = Reaction()
    logic(home, 4).read(chunk(Topic.INBOX, [arrived], home), there)
    (seen,) = observed(there)
    assert seen.origin is not None
    assert (seen.origin.topic, seen.origin.partition, seen.origin.offset) == ("data-batches", away, 9)


def events_in(reaction: Reaction) -> list[str]:
    return [dict(one.headers)["headwater-reason"].decode() for one in reaction.outputs if "dead" in one.topic]


def test_a_defect_of_ours_costs_the_event_it_was_met_on_and_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    good = DataBatch(pipeline="p", dataset="d", produced_at=1_700_000_000_000_000, rows=1)
    folded, reaction = logic(), Reaction()

    def defect(*_: object) -> None:
        raise ZeroDivisionError("secret value 42")

    monkeypatch.setattr(detect, "batch_observation", defect)
    folded.read(chunk(Topic.DATA_BATCHES, [Record(0, ENCODING.encode(good))]), reaction)
    assert events_in(reaction) == [Reason.OUR_FAULT]
    assert b"secret" not in b"".join(value for one in reaction.outputs for _, value in one.headers)
    assert reaction.steps == []
    with pytest.raises(KeyError):
        folded.dump("p/d")


def test_of_predictions_folded_together_only_the_one_at_fault_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        Prediction(pipeline="p", model="m", scored_at=1_700_000_000_000_000 + place, scores=np.array([place / 10]))
        for place in range(5)
    ]
    summarise = detect.summarise_predictions

    def defect(subject: Subject, given: PredictionsInput) -> PredictionsSummary:
        if 0.3 in given.scores:
            raise ZeroDivisionError
        return summarise(subject, given)

    monkeypatch.setattr(detect, "summarise_predictions", defect)
    folded, reaction = logic(), Reaction()
    records = [Record(n, ENCODING.encode(one)) for n, one in enumerate(events)]
    folded.read(chunk(Topic.PREDICTIONS, records), reaction)
    assert events_in(reaction) == [Reason.OUR_FAULT]
    assert len(reaction.steps) == 4
    assert reaction.counts["headwater_dead_letters_total", ("predictions", "OUR_FAULT")] == 1


def test_beyond_the_bound_new_subjects_are_refused_and_known_ones_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "MOST_SUBJECTS", 2)
    folded, reaction = logic(), Reaction()
    names: list[Event] = [
        DataBatch(pipeline="p", dataset=name, produced_at=1_700_000_000_000_000 + place, rows=1)
        for place, name in enumerate("abca")
    ]
    folded.read(chunk(Topic.DATA_BATCHES, [Record(n, ENCODING.encode(one)) for n, one in enumerate(names)]), reaction)
    assert events_in(reaction) == [Reason.TOO_MANY_SUBJECTS]
    assert [one.name for one in observed(reaction)] == ["a", "b", "a"]


def test_a_baseline_change_pins_a_reference_or_accepts_the_new_normal() -> None:
    folded, reaction = logic(), Reaction()
    at = 1_700_000_000_000_000
    pin = Change(pipeline="p", component="d", kind=ChangeKind.BASELINE, at=at, after="reference")
    accept = Change(pipeline="p", component="d", kind=ChangeKind.BASELINE, at=at + 1)
    folded.read(
        chunk(Topic.CHANGES, [Record(n, ENCODING.encode(one)) for n, one in enumerate((pin, accept))]), reaction
    )
    assert [one.kind for one in observed(reaction)] == [ObservationKind.CHANGE] * 2
    assert len(reaction.steps) == 2


def test_a_fault_in_many_columns_is_one_alarm_of_the_subject() -> None:
    rng = np.random.default_rng(0)
    shifts = [0.0] * 30 + [1.0] * 5
    records = [
        Record(
            n,
            ENCODING.encode(
                DataBatch(
                    pipeline="shop",
                    dataset="orders",
                    batch_id=f"b{n}",
                    produced_at=1_700_000_000_000_000 + n * 60_000_000,
                    rows=600,
                    columns=tuple(
                        Column(name=name, values=Numbers(values=rng.normal(shift, size=600))) for name in "abcd"
                    ),
                )
            ),
        )
        for n, shift in enumerate(shifts)
    ]
    folded, reaction = logic(), Reaction()
    folded.read(chunk(Topic.DATA_BATCHES, records), reaction)

    assert {finding.column for finding in observed(reaction)[-1].findings} == set("abcd")
    (told,) = [one for one in reaction.outputs if one.topic.endswith(Topic.BUDGET)]
    assert from_bytes(Share, told.value or b"") == Share(statistics=2 + 4 * 7, alarms=1)


def hourly(number: int, minute: int, kind: RunKind, values: np.ndarray) -> DataBatch:
    """The batch of the ``number``-th hour, made in a minute of all."""
    hour, start = 3_600_000_000, 1_700_000_000_000_000
    return DataBatch(
        pipeline="shop",
        dataset="orders",
        batch_id=f"{kind}-{number}",
        produced_at=start + minute * 60_000_000,
        rows=len(values),
        window=Window(start=start + (number - 1) * hour, end=start + number * hour),
        run=Run(run_id=f"{kind}-{number}", kind=kind),
        columns=(Column(name="amount", values=Numbers(values=values)),),
    )


def test_a_backfill_of_other_times_is_not_held_against_these_however_lately_it_was_made() -> None:
    rng = np.random.default_rng(0)
    batches = [hourly(n, 60 * n, RunKind.SCHEDULED, rng.normal(size=600)) for n in range(40)]
    batches[30:30] = [hourly(n, 60 * 29 + n, RunKind.BACKFILL, rng.normal(5, 3, size=900)) for n in range(1, 6)]
    folded, reaction = logic(), Reaction()
    folded.read(chunk(Topic.DATA_BATCHES, [Record(n, ENCODING.encode(one)) for n, one in enumerate(batches)]), reaction)

    assert [one.batch_id for one in observed(reaction) if one.late] == [one.batch_id for one in batches[30:35]]
    assert not any(one.findings for one in observed(reaction))


def test_the_clock_folds_what_is_due_and_nothing_before(life: list[tuple[Topic, Record]]) -> None:
    folded, _ = replayed(life, 500)
    part = DataBatch(
        pipeline="shop", dataset="halves", batch_id="1", produced_at=NOW, rows=1, part=Part(index=0, of=2), columns=()
    )
    folded.read(chunk(Topic.DATA_BATCHES, [Record(len(life), ENCODING.encode(part))]), Reaction())
    early, late = Reaction(), Reaction()

    folded.tick(NOW + 59_000_000, early)
    folded.tick(NOW + 70_000_000, late)

    assert early.empty
    assert {subject for subject, _ in late.steps} == {"checkout/fraud", "shop/halves"}
    assert {one.name for one in observed(late)} == {"fraud", "halves"}
