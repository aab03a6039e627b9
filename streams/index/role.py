"""The index agent: what it reads and what its tasks do."""

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from schemas import Codec
from streams.agent import Role
from streams.index.index import open_index
from streams.index.work import IndexWork
from streams.metrics import Metrics
from streams.settings import Settings
from streams.topics import Topic


def role(settings: Settings, metrics: Metrics) -> Role:
    """What is committed goes to Redis."""
    index = open_index(settings)
    observation = Codec("observation", Observation, max_event_bytes=settings.max_event_bytes).decode
    alert = Codec("alert", Alert).decode

    def work_for(partition: int) -> IndexWork:
        return IndexWork(partition, settings.topic_prefix, index, observation, alert, metrics)

    return Role(name="index", inputs=(Topic.OBSERVATIONS, Topic.ALERTS), work_for=work_for)
