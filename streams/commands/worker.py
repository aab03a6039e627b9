"""``headwater worker``: the agents, under one supervisor."""

import logging
from contextlib import ExitStack
from typing import Annotated

import typer
from pydantic import SecretStr

from streams import roles
from streams.admin import create_topics
from streams.scratch import scratch
from streams.settings import Settings
from streams.supervisor import Supervisor

EPILOG = """Examples:

`headwater worker --bootstrap kafka:9092` runs all agents against your broker

`headwater worker --only detect` runs one agent, on a machine of its own

`headwater worker --embedded` brings its own Kafka and Valkey, on loopback

A broker that does not answer yet is waited for; `/readyz` is not ready meanwhile.

Exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 the command or a setting is wrong, or Kafka refuses us.
"""


def worker(
    bootstrap: Annotated[str | None, typer.Option(help="Kafka brokers, host:port,…; else HEADWATER_BOOTSTRAP")] = None,
    only: Annotated[str | None, typer.Option(help="run one agent: detect, diagnose, index or notify")] = None,
    embedded: Annotated[bool, typer.Option("--embedded", help="bring a Kafka and a Valkey of our own")] = False,
    metrics_port: Annotated[int | None, typer.Option(help="where /metrics listens; 0 takes any free port")] = None,
) -> None:
    """Run Headwater: read events, detect, diagnose, publish alerts."""
    given = {"bootstrap": bootstrap, "metrics_port": metrics_port}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    logging.basicConfig(level=settings.log_level, format="%(asctime)s worker   %(levelname)s %(message)s")
    with ExitStack() as stack:
        if embedded:
            settings = _with_servers(settings, stack)
        chosen = _chosen(only, settings)
        typer.echo(f"agents: {', '.join(chosen)} on {settings.bootstrap}, {settings.partitions} partitions")
        Supervisor(settings, chosen, prepare=lambda: create_topics(settings)).run()


def _with_servers(settings: Settings, stack: ExitStack) -> Settings:
    from streams.embedded import start  # only here: the extra may not be installed

    folder = settings.data_dir or stack.enter_context(scratch("data"))
    servers = stack.enter_context(start(folder))
    typer.echo(f"kafka: {servers.bootstrap}\nredis: {servers.redis_url}")
    return settings.model_copy(update={"bootstrap": servers.bootstrap, "redis_url": SecretStr(servers.redis_url)})


def _chosen(only: str | None, settings: Settings) -> tuple[str, ...]:
    possible = roles.names(settings)
    if only is None:
        return possible
    if only not in possible:
        reasons = {roles.INDEX: "HEADWATER_REDIS_URL", roles.NOTIFY: "HEADWATER_ALERTMANAGER_URL"}
        hint = f"set {reasons[only]}" if only in reasons else f"there are {', '.join(roles.ALL)}"
        raise typer.BadParameter(f"cannot run {only!r}: {hint}", param_hint="--only")
    return (only,)
