"""``headwater replay`` where no broker is needed to answer."""

import pytest
import typer
from typer.testing import CliRunner, Result

from streams.commands.replay import assignment, replay
from streams.settings import MissingBroker

app = typer.Typer()
app.command()(replay)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_setting_is_named_with_its_part() -> None:
    assert assignment("detection.false_alarms_per_month=0.1") == ("detection.false_alarms_per_month", "0.1")
    assert assignment("diagnosis.settle_s=30") == ("diagnosis.settle_s", "30")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "detection.false_alarms_per_month"), "NAME=VALUE"),
        (("--set", "false_alarms_per_month=1"), "detection.false_alarms_per_month"),
        (("--since", "yesterday"), "2h"),
    ],
)
def test_what_is_written_wrongly_is_answered_with_how_to_write_it(words: tuple[str, ...], said: str) -> None:
    result = run(*words)

    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split()).replace(" ", "") or said in result.output


def test_without_a_broker_the_error_names_the_option(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("nowhere"))  # no .env file
    monkeypatch.delenv("HEADWATER_BOOTSTRAP", raising=False)

    error = run().exception

    assert isinstance(error, MissingBroker)
    assert "--bootstrap" in str(error)
