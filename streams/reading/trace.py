"""A trace as people read it: the batch in the middle, what it was made from above, what came of it below."""

from collections.abc import Iterator
from itertools import islice

from rich.console import Group, RenderableType
from rich.text import Text

from diagnosis.provenance import ObservationKind, Origin
from streams.index.keys import Micros
from streams.index.trace import Node, Reached, Scored, Step, Trace
from streams.reading.layout import columns, section, words
from streams.reading.measures import offset, time
from streams.reading.words import MATCH

LINES_SHOWN = 200
TRUNCATED = (
    "There is more: of each level those made first were followed. "
    "Trace one of the batches above to go on from it, or follow more with --limit."
)


def render_trace(trace: Trace) -> RenderableType:
    """The whole trace for a terminal, good from 80 columns on."""
    parts: list[RenderableType] = [*_head(trace)]
    batch = trace.node.kind is ObservationKind.BATCH
    if trace.up or trace.more_up:
        parts.append(section("Made from", _tree(trace.up, trace.more_up, "↑", trace.node.at)))
    elif batch:
        parts.append(section("Made from", _source(trace.node)))
    if trace.down or trace.more_down:
        parts.append(section("Went into", _tree(trace.down, trace.more_down, "↓", trace.node.at)))
    elif trace.prediction is None and batch:
        parts.append(section("Went into", Text("nothing that is known", style="dim")))
    if batch and trace.reached is not None:
        parts.append(section("Reached", _reached(trace.reached, least=trace.truncated)))
    if trace.truncated:
        parts.append(Text(f"\n{TRUNCATED}", style="dim"))
    return Group(*parts)


def _reached(reached: Reached, *, least: bool) -> Text:
    counted = (
        (reached.batches, "batch", "es"),
        (reached.windows, "window", "s"),
        (reached.predictions, "prediction", "s"),
    )
    told = ", ".join(f"{number:,} {one}{'' if number == 1 else s}" for number, one, s in counted)
    return words(f"at least {told}" if least else told)


def _head(trace: Trace) -> Iterator[RenderableType]:
    node, prediction = trace.node, trace.prediction
    if prediction is not None:
        yield words(f"prediction {prediction.prediction_id}", "bold")
        facts = {"scored": f"{time(prediction.at)} UTC", "event": _origin(prediction.origin)}
        if prediction.trace_id:
            facts["trace"] = prediction.trace_id
        yield columns([(Text(name, style="dim"), words(value)) for name, value in facts.items()], ratio=1)
        yield Text("")
    kind = "window" if node.kind is ObservationKind.WINDOW else "batch"
    yield words(f"{kind} {node.batch_id} of {node.pipeline}/{node.name}", "bold")
    yield columns([(Text(name, style="dim"), words(value)) for name, value in _facts(node)], ratio=1)


def _facts(node: Node) -> Iterator[tuple[str, str]]:
    rows = "predictions" if node.kind is ObservationKind.WINDOW else "rows"
    facts = {
        "made": f"{time(node.at)} UTC{_arrival(node)}",
        rows: f"{node.rows:,}",
        "stage": node.stage if node.stage != node.name else None,
        "partition": node.partition,
        "source": node.source,
        "versions": " · ".join(f"{name} {version}" for name, version in sorted(node.versions.items())),
        "run": " · ".join(part for part in (node.run_id, node.run_kind, node.run_status) if part),
        "host": node.host,
        "replaces": node.replaces,
        "trace": node.trace_id,
        "event": _origin(node.origin) if node.origin else None,
        "findings": ", ".join(node.alarming),
    }
    yield from ((name, value) for name, value in facts.items() if value)


def _arrival(node: Node) -> str:
    later = offset(node.arrived_at, node.at)
    return f"  (arrived {later})" if later else ""


def _origin(origin: Origin) -> str:
    return f"{origin.topic}, partition {origin.partition}, offset {origin.offset}"


def _source(node: Node) -> Text:
    return words(f"source {node.source}") if node.source else Text("nothing: it names no parents", style="dim")


def _tree(steps: tuple[Step, ...], more: int, arrow: str, origin: Micros) -> RenderableType:
    lines = _lines(steps, more, "", arrow, origin)
    shown = list(islice(lines, LINES_SHOWN))
    if any(True for _ in lines):
        shown.append(Text("… and more lines (--json has them all)", style="dim"))
    return Group(*shown)


def _lines(steps: tuple[Step, ...], more: int, indent: str, arrow: str, origin: Micros) -> Iterator[Text]:
    """A chain goes straight on; only where it branches, the branches are indented."""
    for i, step in enumerate(steps):
        alone, last = len(steps) == 1 and not more, i == len(steps) - 1 and not more
        deeper = indent if alone else indent + ("  " if last else "│ ")
        yield _line(step, indent + (f"{arrow} " if alone else "└ " if last else "├ "), origin)
        details = _details(step)
        if details.plain:
            rail = "│ " if alone and step.steps else ""
            yield Text.assemble((f"{deeper}{rail:<2}  ", "dim"), details, no_wrap=True, overflow="ellipsis")
        yield from _lines(step.steps, step.more, deeper, arrow, origin)
    if more:
        yield Text(f"{indent}└ … and {more:,} more", style="dim")


def _line(step: Step, indent: str, origin: Micros) -> Text:
    line = Text(indent, style="dim", overflow="fold")
    if step.node is None:
        return line.append_text(words(step.named, "bold not dim")).append("  never seen", style="red not dim")
    node = step.node
    line.append_text(words(node.name, "bold red not dim" if node.alarming else "bold not dim"))
    line.append_text(words(f" {node.batch_id}", "not dim"))
    line.append(f"  {time(node.at)}  {offset(node.at, origin)}".rstrip())
    return line.append("  see above") if step.repeated else line


def _details(step: Step) -> Text:
    node = step.node
    if node is None or step.repeated:
        return Text()
    parts = [
        _scored(step.scored) if step.scored is not None else Text(),
        words(f"found: {', '.join(node.alarming)}" if node.alarming else "", "red"),
        words(" · ".join(f"{name} {version}" for name, version in sorted(node.versions.items())), "dim"),
        words(f"partition {node.origin.partition}, offset {node.origin.offset}" if node.origin else "", "dim"),
        words(f"matched {MATCH[step.match]}" if MATCH[step.match] else "", "dim"),
    ]
    return Text(" · ", style="dim").join(part for part in parts if part.plain)


def _scored(scored: Scored) -> Text:
    some = ", ".join(scored.first_ids[:2])
    more = ", …" if scored.rows > 2 and some else ""
    return words(f"{scored.rows:,} predictions{f': {some}{more}' if some else ''}")
