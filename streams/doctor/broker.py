"""The broker: is it there, which one, may we do what we must, are the topics right, is its clock ours."""

import logging
import time
from collections.abc import Sequence
from uuid import uuid4

from confluent_kafka import KafkaError, KafkaException, Message

from streams.admin import (
    Broker,
    BrokerUnreachable,
    NotAllowed,
    TopicsReport,
    WrongPartitions,
    check_topics,
    name_of,
)
from streams.clients import producer
from streams.doctor import api_versions
from streams.doctor.line import Line, fail, ok, warn
from streams.settings import MissingBroker, Settings
from streams.topics import EVENT_TOPICS, Topic

SKEW_WARNED_S = 5.0
SKEW_REFUSED_S = 300.0
PROBE_TIMEOUT_S = 15.0


def check_broker(settings: Settings) -> list[Line]:
    """Whether a broker answers, and which release it is."""
    try:
        with Broker(settings):
            pass
    except (MissingBroker, BrokerUnreachable, NotAllowed) as error:
        mend = "is the address right, is Kafka up, do HEADWATER_KAFKA_SECURITY_PROTOCOL and the credentials fit?"
        return [fail("broker", str(error), "" if isinstance(error, MissingBroker) else mend)]
    try:
        versions = api_versions.ask(settings)
    except (OSError, ValueError) as error:
        return [warn("broker", f"{settings.bootstrap} answers, its version could not be asked: {error}", "")]
    told = f"{settings.bootstrap} is Kafka {api_versions.release(versions)} or newer"
    if not api_versions.recovers_transactions(versions):
        return [fail("broker", f"{told}: too old for transactions that recover", "use Kafka 2.5 or newer")]
    return [ok("broker", told)]


def check_all_topics(settings: Settings) -> list[Line]:
    """Whether every topic exists, with N partitions and a configuration that loses nothing."""
    try:
        report = check_topics(settings)
    except (WrongPartitions, NotAllowed, BrokerUnreachable) as error:
        return [fail("topics", str(error), "")]
    lines = [warn("topics", sentence, _alter(sentence)) for sentence in report.kept_otherwise]
    if report.missing:
        text = f"{len(report.missing)} of {len(Topic)} are missing: {', '.join(report.missing)}"
        return [*lines, fail("topics", text, "run `headwater topics create` (a worker does it too when it starts)")]
    return [*lines, ok("topics", f"all {len(Topic)} exist, with {report.partitions} partitions each")]


def _alter(sentence: str) -> str:
    name, _, rest = sentence.partition(": ")
    key, _, wanted = rest.partition(" is ")
    value = wanted.rsplit(" ", 1)[-1]
    return f"kafka-configs --bootstrap-server … --alter --topic {name} --add-config {key}={value}"


def check_rights(settings: Settings, existing: Sequence[str]) -> list[Line]:
    """Whether we may read every topic and write our own."""
    events = {name_of(topic, settings) for topic in EVENT_TOPICS}
    try:
        with Broker(settings) as broker:
            allowed = broker.operations(existing)
    except (NotAllowed, BrokerUnreachable) as error:
        return [fail("rights", str(error), "")]
    lacking = [
        f"{right} on topic {name}"
        for name, operations in allowed.items()
        for right in ("READ", *(() if name in events else ("WRITE",)))
        if right not in operations
    ]
    if lacking:
        return [fail("rights", f"missing: {', '.join(lacking)}", "add these ACLs for Headwater's principal")]
    return [ok("rights", "may read every topic and write Headwater's own")]


def check_transaction_and_clock(settings: Settings) -> list[Line]:
    """Open a transaction, append a record to ``inbox`` and abort it: nobody sees it, but the broker has dated it.

    So the rights to write in transactions are proven and the broker's clock is known to half a round trip.
    """
    stamps: list[int] = []

    def note(error: KafkaError | None, message: Message) -> None:
        if error is None:
            stamps.append(message.timestamp()[1])

    started = 0.0
    try:
        probe = producer(
            settings,
            **{
                "transactional.id": f"{settings.topic_prefix}doctor-{uuid4().hex[:8]}",
                "transaction.timeout.ms": 10_000,
                "linger.ms": 0,
                "log_level": 0,
                "logger": logging.getLogger("headwater.doctor.silent"),  # it writes fatal errors in spite of the level
            },
        )
        probe.init_transactions(PROBE_TIMEOUT_S)
        probe.begin_transaction()
        started = time.time()
        probe.produce(name_of(Topic.INBOX, settings), b"doctor", partition=0, on_delivery=note)
        probe.flush(PROBE_TIMEOUT_S)
        ended = time.time()
        probe.abort_transaction(PROBE_TIMEOUT_S)
    except KafkaException as error:
        return [_refused(error, settings)]
    if not stamps:
        text = f"a record for {name_of(Topic.INBOX, settings)} was not taken"
        return [fail("transactions", text, "is a broker down, or WRITE on the topic missing?")]
    return [ok("transactions", "a record was written and aborted"), clock_line(stamps[0] / 1000, started, ended)]


def clock_line(broker_s: float, started_s: float, ended_s: float) -> Line:
    """How far the broker's clock is from ours, known to half the time that the append took."""
    error_s = (ended_s - started_s) / 2
    skew_s = broker_s - (started_s + ended_s) / 2
    told = (
        f"the broker's clock is {abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} ours (± {error_s:.1f} s)"
    )
    if abs(skew_s) - error_s > SKEW_REFUSED_S:
        return fail("clock", told, "set both by NTP: arrival times decide what is late and what is silent")
    if abs(skew_s) - error_s > SKEW_WARNED_S:
        return warn("clock", told, "set both by NTP: ages and notification times are off by as much")
    return ok("clock", f"ours and the broker's agree within {abs(skew_s) + error_s:.1f} s")


def _refused(error: KafkaException, settings: Settings) -> Line:
    reason = error.args[0]
    mend = ""
    if reason.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        mend = f"add the ACL WRITE and DESCRIBE on transactional ids that begin with {settings.topic_prefix}"
    return fail("transactions", f"a transaction could not be opened: {reason.str()}", mend)


def existing_topics(settings: Settings) -> TopicsReport | None:
    """What exists, or None where that cannot be told."""
    try:
        return check_topics(settings)
    except (MissingBroker, BrokerUnreachable, NotAllowed, WrongPartitions):
        return None
