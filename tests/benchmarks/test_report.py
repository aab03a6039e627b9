"""What a benchmark writes."""

import json

from benchmarks.report import Report


def test_a_report_is_written_with_bars_seed_and_seconds(tmp_path):
    report = Report()
    report.add("delay", 1.2, 1.3)
    report.add("score", 40.0, 60, least=True)
    report.add("a peer", float("inf"), None)
    report.close(7, 1.26, tmp_path / "rows.json")

    assert json.loads((tmp_path / "rows.json").read_text()) == {
        "rows": [
            {"name": "delay", "value": 1.2, "bar": 1.3, "holds": True},
            {"name": "score", "value": 40.0, "bar": 60, "holds": False},
            {"name": "a peer", "value": None, "bar": None, "holds": None},
        ],
        "seed": 7,
        "seconds": 1.3,
    }


def test_what_could_not_be_measured_misses_its_bar(capsys):
    report = Report()
    report.add("delay", float("inf"), 1.3)
    report.close(0, 1.0, None)

    assert "missed: delay: not measured (bar 1.3)" in capsys.readouterr().out
