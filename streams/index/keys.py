"""Where things lie in Redis: one compact multimap from texts to records of the log, and a few named keys.

The multimap is what makes ten million predictions affordable. A text is hashed; four bytes of the hash choose a bucket
of the day the record was stored, six bytes and the record's place are the member of a sorted set whose scores are all
zero, so that one ``ZRANGEBYLEX`` finds every record of a text. Buckets are kept below the 128 entries up to which Redis
packs a sorted set into one block: about 25 bytes an entry, against 150 for a key of its own. A day's buckets come in
generations, each four times the last, so that quiet days waste nothing and busy ones stay packed. Whole days expire.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

Micros: TypeAlias = int

DAY_MICROS = 86_400_000_000
VERSION = "1"

_FIRST_BUCKETS = 16
_GROWTH = 4
_PER_BUCKET = 90
_PLACE_BYTES = 8
_FIELD_BYTES = 6
_NODES_PER_BUCKET = 64


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The place of a record in the ``observations`` topic: what everything in the index points to."""

    partition: int
    offset: int

    def packed(self) -> bytes:
        """Two bytes of partition and six of offset, big-endian."""
        return self.partition.to_bytes(2, "big") + self.offset.to_bytes(6, "big")

    @staticmethod
    def unpacked(packed: bytes) -> "Ref":
        """The reverse of ``packed``."""
        return Ref(int.from_bytes(packed[:2], "big"), int.from_bytes(packed[2:8], "big"))


@dataclass(frozen=True, slots=True)
class Keys:
    """Every key begins with ``space``, made of the topic prefix: two installations can share a Redis."""

    prefix: str

    @property
    def space(self) -> str:
        """What all keys begin with."""
        return f"{self.prefix}index:"

    @property
    def version(self) -> str:
        """Which layout the index has."""
        return f"{self.space}version"

    def position(self, topic: str, partition: int) -> str:
        """The next offset to read."""
        return f"{self.space}position/{topic}/{partition}"

    @property
    def days(self) -> str:
        """A hash: day -> entries of the multimap stored that day."""
        return f"{self.space}days"

    def bucket(self, day: int, generation: int, text: str) -> str:
        """The bucket of the multimap where ``text`` belongs, on a day, in a generation."""
        number = int.from_bytes(_digest(text)[_FIELD_BYTES:], "big") % (_FIRST_BUCKETS * _GROWTH**generation)
        return f"{self.space}l/{day}/{generation}/{number:x}"

    def nodes(self, ref: Ref) -> tuple[str, str]:
        """The hash and field that hold a batch or window."""
        return f"{self.space}n/{ref.partition}/{ref.offset // _NODES_PER_BUCKET:x}", str(ref.offset % _NODES_PER_BUCKET)

    def predictions(self, ref: Ref) -> str:
        """The prediction events of a window."""
        return f"{self.space}w/{ref.partition}/{ref.offset:x}"

    @property
    def loose(self) -> str:
        """A set of the datasets that children name without batch id or partition: to know where to search for more."""
        return f"{self.space}loose"

    def dataset(self, subject: str, day: int) -> str:
        """A sorted set: the batches of a dataset made on a day of event time, by event time."""
        return f"{self.space}d/{subject}/{day}"

    def alert(self, alert_id: str) -> str:
        """The latest revision of an alert."""
        return f"{self.space}alert/{alert_id}"

    def alerts(self, pipeline: str | None) -> str:
        """A sorted set of alert ids by when their latest revision was stored: of all pipelines or of one."""
        return f"{self.space}alerts" if pipeline is None else f"{self.space}alerts/{pipeline}"


def day_of(at: Micros) -> int:
    """Days since 1970."""
    return at // DAY_MICROS


def member(text: str, ref: Ref) -> bytes:
    """What the multimap stores for one text and record."""
    return _digest(text)[:_FIELD_BYTES] + ref.packed()


def lex_range(text: str) -> tuple[bytes, bytes]:
    """The bounds between which all members of a text lie."""
    field = _digest(text)[:_FIELD_BYTES]
    return b"[" + field, b"[" + field + b"\xff" * (_PLACE_BYTES + 1)


def ref_of(found: bytes) -> Ref:
    """The record a member points to."""
    return Ref.unpacked(found[_FIELD_BYTES:])


def generation_of(stored: int) -> int:
    """The generation that a day's next entry goes to, when ``stored`` entries are there already."""
    generation, capacity = 0, _FIRST_BUCKETS * _PER_BUCKET
    while stored >= capacity:
        generation += 1
        capacity += _FIRST_BUCKETS * _PER_BUCKET * _GROWTH**generation
    return generation


def generations(stored: int) -> Iterator[int]:
    """The generations in which entries of a day may lie."""
    yield from range(generation_of(max(0, stored - 1)) + 1)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_FIELD_BYTES + 4).digest()
