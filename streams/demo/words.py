"""What the demo says at its beginning and at its end."""

from rich.markup import escape

from simulation.faults import Fault
from streams.admin import name_of
from streams.demo.result import Result, expected_of
from streams.settings import Settings
from streams.topics import Topic

PICTURE = """\
  shop-db ─► raw_orders ────► orders ────┐
  crm ─────► raw_customers ─► customers ─┴─► enriched_orders ─► fraud_features
                                                                      │
                          chargebacks, late ─────► fraud (model) ◄────┘"""


def introduction(fault: Fault, seed: int) -> str:
    """What is about to be shown."""
    return (
        f"[bold]headwater demo[/]: a simulated web shop scores its orders for fraud (seed {seed})\n\n{PICTURE}\n\n"
        f"After a healthy while it is broken on purpose: [bold]{escape(fault.name)}[/].\n"
    )


def closing(result: Result, fault: Fault) -> str:
    """What was broken against what was said."""
    said = result.said.words() if result.said else "nothing yet"
    after = "" if result.seconds_to_alert is None else f", {result.seconds_to_alert:.1f} s after the first broken event"
    mark = "[bold green]right[/]" if result.right else "[bold red]wrong[/]"
    return (
        f"\n[bold]broken on purpose:[/] {escape(fault.sentence)}\n"
        f"                   {escape(expected_of(fault).words())}\n"
        f"[bold]Headwater said:[/]    {escape(said)}   ({mark}{after})\n"
    )


OWN_DATA = """\
[bold]Your own data[/]
  headwater worker --embedded                        a worker with a Kafka of its own, or
  headwater worker --bootstrap your-kafka:9092       on yours
  headwater send predictions scored.csv --pipeline shop --model fraud --bootstrap …
  headwater alerts --follow --bootstrap …            what people are told
Any Kafka client in any language will do: the schemas are schemas/*.avsc, plain JSON is accepted too.
"""


def connections(settings: Settings, metrics_url: str) -> str:
    """Where everything is while it is kept running."""
    bootstrap = settings.bootstrap
    redis = "" if settings.redis_url is None else f"  Redis     {settings.redis_url.get_secret_value()}\n"
    return (
        "[bold]Everything keeps running until Ctrl-C[/]\n"
        f"  Kafka     {bootstrap}\n"
        f"{redis}"
        f"  metrics   {metrics_url}\n"
        f"  commands  export HEADWATER_BOOTSTRAP={bootstrap} HEADWATER_PARTITIONS={settings.partitions}\n"
        f"  alerts    kcat -b {bootstrap} -t {name_of(Topic.ALERTS, settings)} -C -e\n"
        f'  produce   echo \'{{"pipeline": "mine", "dataset": "orders", "produced_at": 1767225600000000, '
        f'"rows": 2}}\' | kcat -b {bootstrap} -t {name_of(Topic.DATA_BATCHES, settings)} -P -k mine/orders\n'
    )
