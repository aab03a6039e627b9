"""Where things lie in Redis: one compact multimap from texts to records of the log, and a few named keys.

The multimap is what makes ten million predictions affordable. A text is hashed; four bytes of the hash choose a bucket
of the shelf for what is stored these days, six bytes and the record's place are the member of a sorted set whose scores
are all zero, so that one ``ZRANGEBYLEX`` finds every record of a text. Buckets are kept below the 128 entries up to
which Redis packs a sorted set into one block: about 25 bytes an entry, against 150 for a key of its own.

A shelf takes what is stored in a span of days, a tenth of the retention, and expires as a whole. It has as many buckets
as what the span before held asks for; when it is full, a shelf of four times as many stands beside it. So a text is
looked for on a dozen shelves, quiet days waste nothing and busy ones stay packed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

Micros: TypeAlias = int

DAY_MICROS = 86_400_000_000
VERSION = "2"

_FIRST_BUCKETS = 16
_GROWTH_BITS = 2
_PER_BUCKET = 90
_SPANS = 10
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


@dataclass(frozen=True, slots=True, order=True)
class Shelf:
    """The buckets for what is stored in a span of days from ``first_day`` on (since 1970)."""

    first_day: int
    generation: int

    @property
    def name(self) -> str:
        """How it is listed, and what its buckets' keys begin with."""
        return f"{self.first_day}/{self.generation}"

    @staticmethod
    def named(name: str) -> "Shelf":
        """The reverse of ``name``."""
        return Shelf(*map(int, name.split("/")))

    @property
    def buckets(self) -> int:
        """How many there are."""
        return _FIRST_BUCKETS << _GROWTH_BITS * self.generation

    @property
    def capacity(self) -> int:
        """How many entries leave its buckets packed."""
        return self.buckets * _PER_BUCKET


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
    def shelves(self) -> str:
        """A hash: shelf of the multimap -> entries on it."""
        return f"{self.space}shelves"

    def shelf(self, shelf: Shelf) -> str:
        """What the keys of a shelf's buckets begin with; their number follows, in hexadecimal digits."""
        return f"{self.space}l/{shelf.name}/"

    def bucket(self, shelf: Shelf, text: str) -> str:
        """The bucket of a shelf where ``text`` belongs."""
        return f"{self.shelf(shelf)}{place_of(text)[1] % shelf.buckets:x}"

    def nodes(self, ref: Ref) -> tuple[str, str]:
        """The hash and field that hold a batch or window."""
        return f"{self.space}n/{ref.partition}/{ref.offset // _NODES_PER_BUCKET:x}", str(ref.offset % _NODES_PER_BUCKET)

    def predictions(self, ref: Ref) -> str:
        """The prediction events of a window."""
        return f"{self.space}w/{ref.partition}/{ref.offset:x}"

    @property
    def loose(self) -> str:
        """A sorted set: the datasets that children name without batch id or partition, by the longest window named."""
        return f"{self.space}loose"

    def readers(self, subject: str, day: int) -> str:
        """A sorted set: what names only the dataset, by when it was made; ``day`` of event time."""
        return f"{self.space}r/{subject}/{day}"

    def spans(self, subject: str, day: int) -> str:
        """A sorted set: what names a window of the dataset, by the window's start; ``day`` of event time."""
        return f"{self.space}s/{subject}/{day}"

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


def place_of(text: str) -> tuple[bytes, int]:
    """Where ``text`` lies: what its members begin with, and a number that chooses a bucket, modulo their number."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_FIELD_BYTES + 4).digest()
    return digest[:_FIELD_BYTES], int.from_bytes(digest[_FIELD_BYTES:], "big")


def member(text: str, ref: Ref) -> bytes:
    """What the multimap stores for one text and record."""
    return place_of(text)[0] + ref.packed()


def ref_of(found: bytes) -> Ref:
    """The record a member points to."""
    return Ref.unpacked(found[_FIELD_BYTES:])


def span_of(retention_days: float) -> int:
    """The days that share shelves: whatever is on them outlives the retention by a tenth at most, or by a day."""
    return max(1, int(retention_days / _SPANS))


def shelf_for(day: int, stored: Mapping[Shelf, int], span_days: int) -> Shelf:
    """The shelf for the next entry of a day, when ``stored`` says how many entries each shelf holds."""
    first = day - day % span_days
    open_now = [shelf for shelf in stored if shelf.first_day == first]
    if open_now:
        newest = max(open_now)
        return newest if stored[newest] < newest.capacity else Shelf(first, newest.generation + 1)
    before = max((shelf.first_day for shelf in stored if shelf.first_day < first), default=None)
    expected = sum(entries for shelf, entries in stored.items() if shelf.first_day == before)
    shelf = Shelf(first, 0)
    while shelf.capacity < expected:
        shelf = Shelf(first, shelf.generation + 1)
    return shelf
