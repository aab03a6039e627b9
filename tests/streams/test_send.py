"""``headwater send`` as a person runs it, as far as no broker is needed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.codec import Codec
from schemas.events import Prediction
from streams.commands.send import send_app

NAMES = ["--pipeline", "loans", "--model", "car"]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HEADWATER_BOOTSTRAP", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def scored(tmp_path: Path) -> str:
    path = tmp_path / "scored.csv"
    rows = [f"{row},2026-01-01T00:{row:02}:00Z,{row / 60},{row % 7}" for row in range(60)]
    path.write_text("\n".join(["id,timestamp,score,x", *rows]))
    return str(path)


def run(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(send_app, list(arguments), input=input)


def test_a_dry_run_prints_an_event_that_can_be_decoded(scored: str) -> None:
    result = run("predictions", scored, *NAMES, "--rows-per-event", "7", "--dry-run")
    assert result.exit_code == 0
    event = Codec("prediction", Prediction).decode(result.stdout.encode())
    assert event.prediction_ids == tuple(str(row) for row in range(7))
    assert json.loads(result.stdout)["pipeline"] == "loans"


def test_what_was_guessed_is_said(scored: str) -> None:
    said = run("predictions", scored, *NAMES, "--dry-run").stderr
    assert "id: id (" in said
    assert "time: timestamp (" in said
    assert "score: score (" in said
    assert "features: x" in said
    assert "60 rows, 2026-01-01T00:00:00Z to 2026-01-01T00:59:00Z" in said
    assert "key loans/car" in said


def test_wrong_rows_stop_everything_unless_they_are_skipped(scored: str) -> None:
    with Path(scored).open("a") as file:
        file.write("\n60,2026-01-01T01:00:00Z,much,1\n")
    stopped = run("predictions", scored, *NAMES, "--dry-run")
    assert stopped.exit_code == 1
    assert "scored.csv:62: score is 'much', not a number" in stopped.stderr
    assert "nothing was sent" in stopped.stderr
    assert stopped.stdout == ""
    skipped = run("predictions", scored, *NAMES, "--dry-run", "--on-error", "skip")
    assert skipped.exit_code == 0
    assert "scored.csv:62" in skipped.stderr


def test_standard_input_is_read_with_its_format(scored: str) -> None:
    text = Path(scored).read_text()
    result = run("predictions", "-", "--format", "csv", *NAMES, "--dry-run", input=text)
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["scores"]) == 60
    assert run("predictions", "-", *NAMES, "--dry-run", input=text).exit_code == 1
    refused = run("predictions", "-", "--format", "csv", *NAMES, "--as-reference", "--dry-run", input=text)
    assert refused.exit_code == 1
    assert "save standard input to a file" in refused.stderr


def test_a_wrong_row_on_standard_input_says_what_went_before(scored: str) -> None:
    text = Path(scored).read_text() + "\n60,soon,0.5,1\n"
    result = run("predictions", "-", "--format", "csv", *NAMES, "--dry-run", input=text)
    assert result.exit_code == 1
    assert "stdin:62: timestamp is 'soon'" in result.stderr
    assert "nothing from stdin:2 on was sent" in result.stderr


def test_without_a_broker_it_says_how_to_name_one(scored: str) -> None:
    result = run("predictions", scored, *NAMES)
    assert result.exit_code == 3
    assert "--bootstrap" in result.stderr


def test_batches_and_outcomes_have_a_dry_run_too(scored: str) -> None:
    batches = run("batches", scored, "--pipeline", "loans", "--dataset", "raw", "--batch-rows", "20", "--dry-run")
    assert json.loads(batches.stdout)["rows"] == 20
    outcomes = run("outcomes", scored, *NAMES, "--outcome", "x", "--delay", "1h", "--dry-run")
    assert json.loads(outcomes.stdout)["observed_at"] == "2026-01-01T01:59:00.000000Z"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--speed", "fast"], "--speed 'fast'"),
        (["--speed", "0"], "--speed '0'"),
        (["--features", "y"], "no column 'y'"),
        (["--id", "nothing"], "no column 'nothing'"),
        (["--score", "timestamp"], "no row to send|not a number"),
        (["--stage", "features"], "--batch-rows"),
    ],
)
def test_wrong_options_are_refused_with_advice(scored: str, arguments: list[str], complaint: str) -> None:
    result = run("predictions", scored, *NAMES, "--dry-run", *arguments)
    assert result.exit_code == 1
    assert any(part in result.stderr for part in complaint.split("|"))


def test_a_missing_name_is_a_usage_error(scored: str) -> None:
    assert run("predictions", scored, "--pipeline", "loans").exit_code == 2
