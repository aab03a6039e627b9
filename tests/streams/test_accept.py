"""Accepting a new normal, where no broker is needed."""

from dataclasses import replace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from diagnosis.alert import Alert, Status
from schemas.events import Change, ChangeKind
from streams.acceptance import NothingToAccept, accepted, accepted_of, since
from streams.commands.accept import accept, shown
from streams.reading.layout import as_text
from streams.settings import MissingBroker

app = typer.Typer()
app.command()(accept)


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("nowhere"))  # no .env file
    for name in ("HEADWATER_BOOTSTRAP", "HEADWATER_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def places(alert: Alert, column: str | None = None) -> list[tuple[str, str | None]]:
    return [(one.component, one.column) for one in accepted(alert.symptoms, column)]


def test_every_column_that_moved_is_accepted_once_and_scores_by_their_name(broken_deploy: Alert) -> None:
    moved = broken_deploy.symptoms[0]
    twice = replace(broken_deploy, symptoms=(*broken_deploy.symptoms, replace(moved, statistic="scale")))

    assert places(twice) == [("cleaned", "distance"), ("fare", "score")]
    assert places(twice, "score") == [("fare", "score")]
    assert places(twice, "tip") == []


def test_a_symptom_of_the_whole_subject_covers_its_columns(broken_deploy: Alert) -> None:
    distance, scores = broken_deploy.symptoms
    rows = replace(distance, column=None, statistic="rows")

    assert places(replace(broken_deploy, symptoms=(distance, rows, scores))) == [("cleaned", None), ("fare", "score")]


def test_the_scores_of_a_model_follow_its_features(broken_deploy: Alert) -> None:
    cleaned, scores = broken_deploy.symptoms
    feature = replace(scores, column="distance", statistic="location")
    alert = replace(broken_deploy, symptoms=(cleaned, feature))

    chosen = [(one.component, one.column) for one in accepted_of(alert)]

    assert chosen == [("cleaned", "distance"), ("fare", "distance"), ("fare", "score")]
    assert len(accepted_of(broken_deploy)) == 2
    assert [one.column for one in accepted_of(alert, "distance")] == ["distance", "distance"]


def test_silence_is_accepted_as_such_and_beside_what_moved(broken_deploy: Alert) -> None:
    moved = broken_deploy.symptoms[0]
    silent = replace(moved, column=None, statistic="silence")

    assert places(replace(broken_deploy, symptoms=(silent,))) == [("cleaned", "silence")]
    assert places(replace(broken_deploy, symptoms=(silent, moved))) == [("cleaned", "silence"), ("cleaned", "distance")]


def test_the_change_is_a_baseline_of_the_dataset_and_its_column(broken_deploy: Alert) -> None:
    distance, _ = accepted(broken_deploy.symptoms)

    assert distance.change(7, "accepted@now", "metres", "ada") == Change(
        pipeline="taxi",
        component="cleaned",
        kind=ChangeKind.BASELINE,
        at=7,
        change_id="accepted@now:cleaned.distance",
        after="distance",
        by="ada",
        reason="metres",
    )


def test_it_counts_from_now_on_and_never_from_before_the_trouble(broken_deploy: Alert) -> None:
    latest = max(finding.alarm_at for finding in broken_deploy.symptoms)

    assert since(broken_deploy, latest + 5) == latest + 5
    assert since(broken_deploy, 0) >= latest
    assert since(replace(broken_deploy, symptoms=()), 3) == 3


def test_what_is_accepted_is_shown_with_its_symptoms(broken_deploy: Alert) -> None:
    assert as_text(shown(accepted(broken_deploy.symptoms))) == (
        "taxi/cleaned: column distance\n·  mean of distance rose from 3.2 to 3,204\n"
        "taxi/fare: column score\n·  mean score rose from 14.20 to 31.90\n"
    )


@pytest.mark.parametrize("words", [(), ("abc", "--pipeline", "taxi"), ("--pipeline", "taxi")])
def test_an_alert_or_a_component_must_be_named_and_not_both(words: tuple[str, ...]) -> None:
    result = run(*words)

    assert result.exit_code == 2
    assert "name either an alert, or --pipeline and --component" in result.stderr


@pytest.mark.parametrize(
    ("overrides", "column", "said"),
    [
        ({"status": Status.RESOLVED}, None, "is resolved: there is nothing left to accept"),
        ({"status": Status.SUPERSEDED, "superseded_by": "b1"}, None, "is superseded by b1"),
        ({}, "tip", "has no symptom in column 'tip', only in distance, score"),
        ({"symptoms": ()}, None, "names nothing that could be accepted"),
    ],
)
def test_an_alert_with_nothing_to_accept_says_why(
    broken_deploy: Alert, overrides: dict[str, Any], column: str | None, said: str
) -> None:
    with pytest.raises(NothingToAccept, match=said):
        accepted_of(replace(broken_deploy, **overrides), column)


def test_without_a_broker_the_error_names_the_option() -> None:
    error = run("--pipeline", "taxi", "--component", "cleaned").exception

    assert isinstance(error, MissingBroker)
    assert "--bootstrap" in str(error)
