"""``headwater replay``: say again what was published, with the code and the settings of today."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from streams.alert_log import AlertLog, Published
from streams.commands.overrides import AsJson, Bootstrap, refuse, settings_with
from streams.commands.since import moment
from streams.ingest.interruption import Interruption
from streams.kafka.log import EndNotReached
from streams.reading.replay import render_replay
from streams.replay.comparing import Compared, Verdict, compare
from streams.replay.replay import Replay, replay_events, replay_observations
from streams.settings import Settings

EPILOG = """Examples:

`headwater replay` folds the observations log again: the same log gives the same alerts, to the last byte

`headwater replay --since 7d` compares only alerts that were told about in the last seven days

`headwater replay --set diagnosis.resolve_batches=10` what a setting of diagnosis would have done

`headwater replay --set detection.false_alarms_per_month=0.1` what a setting of detection would have done: this one
judges the producers' events again, as far back as their topics keep them, from a beginning without baselines

`headwater replay --json | jq 'select(.verdict != "same")'` for scripts

Nothing is published, and nothing is written to Kafka or Redis.

Exit codes: 0 all is the same, 1 something differs, 2 the command is wrong or Kafka cannot be read.
"""
DIFFERENT = 1
DETECTION = (
    "false_alarms_per_month",
    "tolerance",
    "pool_rows",
    "pool_s",
    "window_rows",
    "window_s",
    "pending_bytes",
    "pending_days",
    "second_detector",
)
DIAGNOSIS = ("settle_s", "resolve_batches")
SETTABLE = {f"detection.{name}": name for name in DETECTION} | {f"diagnosis.{name}": name for name in DIAGNOSIS}
TOLD_EVERY = 1_000


def replay(
    since: Annotated[
        str | None, typer.Option(help="compare only what was told about since: 2h, 7d, 2026-01-31T12:00Z")
    ] = None,
    assigned: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=f"of {', '.join(SETTABLE)}")
    ] = None,
    as_json: AsJson = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Replay the log: what would be published today, beside what was."""
    given = dict(map(assignment, assigned or ()))
    from_time = moment(since)
    settings = _with(settings_with(bootstrap=bootstrap), given)
    try:
        with Interruption() as interruption, Console(stderr=True).status("reading …") as status:
            watch = _watched(interruption, status.update)
            before = _published(settings, interruption)
            done = _replayed(settings, given, watch)
            meanwhile = _published(settings, interruption)
    except EndNotReached as error:
        refuse(str(error))
    compared = comparison(before, meanwhile, done, from_time)
    if as_json:
        for one in compared:
            typer.echo(msgspec.json.encode(_plain(one)).decode())
    else:
        Console(highlight=False, soft_wrap=True).print(render_replay(done, compared))
    if any(one.verdict is not Verdict.SAME for one in compared):
        raise typer.Exit(DIFFERENT)


def assignment(text: str) -> tuple[str, str]:
    """``NAME=VALUE`` as a setting's name, with its part, and its value.

    Raises:
        typer.BadParameter: it is not written so, or there is no such setting to replay with.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE", param_hint="--set")
    if name not in SETTABLE:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(SETTABLE)}", param_hint="--set")
    return name, value


def comparison(
    before: Iterable[Published], meanwhile: Iterable[Published], done: Replay, since: int | None
) -> list[Compared]:
    """The alerts that were, or would be, told about since a time; all where there is none.

    before: what was published when the replay began: all that it follows from is in the log. meanwhile: what was when
    it ended: an installation that runs goes on, so that only what the replay says as well can have been read by it.
    Where the replay did not begin with the first record, what was published before its beginning is left out.
    """
    said = {(one.alert.alert_id, one.alert.revision) for one in done.said}
    told = [*before, *(one for one in meanwhile if (one.alert.alert_id, one.alert.revision) in said)]
    if not done.whole and done.begin is not None:
        early = {one.alert.alert_id for one in told if one.stored_at < done.begin}
        told = [one for one in told if one.alert.alert_id not in early]
    recent = {one.alert.alert_id for one in told if since is None or one.stored_at >= since}
    recent |= {one.alert.alert_id for one in done.said if since is None or one.at >= since}
    return compare(
        (one.alert for one in told if one.alert.alert_id in recent),
        (one.alert for one in done.said if one.alert.alert_id in recent),
    )


def _with(settings: Settings, given: dict[str, str]) -> Settings:
    named: dict[str, Any] = {SETTABLE[name]: value for name, value in given.items()}
    return Settings(**{name: getattr(settings, name) for name in settings.model_fields_set} | named)


def _published(settings: Settings, interruption: Interruption) -> list[Published]:
    with AlertLog(settings) as log:
        return [one for one in log.past() if not _ended(interruption)]


def _replayed(settings: Settings, given: dict[str, str], watch: Callable[[Replay], None]) -> Replay:
    if any(name.startswith("detection.") for name in given):
        return replay_events(settings, on_record=watch)
    return replay_observations(settings, changed=bool(given), on_record=watch)


def _ended(interruption: Interruption) -> bool:
    if interruption.asked:
        raise KeyboardInterrupt
    return False


def _watched(interruption: Interruption, tell: Callable[[str], None]) -> Callable[[Replay], None]:
    """Ends between two records when asked to, and says now and then how far it is."""

    def watch(done: Replay) -> None:
        _ended(interruption)
        if done.records % TOLD_EVERY == 0:
            tell(f"{done.records:,} records read, {len(done.said):,} revisions of alerts")

    return watch


def _plain(one: Compared) -> dict[str, object]:
    return {
        "alert_id": one.latest.alert_id,
        "pipeline": one.latest.pipeline,
        "title": one.latest.title,
        "verdict": one.verdict,
        "published_revisions": len(one.published),
        "replayed_revisions": len(one.replayed),
        "changed": {name: {"published": before, "replayed": after} for name, (before, after) in one.changed.items()},
    }
