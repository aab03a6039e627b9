"""The command line of the demo, as far as it needs no servers."""

import typer
from typer.testing import CliRunner

from simulation.catalogue import FAULTS
from streams.commands.demo import demo

app = typer.Typer()
app.command()(demo)


def test_list_faults_prints_a_name_and_a_sentence_a_line() -> None:
    result = CliRunner().invoke(app, ["--list-faults"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(FAULTS)
    assert len(lines) >= 5
    assert all(len(line.split()) > 4 for line in lines)


def test_an_unknown_fault_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(app, ["--fault", "gremlins"])
    assert result.exit_code == 2
    assert "gremlins" in result.output
    assert "unit-change" in result.output
