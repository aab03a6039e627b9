"""What was observed of the column an alert blames: read from the observations log, beside the batch it came from."""

from confluent_kafka import KafkaException, TopicPartition

from detectors.judgement import ColumnProfile
from diagnosis.alert import Alert, Hop
from diagnosis.observation import Observation
from diagnosis.provenance import Origin
from schemas import MalformedEvent
from schemas.codec import Codec
from streams.admin import Broker, name_of
from streams.clients import consumer
from streams.kafka.log import EndNotReached, read_partition
from streams.mendable import Mendable
from streams.settings import Settings
from streams.topics import Topic, partition_of

GROUP = "headwater-observed"
TIMEOUT_S = 10.0
MOST = 20_000  # observations looked through: they are written soon after the event they are about


def profile_at_cause(alert: Alert, settings: Settings) -> ColumnProfile | None:
    """The profile of the alert's column in the first bad batch of its cause; None where Kafka no longer has it."""
    cause = alert.cause
    hop = next((hop for hop in alert.path if hop.dataset == cause.component and hop.offset is not None), None)
    if settings.bootstrap is None or cause.column is None or hop is None:
        return None
    try:
        seen = _observation(hop, settings)
    except (KafkaException, EndNotReached, Mendable):  # an alert is explained without it too
        return None
    return next((one for one in seen.profiles if one.name == cause.column), None) if seen else None


def _observation(hop: Hop, settings: Settings) -> Observation | None:
    """What was observed of the batch of ``hop``; the log is looked through from the time its event was stored."""
    stored_ms = _stored_ms(hop, settings)
    with Broker(settings) as broker:
        partitions = broker.partition_counts([Topic.OBSERVATIONS]).get(Topic.OBSERVATIONS)
    if stored_ms is None or partitions is None:
        return None
    topic, home = name_of(Topic.OBSERVATIONS, settings), partition_of(hop.pipeline.encode(), partitions)
    reader = consumer(settings, GROUP)
    try:
        (start,) = reader.offsets_for_times([TopicPartition(topic, home, stored_ms)], timeout=TIMEOUT_S)
    finally:
        reader.close()
    codec = Codec("observation", Observation)
    origin = Origin(topic=str(hop.topic), partition=int(hop.partition or 0), offset=int(hop.offset or 0))
    for n, message in enumerate(read_partition(settings, topic, home, max(0, start.offset))):
        try:
            seen = codec.decode(message.value())
        except MalformedEvent:
            continue
        if seen.origin == origin and seen.name == hop.dataset:
            return seen
        if n >= MOST:
            break
    return None


def _stored_ms(hop: Hop, settings: Settings) -> int | None:
    """When Kafka stored the event of ``hop``; None if it is gone."""
    name = settings.topic_prefix + str(hop.topic).removeprefix(settings.topic_prefix)
    for message in read_partition(settings, name, int(hop.partition or 0), int(hop.offset or 0)):
        return int(message.timestamp()[1]) if message.offset() == hop.offset else None
    return None
