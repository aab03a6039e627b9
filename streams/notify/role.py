"""The notify agent: what it reads and what its tasks do."""

from diagnosis.alert import Alert
from schemas import Codec
from streams.agent import Role
from streams.metrics import Metrics
from streams.notify.alertmanager import Alertmanager
from streams.notify.work import NotifyWork
from streams.settings import Settings
from streams.topics import Topic


def role(settings: Settings, metrics: Metrics) -> Role:
    """Alerts go to Alertmanager."""
    alertmanager = Alertmanager(settings.alertmanager_url or "")
    decode = Codec("alert", Alert).decode

    def work_for(partition: int) -> NotifyWork:
        return NotifyWork(partition, settings, decode, alertmanager, metrics)

    return Role(name="notify", inputs=(Topic.ALERTS,), work_for=work_for)
