"""The settings: what they are, and what looks like one but is none."""

from collections.abc import Mapping
from difflib import get_close_matches

from streams.doctor.line import Line, ok, warn
from streams.settings import Settings

PREFIX = "HEADWATER_"


def check_settings(settings: Settings, environment: Mapping[str, str]) -> list[Line]:
    """The settings that decide where everything lies, and variables that no setting reads."""
    where = f"topics {settings.topic_prefix}*, {settings.partitions} partitions, environment {settings.environment}"
    lines = [ok("settings", where)]
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            close = get_close_matches(name.upper(), known, n=1)
            mend = f"did you mean {close[0]}?" if close else f"remove it, or see {PREFIX}* in the README"
            lines.append(warn("settings", f"{name} is no setting and changes nothing", mend))
    return lines
