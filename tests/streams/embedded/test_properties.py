"""What an embedded broker is told."""

from streams.embedded.properties import broker_properties, log_properties


def settings(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_broker_listens_on_loopback_only() -> None:
    told = settings(broker_properties(port=20001, controller_port=20002))
    assert told["listeners"] == "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002"
    assert told["advertised.listeners"] == "PLAINTEXT://127.0.0.1:20001"
    assert told["controller.quorum.voters"] == "1@127.0.0.1:20002"


def test_a_misspelt_topic_is_not_created() -> None:
    assert settings(broker_properties(port=1, controller_port=2))["auto.create.topics.enable"] == "false"


def test_one_node_is_enough_for_every_internal_topic() -> None:
    told = settings(broker_properties(port=1, controller_port=2))
    copies = {value for name, value in told.items() if name.endswith(("replication.factor", "min.isr"))}
    assert copies == {"1"}
    assert {value for name, value in told.items() if name.endswith("num.partitions")} == {"4"}


def test_what_a_caller_asks_for_stands_above_ours() -> None:
    told = settings(broker_properties(port=1, controller_port=2, overrides={"message.max.bytes": "99"}))
    assert told["message.max.bytes"] == "99"


def test_a_value_cannot_smuggle_in_another_property() -> None:
    text = broker_properties(port=1, controller_port=2, overrides={"log.dir": "a\nnode.id=7\\"})
    assert "log.dir=a\\nnode.id=7\\\\\n" in text


def test_the_log_is_bounded() -> None:
    assert "size.size = 10MB" in log_properties()
    assert "strategy.max = 2" in log_properties()
