"""The four agents by name; each is loaded only where it runs."""

from importlib import import_module
from typing import TYPE_CHECKING

from streams.settings import Settings

if TYPE_CHECKING:  # an agent is loaded only where it runs
    from streams.agent import Role
    from streams.metrics import Metrics

DETECT, DIAGNOSE, INDEX, NOTIFY = ALL = "detect", "diagnose", "index", "notify"


def names(settings: Settings) -> tuple[str, ...]:
    """The agents that the settings give something to do."""
    index = (INDEX,) if settings.redis_url else ()
    notify = (NOTIFY,) if settings.alertmanager_url else ()
    return (DETECT, DIAGNOSE, *index, *notify)


def role(name: str, settings: Settings, metrics: "Metrics") -> "Role":
    """The agent called ``name``.

    Raises:
        ValueError: there is no such agent.
    """
    if name not in ALL:
        raise ValueError(f"no agent is called {name!r}: there are {', '.join(ALL)}")
    made: Role = import_module(f"streams.{name}.role").role(settings, metrics)
    return made
