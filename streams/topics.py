"""The topics: their names, who owns them, what is kept, and which partition a key belongs to."""

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 86_400_000
LARGEST_RECORD_BYTES = 16 * 1024 * 1024


class Topic(StrEnum):
    """Every topic by its name without the prefix."""

    DATA_BATCHES = "data-batches"
    PREDICTIONS = "predictions"
    OUTCOMES = "outcomes"
    CHANGES = "changes"
    OBSERVATIONS = "observations"
    ALERTS = "alerts"
    DEAD_LETTERS = "dead-letters"
    INBOX = "inbox"
    JOURNAL = "journal"
    STATE = "state"
    BUDGET = "budget"


EVENT_TOPICS = (Topic.DATA_BATCHES, Topic.PREDICTIONS, Topic.OUTCOMES, Topic.CHANGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long a topic keeps its records: ``days`` None means for ever (trimmed by us, or compacted)."""

    days: int | None
    compacted: bool = False
    arrival_time: bool = True

    def config(self) -> dict[str, str]:
        """The topic's configuration as Kafka spells it."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.days * DAY_MS) if self.days is not None else "-1",
            "retention.bytes": "-1",
            "message.timestamp.type": "LogAppendTime" if self.arrival_time else "CreateTime",
            "max.message.bytes": str(LARGEST_RECORD_BYTES),
        }


KEPT: dict[Topic, Keeping] = {
    Topic.DATA_BATCHES: Keeping(days=7),
    Topic.PREDICTIONS: Keeping(days=7),
    Topic.OUTCOMES: Keeping(days=7),
    Topic.CHANGES: Keeping(days=90),
    Topic.OBSERVATIONS: Keeping(days=30),
    Topic.ALERTS: Keeping(days=90),
    Topic.DEAD_LETTERS: Keeping(days=14),
    Topic.INBOX: Keeping(days=7),
    Topic.JOURNAL: Keeping(days=None),
    Topic.STATE: Keeping(days=None, compacted=True),
    Topic.BUDGET: Keeping(days=None, compacted=True),
}


def key_of(pipeline: str, name: str) -> bytes:
    """The key of an event: ``pipeline/dataset``, ``pipeline/model`` or ``pipeline/component``."""
    return f"{pipeline}/{name}".encode()


def partition_of(key: bytes, partitions: int) -> int:
    """Where a key belongs: Kafka's Java partitioner, ``toPositive(murmur2(key)) % partitions``."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Unsigned 32-bit murmur2 with Kafka's seed (org.apache.kafka.common.utils.Utils.murmur2)."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    hashed = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * multiplier & mask
        word = (word ^ (word >> 24)) * multiplier & mask
        hashed = hashed * multiplier & mask ^ word
    if rest := data[whole:]:
        hashed = (hashed ^ int.from_bytes(rest, "little")) * multiplier & mask
    hashed = (hashed ^ (hashed >> 13)) * multiplier & mask
    return hashed ^ (hashed >> 15)
