"""The commands around alerts, where no service is needed to answer."""

import json
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner, Result

from diagnosis.alert import Alert, Status
from streams.alert_log import Published, latest
from streams.commands.alerts import alerts, wanted
from streams.commands.doctor import doctor
from streams.commands.explain import among, explain
from streams.commands.trace import trace
from streams.index.connection import IndexMissing, IndexUnreachable
from streams.index.reader import Ambiguous, NotFound
from streams.settings import MissingBroker

app = typer.Typer(rich_markup_mode="markdown")
for command in (alerts, explain, trace, doctor):
    app.command()(command)


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("nowhere"))  # no .env file
    for name in ("HEADWATER_BOOTSTRAP", "HEADWATER_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize("words", [("alerts",), ("explain", "abc")])
def test_without_a_broker_the_error_names_the_option(words: tuple[str, ...]) -> None:
    error = run(*words).exception

    assert isinstance(error, MissingBroker)
    assert "--bootstrap" in str(error)


def test_trace_without_redis_names_the_setting() -> None:
    error = run("trace", "x").exception

    assert isinstance(error, IndexMissing)
    assert "HEADWATER_REDIS_URL" in str(error)


def test_trace_with_redis_away_says_so() -> None:
    error = run("trace", "x", "--redis-url", "redis://127.0.0.1:1").exception

    assert isinstance(error, IndexUnreachable)
    assert "HEADWATER_REDIS_URL" in str(error)


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "redis://:hush@host:many/0"])
def test_an_address_that_is_no_redis_is_told_without_its_password(url: str) -> None:
    for command in ("trace", "explain"):
        error = run(command, "x", "--redis-url", url).exception

        assert isinstance(error, IndexUnreachable)
        assert "redis://host:6379/0" in str(error)
        assert "hush" not in str(error)


def test_a_time_that_is_none_is_refused_with_an_example() -> None:
    result = run("alerts", "--since", "yesterday", "--bootstrap", "127.0.0.1:1")

    assert result.exit_code == 2
    assert "such as 2h" in result.stderr


def test_doctor_names_a_wrong_setting_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_PARTITIONS", "many")

    result = run("doctor", "--json")

    assert result.exit_code == 1
    (line,) = json.loads(result.stdout)
    assert line["level"] == "fail"
    assert "HEADWATER_PARTITIONS" in line["text"]


def test_doctor_without_a_broker_goes_on_with_the_rest() -> None:
    result = run("doctor", "--json")

    assert result.exit_code == 1
    levels = {line["check"]: line["level"] for line in json.loads(result.stdout)}
    assert levels == {"settings": "ok", "broker": "fail", "redis": "warn", "registry": "ok", "alertmanager": "ok"}


def test_the_latest_revision_wins_whatever_the_order(broken_deploy: Alert) -> None:
    revisions = [replace(broken_deploy, revision=number) for number in (2, 3, 1)]

    (alert,) = latest(Published(stored_at=0, alert=alert) for alert in revisions)

    assert alert.revision == 3


def test_filters_keep_what_was_asked_for(broken_deploy: Alert) -> None:
    over = replace(broken_deploy, status=Status.RESOLVED)

    assert wanted(broken_deploy, "taxi", firing=True)
    assert not wanted(broken_deploy, "food", firing=False)
    assert not wanted(over, None, firing=True)


def test_an_id_is_found_by_a_beginning_that_is_its_own(broken_deploy: Alert) -> None:
    known = [replace(broken_deploy, alert_id=alert_id) for alert_id in ("ab", "abc", "b")]

    assert among("b", known).alert_id == "b"
    assert among("ab", known).alert_id == "ab"
    with pytest.raises(Ambiguous):
        among("a", known)
    with pytest.raises(NotFound):
        among("zz", known)
