"""The detect agent: what it reads and what its tasks do."""

from detectors import dataset, model
from diagnosis.observation import Observation
from schemas import Codec, Decoder
from schemas.events import Change, DataBatch, Outcome, Prediction
from streams.agent import Role
from streams.detect.budget import Budget
from streams.detect.logic import Decode, DetectLogic
from streams.detect.shares import Shares
from streams.detect.subject import Policies
from streams.metrics import Metrics
from streams.registry import schema_by_id
from streams.settings import Settings
from streams.task.journaled import JournaledWork
from streams.topics import EVENT_TOPICS, Topic

NAME = "detect"


def role(settings: Settings, metrics: Metrics) -> Role:
    """Events in, observations out."""
    decoders = decoders_of(settings, metrics)
    encode = Codec("observation", Observation).encode
    budget = Budget(metrics, Shares(settings).news)

    def work_for(partition: int) -> JournaledWork:
        logic = DetectLogic(partition, settings, decoders, encode, policies_of(settings), budget)
        return JournaledWork(NAME, partition, settings, logic, metrics)

    return Role(name=NAME, inputs=(*EVENT_TOPICS, Topic.INBOX), work_for=work_for)


def decoders_of(settings: Settings, metrics: Metrics) -> dict[Topic, Decode]:
    """How each topic's events are read."""
    look_up = schema_by_id(settings, metrics)
    salt = settings.hash_salt.get_secret_value().encode()
    most = settings.max_event_bytes
    return {
        Topic.DATA_BATCHES: Decoder(DataBatch, schema_by_id=look_up, max_event_bytes=most, salt=salt).decode,
        Topic.PREDICTIONS: Decoder(Prediction, schema_by_id=look_up, max_event_bytes=most, salt=salt).decode,
        Topic.OUTCOMES: Decoder(Outcome, schema_by_id=look_up, max_event_bytes=most).decode,
        Topic.CHANGES: Decoder(Change, schema_by_id=look_up, max_event_bytes=most).decode,
    }


def policies_of(settings: Settings) -> Policies:
    """What the settings decide about detection."""
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
