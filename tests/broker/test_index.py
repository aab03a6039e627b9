"""The index on a real Valkey, and on Debian's Redis."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from diagnosis.alert import Alert, Cause, CauseKind, Hop, Match, Onset, Severity, StageOfDiagnosis, Status
from diagnosis.observation import Observation
from diagnosis.provenance import ObservationKind, Origin, Parent, PredictionRef
from streams.index.connection import IndexMissing, connect
from streams.index.index import Index, open_index
from streams.index.reader import Ambiguous, NotFound, Reader, open_reader
from streams.index.trace import Reached, Step
from streams.index.writing import Logged
from streams.settings import Settings
from tests.broker.installation import wait_until
from tests.deploy.debian import program

pytestmark = pytest.mark.broker

MINUTE = 60_000_000
NOW = int(time.time()) // 86_400 * 86_400_000_000  # entries older than the retention would vanish at once


@pytest.fixture(scope="module")
def debian_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis from Debian's package."""
    server = program("redis-server")
    socket = tmp_path_factory.mktemp("redis") / "redis.sock"
    process = subprocess.Popen(
        [server, "--port", "0", "--unixsocket", str(socket), "--save", ""], stdout=subprocess.DEVNULL
    )
    wait_until(socket.exists, seconds=10, what="redis-server's socket")
    yield f"unix://{socket}"
    process.terminate()
    process.wait()


@pytest.fixture(params=["redis_url", "debian_redis"])
def settings(request: pytest.FixtureRequest, topic_prefix: str) -> Settings:
    return Settings(redis_url=request.getfixturevalue(request.param), topic_prefix=topic_prefix)


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    client = connect(settings)
    yield client
    client.close()


@pytest.fixture
def index(settings: Settings) -> Index:
    index = open_index(settings)
    index.open()
    return index


@pytest.fixture
def reader(settings: Settings) -> Reader:
    return open_reader(settings)


def batch(dataset: str, number: int, *parents: Parent, partition: str | None = None, at: int = 0) -> Observation:
    made = at or NOW + number * MINUTE
    return Observation(
        kind=ObservationKind.BATCH,
        pipeline="taxi",
        name=dataset,
        stage=dataset,
        batch_id=f"{dataset}-{number}",
        at=made,
        arrived_at=made,
        rows=1000,
        partition=partition,
        origin=Origin(topic="data-batches", partition=0, offset=number),
        parents=parents,
        versions={"code": "v1"},
    )


def exactly(dataset: str, number: int, pipeline: str | None = None) -> Parent:
    return Parent(dataset=dataset, batch_id=f"{dataset}-{number}", pipeline=pipeline)


def window(number: int, parents: tuple[Parent, ...], events: tuple[PredictionRef, ...]) -> Observation:
    made = NOW + number * MINUTE + 1
    return Observation(
        kind=ObservationKind.WINDOW,
        pipeline="taxi",
        name="fare",
        batch_id=f"fare-window-{number}",
        at=made,
        arrived_at=made,
        rows=sum(event.rows for event in events),
        parents=parents,
        predictions=events,
        versions={"model": "m7"},
    )


def event(offset: int, *ids: str, parents: tuple[int, ...] = (0,)) -> PredictionRef:
    origin = Origin(topic="predictions", partition=3, offset=offset)
    return PredictionRef(origin=origin, at=NOW + offset, rows=len(ids), ids=ids, parents=parents)


def logged(*observations: Observation, start: int = 0) -> list[Logged[Observation]]:
    return [
        Logged(partition=1, offset=start + i, stored_at=NOW + i * MINUTE, value=seen)
        for i, seen in enumerate(observations)
    ]


def pipeline() -> list[Observation]:
    return [
        batch("rides", 1),
        batch("weather", 1),
        batch("joined", 1, exactly("rides", 1), exactly("weather", 1)),
        batch("features", 1, exactly("joined", 1)),
        window(
            1, (exactly("features", 1), exactly("features", 0)), (event(7, "p1", "p2"), event(8, "p3", parents=(1,)))
        ),
    ]


def names(steps: tuple[Step, ...]) -> list[object]:
    """The tree as nested lists of batch ids."""
    return [
        [step.node.batch_id if step.node else step.named, names(step.steps)] if step.steps
        else (step.node.batch_id if step.node else step.named)
        for step in steps
    ]  # fmt: skip


def an_alert(alert_id: str, *, revision: int = 1, pipeline: str = "taxi", detected_at: int = NOW) -> Alert:
    return Alert(
        alert_id=alert_id,
        revision=revision,
        status=Status.FIRING,
        stage_of_diagnosis=StageOfDiagnosis.SUSPECTED,
        environment="test",
        pipeline=pipeline,
        severity=Severity.WARNING,
        kind=CauseKind.SOURCE_DATA,
        title="distance of taxi/rides rose",
        summary="",
        onset=Onset(earliest=NOW, latest=NOW + MINUTE, batch_id="rides-1"),
        detected_at=detected_at,
        cause=Cause(kind=CauseKind.SOURCE_DATA, component="rides"),
        cause_key="k",
    )


def test_a_prediction_leads_up_to_its_sources(index: Index, reader: Reader) -> None:
    index.apply(logged(*pipeline()), [], {})

    trace = reader.trace("p2")

    assert trace.prediction is not None
    assert trace.prediction.origin == Origin(topic="predictions", partition=3, offset=7)
    assert trace.node.batch_id == "fare-window-1"
    assert trace.node.versions == {"model": "m7"}
    assert names(trace.up) == [["features-1", [["joined-1", ["rides-1", "weather-1"]]]]]


def test_a_prediction_of_a_batch_never_seen_names_it(index: Index, reader: Reader) -> None:
    index.apply(logged(*pipeline()), [], {})

    (step,) = reader.trace("p3").up

    assert step.node is None
    assert step.named == "taxi/features/features-0"


def test_a_source_leads_down_to_exactly_the_predictions_scored_with_it(index: Index, reader: Reader) -> None:
    index.apply(logged(*pipeline()), [], {})

    trace = reader.trace("rides-1")

    assert trace.up == ()
    assert names(trace.down) == [["joined-1", [["features-1", ["fare-window-1"]]]]]
    scored = trace.down[0].steps[0].steps[0].scored
    assert scored is not None
    assert scored.first_ids == ("p1", "p2")
    assert scored.rows == 2


def test_a_batch_may_arrive_after_its_children(index: Index, reader: Reader) -> None:
    index.apply(logged(*reversed(pipeline())), [], {})

    assert names(reader.trace("p1").up) == [["features-1", [["joined-1", ["rides-1", "weather-1"]]]]]


def test_a_batch_that_is_reached_twice_is_unfolded_once(index: Index, reader: Reader) -> None:
    layers = [batch("d0", 1)]
    for depth in range(1, 31):
        above = [seen.name for seen in layers if seen.name.startswith(f"d{depth - 1}")]
        parents = [exactly(name, 1) for name in above]
        layers += [batch(f"d{depth}{side}", 1, *parents) for side in "ab"]
    index.apply(logged(*layers), [], {})

    trace = reader.trace("d30a-1")

    assert not trace.truncated
    steps, repeated = 0, 0
    pending = list(trace.up)
    while pending:
        step = pending.pop()
        steps, repeated = steps + 1, repeated + step.repeated
        pending += step.steps
    assert steps - repeated == 29 * 2 + 1


def test_a_cycle_ends(index: Index, reader: Reader) -> None:
    index.apply(logged(batch("a", 1, exactly("b", 1)), batch("b", 1, exactly("a", 1))), [], {})

    assert names(reader.trace("a-1").up) == [["b-1", ["a-1"]]]


def test_a_parent_named_only_by_its_dataset_is_the_latest_before(index: Index, reader: Reader) -> None:
    loose = Parent(dataset="rides")
    index.apply(
        logged(batch("rides", 1), batch("rides", 3), batch("clean", 2, loose), batch("clean", 4, loose)), [], {}
    )

    assert names(reader.trace("clean-2").up) == ["rides-1"]
    assert names(reader.trace("clean-4").up) == ["rides-3"]
    assert reader.trace("clean-2").up[0].match is Match.LATEST
    assert names(reader.trace("rides-1").down) == ["clean-2"]
    assert names(reader.trace("rides-3").down) == ["clean-4"]


def test_a_parent_named_by_partition_is_the_last_making_of_it(index: Index, reader: Reader) -> None:
    named = Parent(dataset="rides", partition="2026-11-01")
    again = [batch("rides", n, partition="2026-11-01") for n in (1, 5)]
    index.apply(logged(*again, batch("clean", 2, named), batch("clean", 7, named)), [], {})

    assert names(reader.trace("clean-2").up) == ["rides-1"]
    assert names(reader.trace("clean-7").up) == ["rides-5"]
    assert names(reader.trace("rides-1").down) == ["clean-2"]
    assert reader.trace("clean-7").up[0].match is Match.PARTITION


def test_parents_named_by_a_window_are_all_that_lie_in_it(index: Index, reader: Reader) -> None:
    named = Parent(dataset="rides", window_start=NOW + MINUTE, window_end=NOW + 4 * MINUTE)
    rides = [batch("rides", number) for number in range(6)]
    index.apply(logged(*rides, batch("daily", 9, named)), [], {})

    assert names(reader.trace("daily-9").up) == ["rides-1", "rides-2", "rides-3"]
    assert names(reader.trace("rides-2").down) == ["daily-9"]
    assert names(reader.trace("rides-5").down) == []


def test_a_source_of_very_many_is_followed_through_the_first_of_them_and_the_others_are_counted(
    index: Index, reader: Reader
) -> None:
    made = [batch("clean", number, exactly("rides", 0)) for number in range(1, 301)]
    index.apply(logged(batch("rides", 0), *made), [], {})

    some, everything = reader.trace("rides-0", 20), reader.trace("rides-0", 1000)

    assert names(some.down) == [f"clean-{number}" for number in range(1, 21)]
    assert (some.more_down, some.truncated) == (280, True)
    assert len(everything.down) == 300
    assert (everything.more_down, everything.truncated) == (0, False)


def test_a_level_wider_than_wanted_says_below_which_batch_there_is_more(index: Index, reader: Reader) -> None:
    made = [batch("clean", number, exactly("rides", 0)) for number in (1, 2)]
    made += [batch("board", number, exactly("clean", 1 + number % 2)) for number in range(10, 20)]
    index.apply(logged(batch("rides", 0), *made), [], {})

    trace = reader.trace("rides-0", 4)

    assert [(step.node.batch_id, len(step.steps), step.more) for step in trace.down if step.node] == [
        ("clean-1", 2, 3),
        ("clean-2", 2, 3),
    ]
    assert trace.reached == Reached(batches=6, windows=0, predictions=0)
    assert trace.truncated


def test_of_a_busy_day_every_child_that_names_only_the_dataset_is_found(index: Index, reader: Reader) -> None:
    rides = [batch("rides", number) for number in range(0, 800, 2)]
    clean = [batch("clean", number, Parent(dataset="rides")) for number in range(1, 800, 2)]
    index.apply(logged(*rides, *clean), [], {})

    for number in (0, 400, 798):
        assert names(reader.trace(f"rides-{number}").down) == [f"clean-{number + 1}"]


def test_a_parent_in_another_pipeline_is_found(index: Index, reader: Reader) -> None:
    child = replace(batch("orders", 2, exactly("rides", 1, "taxi")), pipeline="food")
    index.apply(logged(batch("rides", 1), child), [], {})

    assert names(reader.trace("orders-2").up) == ["rides-1"]
    assert names(reader.trace("rides-1").down) == ["orders-2"]


def test_an_id_that_several_datasets_use_must_be_qualified(index: Index, reader: Reader) -> None:
    same = [replace(batch(name, 1), batch_id="run-5") for name in ("rides", "weather")]
    index.apply(logged(*same), [], {})

    with pytest.raises(Ambiguous) as raised:
        reader.trace("run-5")

    assert raised.value.candidates == ("taxi/rides/run-5", "taxi/weather/run-5")
    assert reader.trace("taxi/weather/run-5").node.name == "weather"


def test_an_id_nobody_has_is_not_found(index: Index, reader: Reader) -> None:
    index.apply(logged(*pipeline()), [], {})

    with pytest.raises(NotFound):
        reader.trace("nobody")


def test_applying_the_same_records_again_changes_nothing(index: Index, reader: Reader) -> None:
    index.apply(logged(*pipeline()), [], {})
    before = reader.trace("rides-1")

    index.apply(logged(*pipeline()), [], {})

    assert reader.trace("rides-1") == before


def test_entries_and_positions_are_stored_together_and_lost_together(index: Index, reader: Reader) -> None:
    index.apply(logged(*pipeline()), [], {("t.observations", 1): 5})
    assert index.position("t.observations", 1) == 5

    index.reset()

    assert index.position("t.observations", 1) == 0
    with pytest.raises(NotFound):
        reader.trace("p1")


def test_an_index_of_another_layout_is_dropped(index: Index, client: redis.Redis, settings: Settings) -> None:
    index.apply(logged(*pipeline()), [], {("t.observations", 1): 5})
    client.set(f"{settings.topic_prefix}index:version", "0")

    assert index.open() is True

    assert index.position("t.observations", 1) == 0
    assert index.open() is False


def test_two_installations_share_a_redis(index: Index, settings: Settings) -> None:
    other = settings.model_copy(update={"topic_prefix": settings.topic_prefix + "dev."})
    theirs = open_index(other)
    index.apply(logged(*pipeline()), [], {})
    theirs.apply(logged(batch("rides", 2)), [], {})

    index.reset()

    assert open_reader(other).trace("rides-2").node.name == "rides"
    with pytest.raises(NotFound):
        open_reader(other).trace("rides-1")


def test_everything_expires(index: Index, client: redis.Redis, settings: Settings) -> None:
    index.apply(logged(*pipeline()), [Logged(partition=0, offset=0, stored_at=NOW, value=an_alert("a1"))], {})

    keys = list(client.scan_iter(match=f"{settings.topic_prefix}index:*"))
    lasting = {key.decode().removeprefix(f"{settings.topic_prefix}index:") for key in keys if client.ttl(key) == -1}
    assert lasting == {"version", "shelves", "alerts", "alerts/taxi"}


def test_what_is_older_than_the_retention_is_gone(settings: Settings, client: redis.Redis) -> None:
    retention_s = time.time() - NOW / 1e6 + 2  # what was stored just before midnight has two seconds to live
    short = open_index(settings.model_copy(update={"index_retention_days": retention_s / 86_400}))
    stored = [replace(one, stored_at=NOW - 1) for one in logged(*pipeline())]
    short.open()
    short.apply(stored, [], {})
    assert open_reader(settings).trace("p1").node.batch_id == "fare-window-1"

    space = f"{settings.topic_prefix}index:"
    left = [f"{space}shelves".encode(), f"{space}version".encode()]
    wait_until(lambda: sorted(client.scan_iter(match=f"{space}*")) == left, seconds=10, what="the end of every entry")
    assert open_reader(settings).alerts() == []
    with pytest.raises(NotFound):
        open_reader(settings).trace("p1")


def test_the_latest_revision_of_an_alert_is_found_by_a_prefix_of_its_id(index: Index, reader: Reader) -> None:
    first, second = an_alert("abc123", detected_at=2), an_alert("abc123", revision=2, detected_at=2)
    other = an_alert("abd999", pipeline="food", detected_at=1)
    published = enumerate((first, second, other))
    index.apply([], [Logged(partition=0, offset=i, stored_at=NOW + i, value=alert) for i, alert in published], {})

    assert reader.alert("abc") == second
    assert reader.alert("abd999") == other
    with pytest.raises(Ambiguous):
        reader.alert("ab")
    with pytest.raises(NotFound):
        reader.alert("abc*")
    assert reader.alerts() == [other, second]
    assert reader.alerts(pipeline="food") == [other]
    assert reader.alerts(since=NOW + 2) == [other]


def test_the_predictions_a_fault_reached_are_known_by_id(index: Index, reader: Reader) -> None:
    index.apply(logged(*pipeline()), [], {})

    assert list(reader.affected(an_alert("a1"))) == ["p1", "p2"]


def test_predictions_of_other_pipelines_are_known_by_id_wherever_the_alert_is(index: Index, reader: Reader) -> None:
    *batches, scored = pipeline()
    features = replace(batches.pop(), pipeline="food", parents=(exactly("joined", 1, "taxi"),))
    index.apply(logged(*batches, features, replace(scored, pipeline="food")), [], {})
    hop = Hop(pipeline="taxi", dataset="rides", batch_id="rides-1")

    assert list(reader.affected(an_alert("a1"))) == ["p1", "p2"]
    assert list(reader.affected(replace(an_alert("a2", pipeline="food"), path=(hop,)))) == ["p1", "p2"]


def test_a_million_predictions_a_day_stay_packed(index: Index, client: redis.Redis, settings: Settings) -> None:
    windows = [window(n, (exactly("features", 1),), tuple(event(n, f"{n}-{i}") for i in range(500))) for n in range(40)]
    for start in range(0, 40, 10):
        index.apply(logged(*windows[start : start + 10], start=start), [], {})

    buckets = list(client.scan_iter(match=f"{settings.topic_prefix}index:l/*"))
    packed = [client.object("encoding", key) for key in buckets]
    assert packed.count(b"listpack") >= 0.97 * len(packed)


def test_no_redis_configured_is_said() -> None:
    with pytest.raises(IndexMissing, match="HEADWATER_REDIS_URL"):
        connect(Settings(redis_url=None))
