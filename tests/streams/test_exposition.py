"""The pages that every process serves."""

import pytest
from prometheus_client import CollectorRegistry

from streams.exposition import CannotListen, Server


def test_a_port_that_is_taken_is_told_with_what_to_do():
    first = Server("127.0.0.1", 0, CollectorRegistry(), {})
    try:
        with pytest.raises(CannotListen, match="HEADWATER_METRICS_PORT"):
            Server("127.0.0.1", first.port, CollectorRegistry(), {})
    finally:
        first.close()
