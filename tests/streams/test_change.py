"""Announcing a change, where no broker is needed."""

import json

import pytest
import typer
from typer.testing import CliRunner, Result

from schemas.codec import Codec
from schemas.events import Change, ChangeKind
from streams.commands.change import change, sentence
from streams.settings import MissingBroker

app = typer.Typer()
app.command()(change)
CLEAN = ("--pipeline", "taxi", "--component", "clean", "--kind", "code", "--after", "v42")


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("nowhere"))  # no .env file
    monkeypatch.delenv("HEADWATER_BOOTSTRAP", raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_dry_run_prints_the_event_that_would_be_announced() -> None:
    result = run(*CLEAN, "--before", "v41", "--at", "2026-01-31T12:00Z", "--by", "ada", "--dry-run")

    assert result.exit_code == 0, result.output
    event = Codec("change", Change).decode(result.stdout.encode())
    assert event == Change(
        pipeline="taxi",
        component="clean",
        kind=ChangeKind.CODE,
        at=1_769_860_800_000_000,
        change_id="clean:v42@2026-01-31T12:00:00Z",
        before="v41",
        after="v42",
        by="ada",
    )


def test_an_id_of_ones_own_is_kept() -> None:
    assert json.loads(run(*CLEAN, "--id", "deploy-71", "--dry-run").stdout)["change_id"] == "deploy-71"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--kind", "deploy"), "none of CODE, CONFIG"),
        (("--kind", "baseline"), "headwater accept"),
        (("--kind", "unknown"), "none of CODE, CONFIG"),
        (("--at", "yesterday"), "is no time"),
        (("--component", " "), "is empty"),
    ],
)
def test_what_is_wrong_is_refused_by_its_option(words: tuple[str, str], said: str) -> None:
    result = run(*CLEAN, *words, "--dry-run")

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert words[0] in result.stderr


def test_without_a_broker_the_error_names_the_option() -> None:
    error = run(*CLEAN).exception

    assert isinstance(error, MissingBroker)
    assert "--bootstrap" in str(error)


def test_without_versions_the_sentence_goes_without() -> None:
    bare = Change(pipeline="taxi", component="fare", kind=ChangeKind.TOGGLE, at=0)

    assert sentence(bare) == "toggle of taxi/fare, at 1970-01-01T00:00:00Z"
