"""Looking things up in the index, many at a time: every method is one or two round trips, whatever it is asked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, cast

import redis

from diagnosis.provenance import PredictionRef
from streams.index.keys import Keys, Micros, Ref, Shelf, day_of, place_of, ref_of
from streams.index.stored import StoredNode, events_from_bytes, node_from_bytes

DAYS_SEARCHED = 32
MAKINGS = 5_000  # records that are looked at where one batch, or one partition of a table, was made again and again
BUCKETS_PER_CALL = 2_000
ALL = -1
FIND = """
local most, answers = tonumber(ARGV[1]), {}
for i = #KEYS + 2, #ARGV, 2 do
  local low, high, number, answer = '[' .. ARGV[i], '[' .. ARGV[i] .. string.rep('\\255', 9), tonumber(ARGV[i + 1]), {0}
  for shelf, begin in ipairs(KEYS) do
    local bucket = begin .. string.format('%x', number % tonumber(ARGV[1 + shelf]))
    local found = redis.call('ZRANGEBYLEX', bucket, low, high, 'LIMIT', 0, most)
    if #found == most then answer[1] = answer[1] + redis.call('ZLEXCOUNT', bucket, low, high) - most end
    for _, member in ipairs(found) do answer[#answer + 1] = member end
  end
  answers[#answers + 1] = answer
end
return answers
"""  # per text how many were left out, then the members; a call looks into two thousand buckets, in a few milliseconds


@dataclass(frozen=True, slots=True)
class Found:
    """Records, those stored first first, and how many more there are than were asked for."""

    refs: tuple[Ref, ...] = ()
    left_out: int = 0


class Lookup:
    """The questions a walk asks. What has expired since it was listed is left out of every answer.

    most: records wanted per question; None for all.
    """

    def __init__(self, client: redis.Redis, keys: Keys, most: int | None) -> None:
        self.most = most
        self._redis = client
        self._keys = keys
        self._shelves: list[Shelf] | None = None
        self._loose: dict[str, Micros] | None = None
        self._nodes: dict[Ref, StoredNode] = {}

    def find(self, texts: Iterable[str], most: int | None) -> dict[str, Found]:
        """The records each text leads to, at most so many of each."""
        asked = list(dict.fromkeys(texts))
        shelves = self._all_shelves()
        if not asked or not shelves:
            return dict.fromkeys(asked, Found())
        pipeline = self._redis.pipeline(transaction=False)
        begins, sizes = [self._keys.shelf(shelf) for shelf in shelves], [shelf.buckets for shelf in shelves]
        per_call = max(1, BUCKETS_PER_CALL // len(shelves))
        for start in range(0, len(asked), per_call):
            places = [part for text in asked[start : start + per_call] for part in place_of(text)]
            pipeline.eval(FIND, len(shelves), *begins, ALL if most is None else most, *sizes, *places)
        answers = zip(asked, chain.from_iterable(pipeline.execute()), strict=True)
        return {text: _found(map(ref_of, members), left_out, most) for text, (left_out, *members) in answers}

    def nodes(self, refs: Iterable[Ref]) -> dict[Ref, StoredNode]:
        """The headers of records; each is asked for once."""
        asked = list(dict.fromkeys(refs))
        unknown = [ref for ref in asked if ref not in self._nodes]
        pipeline = self._redis.pipeline(transaction=False)
        for ref in unknown:
            pipeline.hget(*self._keys.nodes(ref))
        answers = zip(unknown, pipeline.execute(), strict=True)
        self._nodes |= {ref: node_from_bytes(stored) for ref, stored in answers if stored is not None}
        return {ref: self._nodes[ref] for ref in asked if ref in self._nodes}

    def events(self, windows: Iterable[Ref]) -> dict[Ref, tuple[PredictionRef, ...]]:
        """The prediction events of windows."""
        asked = list(dict.fromkeys(windows))
        if not asked:
            return {}
        answers = cast(list[bytes | None], self._redis.mget([self._keys.predictions(ref) for ref in asked]))
        return {
            ref: events_from_bytes(stored) for ref, stored in zip(asked, answers, strict=True) if stored is not None
        }

    def latest(self, asked: Sequence[tuple[str, Micros]]) -> list[Ref | None]:
        """For each (subject, time): its last batch at or before that time, as far as 32 days back."""
        return [found[0] if found else None for found in self._nearest(asked, -1)]

    def next_times(self, asked: Sequence[tuple[str, Micros]]) -> list[Micros | None]:
        """For each (subject, time): when its first batch after that time was made, as far as 32 days ahead."""
        return [found[1] if found else None for found in self._nearest(asked, +1)]

    def made(self, asked: Sequence[tuple[str, Micros, Micros]]) -> list[Found]:
        """For each (subject, from, to): its batches made in that time, both ends included."""
        return self._between(asked, self._keys.dataset)

    def readers(self, asked: Sequence[tuple[str, Micros, Micros]]) -> list[Found]:
        """For each (subject, from, to): what was made in that time, both ends included, and names only the dataset."""
        return self._between(asked, self._keys.readers)

    def spans(self, asked: Sequence[tuple[str, Micros, Micros]]) -> list[Found]:
        """For each (subject, from, to): what names a window of it that begins in that time or reaches into it."""
        longest = self.loose()
        return self._between(
            [(subject, start - longest.get(subject, 0), end) for subject, start, end in asked], self._keys.spans
        )

    def loose(self) -> dict[str, Micros]:
        """The datasets that some child names without batch id or partition, and the longest window so named."""
        if self._loose is None:
            members = cast(list[tuple[bytes, float]], self._redis.zrange(self._keys.loose, 0, -1, withscores=True))
            self._loose = {member.decode(): int(longest) for member, longest in members}
        return self._loose

    def _between(self, asked: Sequence[tuple[str, Micros, Micros]], key: Callable[[str, int], str]) -> list[Found]:
        pipeline = self._redis.pipeline(transaction=False)
        lengths = []
        for subject, start, end in asked:
            days = range(max(day_of(start), day_of(end) - DAYS_SEARCHED), day_of(end) + 1)
            lengths.append(len(days))
            for day in days:
                pipeline.zrangebyscore(
                    key(subject, day), start, end, start=0, num=ALL if self.most is None else self.most
                )
                pipeline.zcount(key(subject, day), start, end)
        answers: Iterator[Any] = iter(pipeline.execute())
        found = []
        for length in lengths:
            members, count = list[bytes](), 0
            for _ in range(length):
                members += next(answers)
                count += next(answers)
            found.append(_found(map(Ref.unpacked, members), count - len(members), self.most))
        return found

    def _nearest(self, asked: Sequence[tuple[str, Micros]], direction: int) -> list[tuple[Ref, Micros] | None]:
        """Most are found on the same day or the next; only for the others the month is searched."""
        near = self._on_days(asked, direction, range(2))
        missed = [i for i, found in enumerate(near) if found is None]
        far = self._on_days([asked[i] for i in missed], direction, range(2, DAYS_SEARCHED))
        for i, found in zip(missed, far, strict=True):
            near[i] = found
        return near

    def _on_days(
        self, asked: Sequence[tuple[str, Micros]], direction: int, steps: range
    ) -> list[tuple[Ref, Micros] | None]:
        pipeline = self._redis.pipeline(transaction=False)
        for subject, at in asked:
            for step in steps:
                key = self._keys.dataset(subject, day_of(at) + direction * step)
                if direction < 0:
                    pipeline.zrevrangebyscore(key, at, "-inf", start=0, num=1, withscores=True)
                else:
                    pipeline.zrangebyscore(key, f"({at}", "+inf", start=0, num=1, withscores=True)
        answers: list[Any] = pipeline.execute()
        rows = [answers[i : i + len(steps)] for i in range(0, len(answers), len(steps))]
        return [next(((Ref.unpacked(day[0][0]), int(day[0][1])) for day in row if day), None) for row in rows]

    def _all_shelves(self) -> list[Shelf]:
        if self._shelves is None:
            listed = cast(Mapping[bytes, bytes], self._redis.hgetall(self._keys.shelves))
            self._shelves = sorted(Shelf.named(name.decode()) for name in listed)
        return self._shelves


def _found(refs: Iterable[Ref], left_out: int, most: int | None) -> Found:
    unlike = tuple(dict.fromkeys(refs))
    return Found(unlike[:most], left_out + (0 if most is None else len(unlike[most:])))
