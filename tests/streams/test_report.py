"""Writing an incident report to a file."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streams.commands.report import report, write

app = typer.Typer()
app.command()(report)


def test_a_report_is_written_whole_and_over_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "incident.md"
    path.write_text("older and longer")

    write(path, "süß\n")

    assert path.read_text(encoding="utf-8") == "süß\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["missing/incident.md", "file/incident.md"])
def test_a_file_that_cannot_be_written_is_told_in_a_line(
    tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(typer.Exit) as told:
        write(tmp_path / place, "text")

    assert told.value.exit_code == 2
    assert "cannot be written" in capsys.readouterr().err


def test_another_format_is_refused_before_anything_is_read() -> None:
    result = CliRunner().invoke(app, ["3f2a", "-o", "incident.pdf"])

    assert result.exit_code == 2
    assert "neither in .html nor in .md" in " ".join(result.stderr.replace("│", " ").split())
