"""One agent as a Faust app: it takes chunks from its inputs and hands them to the tasks of their partitions."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP

from streams.kafka.chunk import Chunk
from streams.kafka.transport import transport_for
from streams.metrics import Metrics
from streams.settings import MissingBroker, Settings
from streams.task.reaction import Reaction, Series
from streams.task.tasks import Tasks
from streams.task.work import Work
from streams.topics import Topic

SESSION_S = 8.0
HEARTBEAT_S = 2.0
MOST_RECORDS_PER_FETCH = 5_000
WATCH_EVERY_S = 1.0
STUCK_AFTER_S = 30.0
CLOSE_WITHIN_S = 5.0
WHOLE_AGENT = -1  # owner of series that belong to no partition's task

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What makes one agent differ from another: its name, its inputs, and the work of its tasks."""

    name: str
    inputs: tuple[Topic, ...]
    work_for: Callable[[int], Work]


@dataclass(slots=True)
class Health:
    """What ``/readyz`` tells: connected, assigned, caught up once since then, and progressing."""

    connected: bool = False
    assigned: bool = False
    caught_up: bool = False
    stuck: list[str] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether all of it holds."""
        return self.connected and self.assigned and self.caught_up and not self.stuck


class Agent:
    """A Faust app around its tasks; ``folder`` is Faust's to write into, and may vanish with the process."""

    def __init__(
        self,
        role: Role,
        settings: Settings,
        metrics: Metrics,
        *,
        folder: Path,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self.health = Health()
        self._name = role.name
        self._lagging: set[Series] = set()
        self._metrics = metrics
        self._topics = tuple(settings.topic_prefix + topic for topic in role.inputs)
        self._prefix = settings.topic_prefix
        self.tasks = Tasks(
            role.name,
            self._topics,
            role.work_for,
            gather_s=settings.transaction_interval_ms / 1000,
            buffer_bytes=settings.buffer_bytes,
            on_failure=on_failure,
            on_taken=lambda seconds: metrics.observe("headwater_event_processing_seconds", role.name, value=seconds),
        )
        self.app = _faust_app(role.name, settings, folder)
        self.app.transport = transport_for(self.tasks)(self.app.conf.broker, self.app)
        self._add_feed()
        self.app.timer(WATCH_EVERY_S)(self._watch)
        self.app.on_before_shutdown.connect(self._finish)

    def _add_feed(self) -> None:
        channel = self.app.topic(
            *self._topics, key_serializer="raw", value_serializer="raw", value_type=bytes, acks=False
        )

        async def feed(chunks: AsyncIterator[Chunk]) -> None:
            async for chunk in chunks:
                self.tasks.offer(chunk)

        self.app.agent(channel, name="feed")(feed)

    def _show_lag(self, behind: Mapping[Any, int]) -> None:
        """The lag of the partitions we hold; that of one that moved away vanishes."""
        lag = Reaction()
        for tp, events in behind.items():
            topic = tp.topic.removeprefix(self._prefix)
            lag.gauge("headwater_consumer_lag_events", topic, str(tp.partition), value=events)
        if set(lag.gauges) != self._lagging:
            self._metrics.release((self._name, WHOLE_AGENT))
            self._lagging = set(lag.gauges)
        self._metrics.apply(lag, (self._name, WHOLE_AGENT))

    async def _finish(self, *_: Any, **__: Any) -> None:
        """Going down: let the running transactions end, so that nobody has to wait for them to be aborted."""
        try:
            await asyncio.wait_for(self.tasks.close(), CLOSE_WITHIN_S)
        except TimeoutError:
            logger.warning("the tasks did not end within %.0f s", CLOSE_WITHIN_S)

    async def _watch(self) -> None:
        """Once a second: how far behind we are, and whether we move."""
        consumer = self.app.consumer
        positions = {
            TP(topic, partition): offset
            for partition, task in self.tasks
            for topic, offset in task.positions.items()
            if topic in self._topics
        }
        behind = {tp: consumer.unread(tp, offset) for tp, offset in positions.items()}
        self._show_lag({tp: events for tp, events in behind.items() if events is not None})
        state = sum(task.state_bytes for _, task in self.tasks)
        self._metrics.gauge("headwater_state_bytes", self._name, value=state)
        self.health.assigned = self.tasks.assigned
        self.health.caught_up = self.tasks.assigned and (
            self.health.caught_up or all(events == 0 for events in behind.values())
        )
        now = time.monotonic()
        self.health.stuck = [
            f"partition {partition} has not moved for {now - task.last_progress:.0f} s"
            for partition, task in self.tasks
            if not task.idle and now - task.last_progress > STUCK_AFTER_S
        ]
        self.health.connected = await consumer.commit_for_watchers(positions if self.tasks.assigned else {})


def _faust_app(name: str, settings: Settings, folder: Path) -> Any:
    if settings.bootstrap is None:
        raise MissingBroker
    return faust.App(
        id=f"{settings.topic_prefix}{name}",
        broker=[f"kafka://{address}" for address in settings.bootstrap.split(",")],
        broker_credentials=_credentials(settings),
        store="memory://",
        datadir=folder,
        topic_disable_leader=True,  # nothing here has a leader, and its topic would have one partition
        topic_allow_declare=False,
        stream_wait_empty=False,
        web_enabled=False,
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_max_poll_records=MOST_RECORDS_PER_FETCH,
        broker_commit_interval=60.0,  # with acks=False there is nothing for Faust to commit
        consumer_metadata_max_age_ms=5000,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{settings.worker_id}-{name}" if settings.worker_id else None,
    )


def _credentials(settings: Settings) -> Any:
    import ssl

    protocol = settings.kafka_security_protocol
    context = ssl.create_default_context(cafile=settings.kafka_ca_file) if protocol.endswith("SSL") else None
    if protocol.startswith("SASL"):
        password = settings.kafka_sasl_password.get_secret_value() if settings.kafka_sasl_password else ""
        return SASLCredentials(
            username=settings.kafka_sasl_username,
            password=password,
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None
