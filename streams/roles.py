"""The four agents: what each reads and what its tasks do."""

from collections.abc import Callable

from detectors import dataset, model
from diagnosis.alert import Alert
from diagnosis.observation import Observation
from diagnosis.policy import Policy
from schemas import Codec, Decoder
from schemas.events import Change, DataBatch, Outcome, Prediction
from streams.agent import Role
from streams.detect.budget import Budget
from streams.detect.logic import Decode, DetectLogic
from streams.detect.subject import Policies
from streams.diagnose.work import DiagnoseWork
from streams.index.index import open_index
from streams.index.work import IndexWork
from streams.metrics import Metrics
from streams.notify.alertmanager import Alertmanager
from streams.notify.work import NotifyWork
from streams.registry import schema_by_id
from streams.settings import AlertsFormat, Settings
from streams.task.journaled import JournaledWork
from streams.topics import EVENT_TOPICS, Topic

DETECT, DIAGNOSE, INDEX, NOTIFY = ALL = "detect", "diagnose", "index", "notify"


def names(settings: Settings) -> tuple[str, ...]:
    """The agents that the settings give something to do."""
    index = (INDEX,) if settings.redis_url else ()
    notify = (NOTIFY,) if settings.alertmanager_url else ()
    return (DETECT, DIAGNOSE, *index, *notify)


def role(name: str, settings: Settings, metrics: Metrics) -> Role:
    """The agent called ``name``.

    Raises:
        ValueError: there is no such agent.
    """
    makers: dict[str, Callable[[Settings, Metrics], Role]] = {
        DETECT: _detect,
        DIAGNOSE: _diagnose,
        INDEX: _index,
        NOTIFY: _notify,
    }
    if name not in makers:
        raise ValueError(f"no agent is called {name!r}: there are {', '.join(makers)}")
    return makers[name](settings, metrics)


def _detect(settings: Settings, metrics: Metrics) -> Role:
    look_up = schema_by_id(settings)
    salt = settings.hash_salt.get_secret_value().encode()[:64]
    most = settings.max_event_bytes
    decoders: dict[Topic, Decode] = {
        Topic.DATA_BATCHES: Decoder(DataBatch, schema_by_id=look_up, max_event_bytes=most, salt=salt).decode,
        Topic.PREDICTIONS: Decoder(Prediction, schema_by_id=look_up, max_event_bytes=most, salt=salt).decode,
        Topic.OUTCOMES: Decoder(Outcome, schema_by_id=look_up, max_event_bytes=most).decode,
        Topic.CHANGES: Decoder(Change, schema_by_id=look_up, max_event_bytes=most).decode,
    }
    encode = Codec("observation", Observation).encode
    budget = Budget(settings.partitions, metrics)

    def work_for(partition: int) -> JournaledWork:
        logic = DetectLogic(partition, settings, decoders, encode, _policies(settings), budget)
        return JournaledWork(DETECT, partition, settings, logic, metrics)

    return Role(name=DETECT, inputs=(*EVENT_TOPICS, Topic.INBOX), work_for=work_for)


def _policies(settings: Settings) -> Policies:
    return Policies(
        dataset=dataset.Policy(
            false_alarms_per_month=settings.false_alarms_per_month,
            tolerance=settings.tolerance,
            pool_rows=settings.pool_rows,
            pool_s=settings.pool_s,
            second_detector=settings.second_detector.value,
        ),
        model=model.Policy(
            false_alarms_per_month=settings.false_alarms_per_month,
            tolerance=settings.tolerance,
            window_rows=settings.window_rows,
            window_s=settings.window_s,
            pending_bytes=settings.pending_bytes,
            pending_days=settings.pending_days,
            second_detector=settings.second_detector.value,
        ),
    )


def _diagnose(settings: Settings, metrics: Metrics) -> Role:
    observations = Codec("observation", Observation, max_event_bytes=settings.max_event_bytes)
    alerts = Codec("alert", Alert)
    write = alerts.encode if settings.alerts_format is AlertsFormat.AVRO else alerts.encode_json
    policy = Policy(
        environment=settings.environment,
        settle_s=settings.settle_s,
        resolve_batches=settings.resolve_batches,
        runbook_url=settings.runbook_url,
        console_url=settings.console_url,
    )

    def work_for(partition: int) -> DiagnoseWork:
        return DiagnoseWork(
            partition, settings, observations.decode, observations.encode, write, policy, metrics
        )  # fmt: skip

    return Role(name=DIAGNOSE, inputs=(Topic.OBSERVATIONS,), work_for=work_for)


def _index(settings: Settings, metrics: Metrics) -> Role:
    index = open_index(settings)
    observation = Codec("observation", Observation, max_event_bytes=settings.max_event_bytes).decode
    alert = Codec("alert", Alert).decode

    def work_for(partition: int) -> IndexWork:
        return IndexWork(partition, settings.topic_prefix, index, observation, alert, metrics)

    return Role(name=INDEX, inputs=(Topic.OBSERVATIONS, Topic.ALERTS), work_for=work_for)


def _notify(settings: Settings, metrics: Metrics) -> Role:
    alertmanager = Alertmanager(settings.alertmanager_url or "")
    decode = Codec("alert", Alert).decode

    def work_for(partition: int) -> NotifyWork:
        return NotifyWork(partition, settings, decode, alertmanager, metrics)

    return Role(name=NOTIFY, inputs=(Topic.ALERTS,), work_for=work_for)
