"""The latest events of each topic: are keys placed as ours, can all be read, are their clocks right."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas import MalformedEvent
from schemas.codec import Codec
from schemas.events import Change, DataBatch, Outcome, Prediction
from streams.admin import name_of
from streams.clients import consumer
from streams.doctor.line import Line, fail, ok, warn
from streams.settings import Settings
from streams.topics import EVENT_TOPICS, Topic, partition_of

SAMPLED = {Topic.DATA_BATCHES: 24, Topic.PREDICTIONS: 200, Topic.OUTCOMES: 200, Topic.CHANGES: 50}
FUTURE_MICROS = 300_000_000
READ_TIMEOUT_S = 10.0
_KINDS: Mapping[Topic, tuple[str, type[Any], str]] = {
    Topic.DATA_BATCHES: ("data_batch", DataBatch, "produced_at"),
    Topic.PREDICTIONS: ("prediction", Prediction, "scored_at"),
    Topic.OUTCOMES: ("outcome", Outcome, "observed_at"),
    Topic.CHANGES: ("change", Change, "at"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One event as it lies in its topic; ``stored_at`` in microseconds."""

    partition: int
    key: bytes | None
    value: bytes | None
    stored_at: int


def check_events(settings: Settings) -> list[Line]:
    """What the latest events of every topic say about their producers."""
    lines: list[Line] = []
    for topic in EVENT_TOPICS:
        try:
            sample = list(_latest(settings, name_of(topic, settings), SAMPLED[topic]))
        except KafkaException as error:
            lines.append(fail("events", f"{topic} cannot be read: {error.args[0].str()}", ""))
            continue
        lines += judge(topic, sample, settings)
    return [*lines, *_dead_letters(settings)]


def judge(topic: Topic, sample: Sequence[Sampled], settings: Settings) -> list[Line]:
    """What a sample of one topic says: placing of keys, readability, clocks."""
    if not sample:
        return [ok("events", f"{topic}: none yet")]
    trouble = [*_placing(topic, sample, settings.partitions), *_contents(topic, sample, settings)]
    return trouble or [ok("events", f"{topic}: the latest {len(sample)} are readable and well placed")]


def _placing(topic: Topic, sample: Sequence[Sampled], partitions: int) -> Iterator[Line]:
    keyless = sum(event.key is None for event in sample)
    keyed = [event for event in sample if event.key is not None]
    elsewhere = sum(event.partition != partition_of(event.key or b"", partitions) for event in keyed)
    if elsewhere:
        text = f"{topic}: {elsewhere} of {len(keyed)} keys lie in another partition than Java's murmur2 gives them"
        yield warn(
            "partitioner",
            f"{text}; they are moved through the inbox",
            "set `partitioner=murmur2_random` in producers on librdkafka (confluent-kafka, kcat -X, rdkafka-…)",
        )
    if keyless:
        key = "pipeline/dataset" if topic is Topic.DATA_BATCHES else "pipeline/model"
        text = f"{topic}: {keyless} of {len(sample)} events have no key; they are moved through the inbox"
        yield warn("keys", text, f"set the key `{key}`")


def _contents(topic: Topic, sample: Sequence[Sampled], settings: Settings) -> Iterator[Line]:
    name, kind, at = _KINDS[topic]
    codec = Codec(name, kind, max_event_bytes=settings.max_event_bytes)
    reasons: Counter[str] = Counter()
    ahead: list[int] = []
    for event in sample:
        if (event.value or b"").startswith(b"\x00"):
            continue  # the Confluent wire format: the registry knows its schema, we do not ask for it here
        try:
            happened = getattr(codec.decode(event.value), at)
        except MalformedEvent as error:
            reasons[str(error)] += 1
            continue
        if happened - event.stored_at > FUTURE_MICROS:
            ahead.append(happened - event.stored_at)
    if reasons:
        worst, _ = reasons.most_common(1)[0]
        text = f"{topic}: {sum(reasons.values())} of {len(sample)} cannot be read, for example: {worst[:200]}"
        yield warn("events", text, "they go to dead-letters with the reason; compare with schemas/*.avsc")
    if ahead:
        text = f"{topic}: {len(ahead)} of {len(sample)} are from the future, up to {max(ahead) / 1e6:,.0f} s"
        yield warn("clock", text, f"set the producer's clock by NTP, or its unit: `{at}` is in microseconds")


def _dead_letters(settings: Settings) -> Iterator[Line]:
    name = name_of(Topic.DEAD_LETTERS, settings)
    try:
        dead = sum(high - low for _, low, high in _ends(settings, name))
    except KafkaException as error:
        yield fail("events", f"{name} cannot be read: {error.args[0].str()}", "")
        return
    if dead:
        mend = f"kcat -b {settings.bootstrap} -t {name} -o -5 -e -f '%h\\n' shows the latest reasons"
        yield warn("dead-letters", f"{dead:,} kept", mend)
    else:
        yield ok("dead-letters", "none")


def _reader(settings: Settings) -> Consumer:
    return consumer(settings, "headwater-doctor", **{"enable.partition.eof": True, "log_level": 0})


def _ends(settings: Settings, topic: str) -> Iterable[tuple[int, int, int]]:
    reader = _reader(settings)
    try:
        known = reader.list_topics(topic, timeout=READ_TIMEOUT_S).topics[topic].partitions
        for partition in known:
            low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=READ_TIMEOUT_S)
            yield partition, low, high
    finally:
        reader.close()


def _latest(settings: Settings, topic: str, most: int) -> Iterator[Sampled]:
    """The last events of a topic, as many of each partition."""
    filled = [(partition, low, high) for partition, low, high in _ends(settings, topic) if high > low]
    if not filled:
        return
    each = -(-most // len(filled))
    reader = _reader(settings)
    try:
        reader.assign([TopicPartition(topic, partition, max(low, high - each)) for partition, low, high in filled])
        unfinished = {partition for partition, _, _ in filled}
        deadline = time.monotonic() + READ_TIMEOUT_S
        while unfinished and time.monotonic() < deadline:
            for message in reader.consume(100, 0.2):
                error = message.error()
                if error is None:
                    stored_at = message.timestamp()[1] * 1000
                    partition = message.partition() or 0
                    yield Sampled(partition=partition, key=message.key(), value=message.value(), stored_at=stored_at)
                elif error.code() == KafkaError._PARTITION_EOF:
                    unfinished.discard(message.partition() or 0)
                elif not error.retriable():
                    raise KafkaException(error)
    finally:
        reader.close()
