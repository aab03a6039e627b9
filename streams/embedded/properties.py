"""What the broker is told: its properties, and where it logs."""

from collections.abc import Mapping

from streams.embedded.ports import LOOPBACK

LARGEST_MESSAGE_BYTES = 16 << 20
INTERNAL_PARTITIONS = 4


DATA = "data"
LOG = "broker.log"


def broker_properties(*, port: int, controller_port: int, overrides: Mapping[str, str] | None = None) -> str:
    """The text of ``server.properties`` for one node that is broker and controller, on loopback only.

    Paths are relative to the folder that the broker is started in, whatever its name is made of.
    """
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": DATA,
        # A misspelt topic is an error, and no topic has one partition by accident.
        "auto.create.topics.enable": "false",
        # 1 MB by default; states and summaries of wide tables are larger, and a topic allows no more than its broker.
        "message.max.bytes": str(LARGEST_MESSAGE_BYTES),
        "replica.fetch.max.bytes": str(LARGEST_MESSAGE_BYTES),
        **_internal_topics(),
        # For many consumers that start at different times; ours should work at once.
        "group.initial.rebalance.delay.ms": "0",
        "transaction.max.timeout.ms": "900000",
        # How long a broker that was killed keeps its registration, and so its successor out (9 s by default).
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        # 128 MB by default, taken at the start, to compact far more keys than we have.
        "log.cleaner.dedupe.buffer.size": str(8 << 20),
        **(overrides or {}),
    }
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def _internal_topics() -> dict[str, str]:
    """Made for one node: one copy, few partitions (50 by default, each with its files)."""
    settings = {}
    for topic, minimum in (
        ("offsets.topic", None),
        ("transaction.state.log", "transaction.state.log.min.isr"),
        ("share.coordinator.state.topic", "share.coordinator.state.topic.min.isr"),
    ):
        settings[f"{topic}.replication.factor"] = "1"
        settings[f"{topic}.num.partitions"] = str(INTERNAL_PARTITIONS)
        if minimum is not None:
            settings[minimum] = "1"
    return settings


def log_properties() -> str:
    """The text of ``log4j2.properties``: everything from INFO on into one file, at most 3 of them of 10 MB."""
    return f"""status = warn
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {LOG}
appender.file.filePattern = {LOG}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %p %m (%c{{1}})%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


def _escaped(value: str) -> str:
    """A backslash begins an escape in Java's properties; a line break would begin another property."""
    return value.replace("\\", "\\\\").replace("\n", "\\n")
