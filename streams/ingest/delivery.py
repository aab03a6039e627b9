"""Events handed to Kafka, and what became of each: only what a broker has confirmed counts as sent."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.events import Micros
from streams.admin import Broker, name_of
from streams.clients import producer
from streams.ingest.encoding import Encoding
from streams.ingest.events import Outgoing
from streams.ingest.times import SECOND
from streams.settings import Settings
from streams.topics import Topic

POLL_S = 0.2
ANSWER_S = 10.0


class BrokerProblem(ConnectionError):
    """Kafka cannot take the events; the text says what to do."""


@dataclass(slots=True)
class Delivery:
    """A producer that counts delivery reports; its waits end when ``stopped`` says so."""

    settings: Settings
    encoding: Encoding
    stopped: Callable[[], bool]
    rows: int = 0
    events: Counter[Topic] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    last_error: str = ""
    _producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        quiet = logging.getLogger("streams.ingest.kafka")
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
        self._producer = producer(self.settings, logger=quiet, error_cb=self._on_error)

    def send(self, outgoing: Outgoing) -> None:
        """Queues an event; waits while the queue is full.

        Raises:
            BrokerProblem: the event is larger than the producer may send.
        """
        value = self.encoding.encode(outgoing.event)
        name = name_of(outgoing.topic, self.settings)
        while not self.stopped():
            try:
                self._producer.produce(name, value, outgoing.key, on_delivery=self._reporter(outgoing))
            except BufferError:
                self._producer.poll(POLL_S)
            except KafkaException as error:
                raise BrokerProblem(_advice(error.args[0])) from error
            else:
                break
        self._producer.poll(0)

    def flush(self) -> None:
        """Waits until the fate of everything queued is known (at the latest after the producer's own time limit)."""
        while self._producer.flush(POLL_S) and not self.stopped():
            pass

    def drop(self) -> None:
        """Gives up what was not handed to a broker yet, then waits shortly for the rest."""
        self._producer.purge(in_queue=True, in_flight=False, blocking=True)
        self._producer.flush(ANSWER_S)

    def rest(self, until: float) -> None:
        """Serves delivery reports until ``time.monotonic()`` reaches ``until``."""
        while (left := until - time.monotonic()) > 0 and not self.stopped():
            self._producer.poll(min(left, POLL_S))

    def _reporter(self, outgoing: Outgoing) -> Callable[[KafkaError | None, Message], None]:
        topic, rows = outgoing.topic, outgoing.rows

        def report(error: KafkaError | None, _: Message) -> None:
            if error is None:
                self.events[topic] += 1
                self.rows += rows
            else:
                self.failed[_advice(error)] += 1

        return report

    def _on_error(self, error: KafkaError) -> None:
        self.last_error = error.str()


@dataclass(frozen=True, slots=True)
class Pace:
    """Event time against the clock: ``speed`` event-seconds a second, from ``first`` on; ``started`` is monotonic."""

    speed: float
    first: Micros
    started: float

    def due(self, at: Micros) -> float:
        """When an event of time ``at`` is to be sent, monotonic seconds."""
        return self.started + (at - self.first) / SECOND / self.speed


def check_topics(settings: Settings, topics: tuple[Topic, ...]) -> None:
    """Refuses to send before the topics exist, because a broker that makes them by itself makes them wrong.

    Raises:
        BrokerProblem: a topic is missing.
        BrokerUnreachable, NotAllowed: no broker answers, or none that lets us ask.
        MissingBroker: no broker is configured.
    """
    with Broker(settings) as broker:
        found = broker.partition_counts(topics)
    absent = [name_of(topic, settings) for topic in topics if topic not in found]
    if absent:
        raise BrokerProblem(
            f"the topic {absent[0]} does not exist at {settings.bootstrap}: "
            "start a worker, or run `headwater topics create`"
        )


def _advice(error: KafkaError) -> str:
    advice = {
        KafkaError.MSG_SIZE_TOO_LARGE: "fewer --rows-per-event or --batch-rows make smaller events",
        KafkaError.TOPIC_AUTHORIZATION_FAILED: "this user may not write to the topic",
        KafkaError._MSG_TIMED_OUT: "the broker stopped answering",
        KafkaError._PURGE_QUEUE: "not sent: interrupted",
    }.get(error.code())
    return f"{error.str()}: {advice}" if advice else error.str()
