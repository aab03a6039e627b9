from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.events import BatchRef, Codes, DataBatch, Event, Numbers, Outcome, Part, Prediction, Task
from streams.ingest import job
from streams.ingest.events import Outgoing
from streams.ingest.job import Job
from streams.ingest.options import Batches, OnError, Outcomes, Predictions, Reading
from streams.ingest.problem import BadInput
from streams.ingest.survey import survey
from streams.ingest.times import one_time
from streams.topics import Topic

NOW = one_time("2026-02-01")
MINUTE = 60_000_000
START = one_time("2026-01-01")


def table(path: Path, rows: int, cell: Callable[[int], str] = lambda row: str(row / 10)) -> str:
    """A CSV of scored rows, one a minute; ``cell`` makes the column ``x``."""
    lines = ["id,timestamp,score,x,region,version"]
    for row in range(rows):
        time = f"2026-01-01 {row // 60:02}:{row % 60:02}:00"
        lines.append(f"p{row},{time},{(row % 10) / 10},{cell(row)},{'north' if row % 2 else 'south'},v{row // 50}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def sent(of: Job) -> list[Outgoing]:
    """What would be sent, in order."""
    return [outgoing for stem, rows in of.pieces() for outgoing in of.events(of.check(rows, NOW), stem)]


def only(outgoing: list[Outgoing], topic: Topic) -> list[Any]:
    return [one.event for one in outgoing if one.topic is topic]


def predictions(file: str, **options: Any) -> Job:
    return job.of_predictions(Predictions(pipeline="loans", model="car", **options), Reading(files=(file,)))


def test_every_row_is_in_one_prediction_in_order(tmp_path: Path) -> None:
    outgoing = sent(predictions(table(tmp_path / "t.csv", 100), rows_per_event=30))
    events: list[Prediction] = only(outgoing, Topic.PREDICTIONS)
    assert [len(event.scores) for event in events] == [30, 30, 30, 10]
    assert [name for event in events for name in event.prediction_ids] == [f"p{row}" for row in range(100)]
    assert np.concatenate([event.scores for event in events]).tolist() == [(row % 10) / 10 for row in range(100)]
    assert events[0].scored_at == START + 29 * MINUTE
    assert events[0].task is Task.BINARY
    assert [column.name for column in events[0].features] == ["x", "region", "version"]
    assert sum(one.rows for one in outgoing) == 100
    assert {one.key for one in outgoing} == {b"loans/car"}


def test_feature_batches_come_first_and_predictions_point_at_them(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", 100)
    outgoing = sent(predictions(file, batch_rows=40, rows_per_event=25, parents=("clean@7",), stage="features"))
    assert [one.topic for one in outgoing[:3]] == [Topic.DATA_BATCHES, Topic.PREDICTIONS, Topic.PREDICTIONS]
    batches: list[DataBatch] = only(outgoing, Topic.DATA_BATCHES)
    assert [batch.rows for batch in batches] == [40, 40, 20]
    assert batches[1].batch_id == "t:41-80@2026-01-01T00:40:00Z"
    assert batches[1].produced_at == START + 40 * MINUTE
    assert batches[1].parents == (BatchRef(dataset="clean", batch_id="7"),)
    assert batches[1].stage == "features"
    assert {one.key for one in outgoing if one.topic is Topic.DATA_BATCHES} == {b"loans/car-features"}
    for event in only(outgoing, Topic.PREDICTIONS):
        (reference,) = event.batches
        first = int(event.prediction_ids[0][1:])
        assert reference == BatchRef(dataset="car-features", batch_id=batches[first // 40].batch_id)
    assert sum(one.rows for one in outgoing) == 100


def test_a_segment_and_a_version_are_the_same_for_all_rows_of_an_event(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", 100)
    events: list[Prediction] = only(
        sent(predictions(file, segments=("region",), model_version="version", rows_per_event=30)), Topic.PREDICTIONS
    )
    assert {(event.segments["region"], event.model_version) for event in events} == {
        (region, version) for region in ("north", "south") for version in ("v0", "v1")
    }
    for event in events:
        rows = [int(name[1:]) for name in event.prediction_ids]
        assert {("north" if row % 2 else "south", f"v{row // 50}") for row in rows} == {
            (event.segments["region"], event.model_version)
        }
    assert sorted(name for event in events for name in event.prediction_ids) == sorted(f"p{row}" for row in range(100))
    assert [event.scored_at for event in events] == sorted(event.scored_at for event in events)


def test_a_version_that_is_no_column_is_the_version(tmp_path: Path) -> None:
    events = only(sent(predictions(table(tmp_path / "t.csv", 5), model_version="2026-01")), Topic.PREDICTIONS)
    assert {event.model_version for event in events} == {"2026-01"}


def test_wrong_rows_are_named_and_the_others_are_sent(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    lines = Path(table(file, 20)).read_text().splitlines()
    lines[3] = "p2,2026-01-01 00:02:00,1.7,0,north,v0"
    lines[5] = "p4,soon,0.5,0,north,v0"
    lines[6] = ",2026-01-01 00:05:00,0.5,0,north,v0"
    lines[8] = "p7,2026-01-01 00:07:00,,0,north,v0"
    lines[9] = "p8,2026-01-01 00:08:00,0.5,0,north"
    file.write_text("\n".join(lines))
    reading = Reading(files=(str(file),), on_error=OnError.SKIP)
    options = Predictions(
        pipeline="l", model="m", id="id", at="timestamp", score="score", task=Task.BINARY, features=("x",)
    )
    of = job.of_predictions(options, reading)
    found = survey(of, NOW, lambda _: None)
    assert sorted(str(problem).split(" (")[0] for problem in found.problems) == [
        "t.csv:10: has 5 values where the header names 6 columns",
        "t.csv:4: score is 1.7, outside [0, 1]",
        "t.csv:6: timestamp is 'soon', not a time",
        "t.csv:7: id is missing: it is the id",
        "t.csv:9: score is missing: it is the score",
    ]
    assert (found.good, found.wrong) == (15, 5)
    ids = [name for event in only(sent(of), Topic.PREDICTIONS) for name in event.prediction_ids]
    assert ids == [f"p{row}" for row in range(20) if row not in (2, 4, 5, 7, 8)]


def test_a_text_among_numbers_is_wrong_unless_the_column_is_read_as_text(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", 12_000, lambda row: "n.a. yet" if row == 11_000 else "1")
    problems = survey(predictions(file, features=("x",)), NOW, lambda _: None).problems
    assert [problem.line for problem in problems] == [11_002]
    assert "'n.a. yet', not a number" in problems[0].reason
    of = job.of_predictions(
        Predictions(pipeline="l", model="m", features=("x",)), Reading(files=(file,), as_text=("x",))
    )
    assert survey(of, NOW, lambda _: None).wrong == 0


def test_the_survey_tells_the_span_and_where_time_goes_backwards(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    lines = Path(table(file, 50)).read_text().splitlines()
    file.write_text("\n".join([*lines[:1], *lines[11:], *lines[1:11]]))
    found = survey(predictions(str(file)), NOW, lambda _: None)
    assert (found.first_at, found.last_at) == (START, START + 49 * MINUTE)
    assert (found.backwards, found.first_backwards) == (1, "t.csv:42")


def test_outcomes_take_their_time_from_the_predictions(tmp_path: Path) -> None:
    scored = table(tmp_path / "scored.csv", 30)
    truth = tmp_path / "truth.csv"
    truth.write_text("id,repaid\n" + "".join(f"p{row},{row % 2}\n" for row in range(0, 30, 3)) + "p1,\nunknown,1\n")
    options = Outcomes(pipeline="loans", model="car", times_from=(scored,), delay=7 * 1440 * MINUTE, rows_per_event=4)
    of = job.of_outcomes(options, Reading(files=(str(truth),)))
    found = survey(of, NOW, lambda _: None)
    assert [str(problem) for problem in found.problems] == [
        "truth.csv:13: id 'unknown' is not in the file of --times-from"
    ]
    assert found.unknown == 1
    events: list[Outcome] = only(sent(of), Topic.OUTCOMES)
    assert [name for event in events for name in event.prediction_ids] == [f"p{row}" for row in range(0, 30, 3)]
    assert events[0].outcomes.tolist() == [0.0, 1.0, 0.0, 1.0]
    assert events[0].observed_at == START + 9 * MINUTE + 7 * 1440 * MINUTE


def test_outcomes_in_the_table_of_the_predictions_need_only_a_delay(tmp_path: Path) -> None:
    options = Outcomes(pipeline="l", model="m", id="id", outcome="region", at="timestamp", delay=MINUTE)
    events = only(sent(job.of_outcomes(options, Reading(files=(table(tmp_path / "t.csv", 4),)))), Topic.OUTCOMES)
    assert events[0].actual == ("south", "north", "south", "north")
    assert events[0].outcomes.size == 0
    assert events[0].observed_at == START + 4 * MINUTE


def test_outcomes_without_any_time_are_refused_with_the_ways_out(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("id,repaid\n1,1\n")
    with pytest.raises(BadInput, match="--times-from"):
        job.of_outcomes(Outcomes(pipeline="l", model="m"), Reading(files=(str(truth),)))
    of = job.of_outcomes(Outcomes(pipeline="l", model="m", observed_at=START), Reading(files=(str(truth),)))
    assert only(sent(of), Topic.OUTCOMES)[0].observed_at == START
    with pytest.raises(BadInput, match="pass one"):
        job.of_outcomes(
            Outcomes(pipeline="l", model="m", observed_at=START, times_from=("x.csv",)), Reading(files=(str(truth),))
        )


def test_a_big_batch_goes_in_parts_that_add_up(tmp_path: Path) -> None:
    names = [f"x{column}" for column in range(50)]
    file = tmp_path / "t.csv"
    file.write_text(",".join(names) + "\n" + "\n".join(",".join([str(row)] * 50) for row in range(4_000)))
    options = Batches(pipeline="p", dataset="d", batch_rows=4_000)
    batches: list[DataBatch] = only(sent(job.of_batches(options, Reading(files=(str(file),)))), Topic.DATA_BATCHES)
    assert [batch.part for batch in batches] == [Part(index=index, of=3) for index in range(3)]
    assert len({batch.batch_id for batch in batches}) == 1
    assert sum(batch.rows for batch in batches) == 4_000
    values = [batch.columns[7].values for batch in batches]
    assert all(isinstance(piece, Numbers) and piece.values.nbytes * 50 < 1_000_000 for piece in values)


def test_a_batch_is_dated_by_its_last_row_and_holds_every_column(tmp_path: Path) -> None:
    options = Batches(pipeline="p", dataset="d", batch_rows=25, source="bank")
    file = table(tmp_path / "t.csv", 60)
    batches: list[DataBatch] = only(sent(job.of_batches(options, Reading(files=(file,)))), Topic.DATA_BATCHES)
    assert [(batch.rows, batch.produced_at) for batch in batches] == [
        (25, START + 24 * MINUTE),
        (25, START + 49 * MINUTE),
        (10, START + 59 * MINUTE),
    ]
    assert [column.name for column in batches[0].columns] == ["score", "x", "region", "version"]
    region = batches[0].columns[2].values
    assert isinstance(region, Codes)
    assert sorted(region.dictionary) == ["north", "south"]


def test_two_files_follow_one_another_under_one_mapping(tmp_path: Path) -> None:
    first, second = table(tmp_path / "a.csv", 10), table(tmp_path / "b.csv", 10)
    of = job.of_predictions(Predictions(pipeline="l", model="m", batch_rows=10), Reading(files=(first, second)))
    ids = [batch.batch_id for batch in only(sent(of), Topic.DATA_BATCHES)]
    assert ids == ["a:1-10@2026-01-01T00:00:00Z", "b:1-10@2026-01-01T00:00:00Z"]


def test_a_second_file_without_a_needed_column_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "b.csv"
    other.write_text("id,timestamp,score\n1,2026-01-01,0.5\n")
    of = job.of_predictions(
        Predictions(pipeline="l", model="m"), Reading(files=(table(tmp_path / "a.csv", 10), str(other)))
    )
    with pytest.raises(BadInput, match=r"b\.csv has no column 'x'"):
        survey(of, NOW, lambda _: None)


def test_json_rows_that_lack_a_value_have_it_missing(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    line = '{{"id": {0}, "timestamp": "2026-01-01T00:00:00Z", "score": 0.{0}{1}}}'
    file.write_text("\n".join(line.format(row, ', "x": 1' if row == 1 else "") for row in range(1, 4)))
    events: list[Event] = only(sent(predictions(str(file))), Topic.PREDICTIONS)
    assert isinstance(events[0], Prediction)
    values = events[0].features[0].values
    assert isinstance(values, Numbers)
    assert np.isnan(values.values).tolist() == [False, True, True]


def test_the_options_of_batches_without_batches_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--batch-rows"):
        predictions(table(tmp_path / "t.csv", 5), dataset="features")
    with pytest.raises(BadInput, match="names no parent"):
        predictions(table(tmp_path / "t.csv", 5), parents=("@7",))
