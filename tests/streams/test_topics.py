import pytest

from streams.topics import KEPT, Topic, key_of, murmur2, partition_of


# Kafka's own vectors: clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java
@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed % 2**32


def test_a_partition_is_never_negative() -> None:
    assert all(0 <= partition_of(key_of("p", str(n)), 12) < 12 for n in range(1000))


def test_every_topic_says_how_it_is_kept_and_only_what_is_ours_alone_is_compacted() -> None:
    assert set(KEPT) == set(Topic)
    assert [topic for topic, keeping in KEPT.items() if keeping.compacted] == [Topic.STATE, Topic.BUDGET]
