"""The trace as a person reads it."""

from diagnosis.alert import Match
from diagnosis.provenance import ObservationKind, Origin
from streams.index.trace import Node, Scored, Step, Trace, TracedPrediction
from streams.reading.layout import as_text
from streams.reading.trace import render_trace

MINUTE = 60_000_000
TEN = 1_795_428_000_000_000  # 2026-11-23 10:00:00 UTC

AT_80_COLUMNS = """\
batch features-0412 of taxi/features
made      2026-11-23 10:00:00 UTC  (arrived +1 s)
rows      1,000
versions  code v42
event     data-batches, partition 3, offset 412
findings  location of distance

Made from
  ↑ joined joined-0412  2026-11-23 09:59:00  -1 min
  │   code v42 · partition 3, offset 412
  ├ cleaned cleaned-0412  2026-11-23 09:58:00  -2 min
  │     found: location of distance · code v42 · partition 3, offset 412
  │ ↑ rides rides-0412  2026-11-23 09:57:00  -3 min
  │     code v42 · partition 3, offset 412
  └ weather weather-0412  2026-11-23 09:00:00  -1 h
        code v42 · partition 3, offset 412 · matched as the latest before
    ↑ taxi/stations/2026-11-23  never seen

Went into
  ↓ fare fare-0412  2026-11-23 10:02:00  +2 min
      480 predictions: ride-1, ride-2, … · code v42 · partition 3, offset 412
"""


def node(name: str, minutes: int, *alarming: str, kind: ObservationKind = ObservationKind.BATCH) -> Node:
    at = TEN + minutes * MINUTE
    return Node(
        kind=kind,
        pipeline="taxi",
        name=name,
        batch_id=f"{name}-0412",
        at=at,
        arrived_at=at + 1_000_000,
        rows=1000,
        stage=name,
        origin=Origin(topic="data-batches", partition=3, offset=412),
        versions={"code": "v42"},
        alarming=alarming,
    )


def step(node: Node, *steps: Step, match: Match = Match.EXACT, scored: Scored | None = None) -> Step:
    return Step(named=node.batch_id, match=match, node=node, steps=steps, scored=scored)


def joined() -> Step:
    missing = Step(named="taxi/stations/2026-11-23", match=Match.PARTITION)
    cleaned = step(node("cleaned", -2, "location of distance"), step(node("rides", -3)))
    return step(node("joined", -1), cleaned, step(node("weather", -60), missing, match=Match.LATEST))


def test_a_trace_reads_well_at_80_columns() -> None:
    window = node("fare", 2, kind=ObservationKind.WINDOW)
    scored = Scored(rows=480, events=12, first_ids=("ride-1", "ride-2", "ride-3"))
    trace = Trace(
        asked="features-0412",
        node=node("features", 0, "location of distance"),
        up=(joined(),),
        down=(step(window, scored=scored),),
    )

    assert as_text(render_trace(trace), 80) == AT_80_COLUMNS


def test_a_prediction_is_told_with_its_event_and_its_window() -> None:
    trace = Trace(
        asked="ride-1",
        node=node("fare", 2, kind=ObservationKind.WINDOW),
        prediction=TracedPrediction(
            prediction_id="ride-1", origin=Origin(topic="predictions", partition=1, offset=77), at=TEN, trace_id="4bf9"
        ),
        up=(joined(),),
    )

    text = as_text(render_trace(trace), 80)

    assert text.startswith(
        "prediction ride-1\nscored  2026-11-23 10:00:00 UTC\nevent   predictions, partition 1, offset 77\n"
    )
    assert "window fare-0412 of taxi/fare" in text
    assert "Went into" not in text


def test_a_batch_without_parents_and_children_says_so() -> None:
    text = as_text(render_trace(Trace(asked="rides-0412", node=node("rides", 0))))

    assert "it names no parents" in text
    assert "nothing that is known" in text


def test_a_chain_of_thirty_hops_stays_within_80_columns() -> None:
    chain = step(node("d30", -30))
    for depth in range(29, 0, -1):
        chain = step(node(f"d{depth}", -depth), chain)

    lines = as_text(render_trace(Trace(asked="x", node=node("d0", 0), up=(chain,))), 80).splitlines()

    assert sum("offset 412" in line for line in lines) == 31
    assert max(len(line) for line in lines) <= 80


def test_a_batch_met_again_is_not_told_again() -> None:
    again = Step(named="rides-0412", match=Match.EXACT, node=node("rides", -3), repeated=True)

    text = as_text(render_trace(Trace(asked="x", node=node("joined", 0), up=(step(node("rides", -3)), again))))

    assert text.count("see above") == 1
