import numpy as np
import pytest

from detectors.batch import BatchInput, CategoryColumn, NumberColumn
from detectors.dataset import Policy, fold, start, summarise

MINUTE = 60_000_000
POLICY = Policy(monitored=100)


class Feed:
    """Batches of two columns, one a minute, with changes by name."""

    def __init__(self):
        self.rng = np.random.default_rng(0)
        self.state = start("shop/orders")
        self.n = 0
        self.last = None

    def columns(self, rows=600):
        return {name: NumberColumn(values=self.rng.normal(size=rows)) for name in ("a", "b")}

    def feed(self, columns=None, **changes):
        columns = self.columns() if columns is None else columns
        given = {"batch_id": f"b{self.n}", "at": self.n * MINUTE, "arrived_at": self.n * MINUTE, "rows": 600} | changes
        batch = BatchInput(subject="shop/orders", columns=columns, **given)
        self.n += 1
        self.state, self.last = fold(self.state, summarise(self.state, batch), POLICY)
        return {(f.statistic, f.column) for f in self.last.findings}


@pytest.fixture
def feed():
    feed = Feed()
    for _ in range(25):
        assert feed.feed() == set()
    return feed


def test_a_column_that_is_gone_is_told_for_as_long_as_it_is(feed):
    for _ in range(3):
        columns = feed.columns()
        del columns["b"]
        assert feed.feed(columns) == {("column_removed", "b")}
    assert len({f.alarm_batch_id for f in feed.last.findings}) == 1

    assert feed.feed() == set()


def test_a_new_column_is_told_once(feed):
    for told in ({("column_added", "c")}, set(), set()):
        assert feed.feed(feed.columns() | {"c": NumberColumn(values=feed.rng.normal(size=600))}) == told


def test_a_column_of_another_type_is_told_and_its_statistics_are_not(feed):
    texts = CategoryColumn(dictionary=("1", "2"), codes=feed.rng.integers(0, 2, 600).astype(np.int32))
    for _ in range(5):
        assert feed.feed(feed.columns() | {"b": texts}) == {("column_retyped", "b")}

    assert feed.feed() == set()


def test_a_declared_type_that_changes_is_told():
    feed = Feed()
    for n in range(6):
        columns = feed.columns() | {
            "b": NumberColumn(values=feed.rng.normal(size=600), type="int" if n < 5 else "float")
        }
        assert feed.feed(columns) == ({("column_retyped", "b")} if n == 5 else set())


def test_a_batch_that_is_delivered_twice_counts_once(feed):
    columns = feed.columns()
    feed.feed(columns, batch_id="same", at=25 * MINUTE)
    state = feed.state
    assert feed.feed(columns, batch_id="same", at=25 * MINUTE) == set()

    assert feed.state is state


def test_a_later_attempt_that_makes_the_same_batch_again_is_no_duplicate_but_other_content_is(feed):
    columns = feed.columns()
    feed.feed(columns, batch_id="same")
    assert feed.feed(columns, batch_id="same", attempt=2) == set()
    assert feed.feed(batch_id="same", attempt=2) == {("duplicate_batch", None)}


def test_a_batch_that_was_produced_twice_is_told_and_counts_once(feed):
    columns = feed.columns()
    feed.feed(columns, batch_id="same")
    steps = feed.state.steps
    assert feed.feed(columns, batch_id="same") == {("duplicate_batch", None)}

    assert feed.state.steps == steps


def test_a_batch_id_with_other_content_is_told_unless_it_is_a_re_run(feed):
    feed.feed(batch_id="same")
    assert feed.feed(batch_id="same") == {("duplicate_batch", None)}
    assert feed.feed(batch_id="same", replaces="same") == set()


def test_rows_that_differ_from_the_columns_are_told(feed):
    assert feed.feed(rows=700) == {("row_count_mismatch", None)}
    short = feed.columns() | {"b": NumberColumn(values=np.zeros(599))}
    assert ("row_count_mismatch", "b") in feed.feed(short)


def test_an_empty_batch_is_told_and_leaves_no_trace(feed):
    assert feed.feed({name: NumberColumn(values=np.empty(0)) for name in "ab"}, rows=0) == {("empty_batch", None)}
    assert feed.feed() == set()


def test_infinite_values_are_told_where_none_were(feed):
    columns = feed.columns()
    columns["a"].values[3] = np.inf
    assert feed.feed(columns) == {("non_finite", "a")}
    assert feed.feed() == set()


def test_infinite_values_that_were_always_there_are_the_custom():
    feed = Feed()
    for _ in range(40):
        columns = feed.columns()
        columns["a"].values[:3] = -np.inf
        assert feed.feed(columns) == set()


def test_a_batch_older_than_its_predecessor_is_told(feed):
    assert feed.feed(at=(feed.n - 3) * MINUTE) == {("out_of_order", None)}
    assert not feed.last.late


def test_a_batch_from_long_ago_is_late_and_changes_no_statistic(feed):
    live = feed.state.live
    feed.feed({name: NumberColumn(values=np.full(600, 1e6)) for name in "ab"}, at=2 * MINUTE, backfill=True)

    assert feed.last.late
    assert feed.last.findings == ()
    assert feed.state.live is live


def test_a_batch_from_the_future_is_told_and_moves_no_watermark(feed):
    assert ("clock", None) in feed.feed(at=10_000 * MINUTE)
    assert feed.state.watermark == 24 * MINUTE
    assert feed.feed() == set()


def test_windows_that_leave_a_gap_or_overlap_are_told_where_they_used_to_join():
    feed = Feed()

    def window(start, end):
        return {"window_start": start * MINUTE, "window_end": end * MINUTE}

    for n in range(10):
        assert feed.feed(**window(n, n + 1)) == set()
    assert feed.feed(**window(12, 13)) == {("window_gap", None)}
    assert feed.feed(**window(13, 14)) == set()
    assert feed.feed(**window(13, 15)) == {("window_overlap", None)}


def test_windows_that_always_slide_are_the_custom():
    feed = Feed()
    for n in range(20):
        assert feed.feed(window_start=n * MINUTE, window_end=(n + 5) * MINUTE) == set()
