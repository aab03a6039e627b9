"""The commands that list, explain and trace, on a real broker and index."""

import json
import time

import pytest
import typer
from typer.testing import CliRunner, Result

from diagnosis.alert import Alert, Cause, CauseKind, Onset, Severity, StageOfDiagnosis, Status
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind
from schemas.codec import Codec
from streams.admin import create_topics, name_of
from streams.alert_log import NoAlertsTopic
from streams.clients import producer
from streams.commands.alerts import alerts
from streams.commands.doctor import doctor
from streams.commands.explain import explain
from streams.commands.topics import topics_app
from streams.commands.trace import trace
from streams.index.index import open_index
from streams.index.writing import Logged
from streams.settings import Settings
from streams.topics import Topic

CODEC = Codec("alert", Alert)
NOW = int(time.time() * 1e6)

app = typer.Typer()
for command in (alerts, explain, trace, doctor):
    app.command()(command)
app.add_typer(topics_app, name="topics")


@pytest.fixture
def settings(bootstrap: str, redis_url: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HEADWATER_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("HEADWATER_PARTITIONS", "3")
    return Settings(bootstrap=bootstrap, redis_url=redis_url, topic_prefix=topic_prefix, partitions=3)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def an_alert(alert_id: str, revision: int = 1, pipeline: str = "taxi") -> Alert:
    return Alert(
        alert_id=alert_id,
        revision=revision,
        status=Status.FIRING,
        stage_of_diagnosis=StageOfDiagnosis.DIAGNOSED,
        environment="test",
        pipeline=pipeline,
        severity=Severity.WARNING,
        kind=CauseKind.SOURCE_DATA,
        title=f"revision {revision} of {alert_id}",
        summary="",
        onset=Onset(earliest=1, latest=2),
        detected_at=3,
        cause=Cause(kind=CauseKind.SOURCE_DATA, component="rides"),
        cause_key="k",
    )


def publish(settings: Settings, *values: bytes) -> None:
    create_topics(settings)
    client = producer(settings)
    for value in values:
        client.produce(name_of(Topic.ALERTS, settings), value, b"key")
    client.flush(15)


def test_alerts_shows_the_latest_revision_of_each_in_either_format(settings: Settings, bootstrap: str) -> None:
    publish(
        settings,
        CODEC.encode(an_alert("aa1")),
        CODEC.encode_json(an_alert("aa1", revision=2)),
        CODEC.encode(an_alert("bb2", pipeline="food")),
        b"no alert",
    )

    everything = run("alerts", "--bootstrap", bootstrap)
    food = run("alerts", "--pipeline", "food", "--json", "--bootstrap", bootstrap)

    assert "revision 2 of aa1" in everything.stdout
    assert "revision 1 of aa1" not in everything.stdout
    assert "1 records of the alerts topic are no alerts" in everything.stderr
    assert [json.loads(line)["alert_id"] for line in food.stdout.splitlines()] == ["bb2"]


def test_alerts_since_later_than_all_is_empty(settings: Settings, bootstrap: str) -> None:
    publish(settings, CODEC.encode(an_alert("aa1")))

    result = run("alerts", "--since", "2099-01-01T00:00:00Z", "--bootstrap", bootstrap)

    assert (result.exit_code, result.stdout) == (0, "")
    assert "no alerts" in result.stderr


def test_alerts_where_headwater_never_ran_says_so(settings: Settings, bootstrap: str) -> None:
    result = run("alerts", "--bootstrap", bootstrap)

    assert isinstance(result.exception, NoAlertsTopic)
    assert f"no topic {settings.topic_prefix}alerts" in str(result.exception)


def test_explain_takes_a_beginning_of_the_id_from_topic_or_index(
    settings: Settings, bootstrap: str, redis_url: str
) -> None:
    publish(settings, CODEC.encode(an_alert("aa1")), CODEC.encode(an_alert("ab2")))
    open_index(settings).apply(
        [], [Logged(partition=0, offset=0, stored_at=NOW, value=an_alert("aa1", revision=7))], {}
    )

    from_topic = run("explain", "aa", "--bootstrap", bootstrap)
    from_index = run("explain", "aa", "--bootstrap", bootstrap, "--redis-url", redis_url)
    not_in_index = run("explain", "ab2", "--bootstrap", bootstrap, "--redis-url", redis_url)
    without_redis = run("explain", "aa1", "--bootstrap", bootstrap, "--redis-url", "redis://127.0.0.1:1")

    assert "revision 1 of aa1" in from_topic.stdout
    assert "revision 7 of aa1" in from_index.stdout
    assert "revision 1 of ab2" in not_in_index.stdout
    assert "revision 1 of aa1" in without_redis.stdout
    assert "the index cannot be read" in without_redis.stderr


@pytest.mark.parametrize(("asked", "said"), [("zz", "there is no alert 'zz'"), ("a", "'a' is not unique: aa1, ab2")])
def test_explain_refuses_what_is_not_one_alert(settings: Settings, bootstrap: str, asked: str, said: str) -> None:
    publish(settings, CODEC.encode(an_alert("aa1")), CODEC.encode(an_alert("ab2")))

    result = run("explain", asked, "--bootstrap", bootstrap)

    assert result.exit_code == 1
    assert said in result.stderr


def test_explain_as_json_is_the_alert(settings: Settings, bootstrap: str) -> None:
    publish(settings, CODEC.encode(an_alert("aa1")))

    result = run("explain", "aa1", "--json", "--bootstrap", bootstrap)

    assert CODEC.decode(result.stdout.encode()) == an_alert("aa1")


def test_trace_shows_a_batch_for_people_and_for_scripts(settings: Settings, redis_url: str) -> None:
    batch = Observation(
        kind=ObservationKind.BATCH, pipeline="taxi", name="rides", batch_id="r-1", at=NOW, arrived_at=NOW, rows=5
    )
    index = open_index(settings)
    index.apply([Logged(partition=0, offset=i, stored_at=NOW, value=batch) for i in (0, 1)], [], {})

    people = run("trace", "r-1", "--redis-url", redis_url)
    script = run("trace", "r-1", "--redis-url", redis_url, "--json")
    nothing = run("trace", "r-2", "--redis-url", redis_url)

    assert "batch r-1 of taxi/rides" in people.stdout
    assert json.loads(script.stdout)["node"]["rows"] == 5
    assert nothing.exit_code == 1
    assert "no batch and no prediction 'r-2'" in nothing.stderr


@pytest.mark.usefixtures("settings")
def test_topics_create_says_what_it_did(bootstrap: str) -> None:
    first = run("topics", "create", "--bootstrap", bootstrap)
    again = run("topics", "create", "--bootstrap", bootstrap, "--json")

    assert first.stdout.count("created") == len(Topic)
    assert f"{len(Topic)} topics of 3 partitions each" in first.stdout
    assert json.loads(again.stdout)["created"] == []


def test_doctor_ends_with_1_where_something_keeps_headwater_from_working(settings: Settings, bootstrap: str) -> None:
    missing = run("doctor", "--bootstrap", bootstrap, "--json")
    create_topics(settings)
    well = run("doctor", "--bootstrap", bootstrap, "--quiet")

    assert missing.exit_code == 1
    assert {"check": "topics", "level": "fail"}.items() <= next(
        line for line in json.loads(missing.stdout) if line["check"] == "topics"
    ).items()
    assert well.exit_code == 0
    assert "fail" not in well.stdout
