"""The diagnose agent: what it reads and what its tasks do."""

from diagnosis.alert import Alert
from diagnosis.observation import Observation
from schemas import Codec
from streams.agent import Role
from streams.diagnose.folding import policy_of
from streams.diagnose.work import AGENT, DiagnoseWork
from streams.metrics import Metrics
from streams.settings import AlertsFormat, Settings
from streams.topics import Topic


def role(settings: Settings, metrics: Metrics) -> Role:
    """Observations in, alerts out."""
    observations = Codec("observation", Observation, max_event_bytes=settings.max_event_bytes)
    alerts = Codec("alert", Alert)
    write = alerts.encode if settings.alerts_format is AlertsFormat.AVRO else alerts.encode_json
    policy = policy_of(settings)

    def work_for(partition: int) -> DiagnoseWork:
        return DiagnoseWork(
            partition, settings, observations.decode, observations.encode, write, policy, metrics
        )  # fmt: skip

    return Role(name=AGENT, inputs=(Topic.OBSERVATIONS,), work_for=work_for)
