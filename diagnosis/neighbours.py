"""Pipelines that feed one another: what one asks of the others, what it answers them, what it is told of their alerts.

A pipeline asks once for each dataset of another one that its batches name. Every batch of that dataset is imported from
then on, and the parents that imported batches name are asked for in turn: the graph grows upstream hop by hop, and ends
where nothing new is named, in a circle of pipelines too. Another pipeline's findings are evidence here; the alert about
them is its own, and it tells its readers of it, who tell it what the fault did to their predictions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from diagnosis.alert import Alert, Severity, Status
from diagnosis.intake import dataset_key, with_node
from diagnosis.lineage import Lineage
from diagnosis.observation import Harm, Micros, Observation, Told
from diagnosis.onset import Interval, slack
from diagnosis.policy import Policy
from diagnosis.provenance import ObservationKind
from diagnosis.state import Active, Fault, Guest, Node, NodeKind, PipelineState, Toll
from diagnosis.steps import Trace
from diagnosis.toll import root_of, toll_told

READERS_KEPT = 16  # per dataset


def letters(
    before: PipelineState, after: PipelineState, observation: Observation, alerts: Iterable[Alert]
) -> tuple[Observation, ...]:
    """Return what folding an observation gives to write to other pipelines' partitions of the log, in order; pure."""
    found = [*_requests(before, after, observation)]
    if observation.kind is ObservationKind.BATCH and (node := after.nodes.get(observation.name)) is not None:
        found += [replace(observation, kind=ObservationKind.IMPORTED, reader=reader) for reader in node.readers]
    if observation.kind is ObservationKind.CHANGE and observation.reader is None:
        found += [replace(observation, reader=reader) for reader in _interested(after, observation.name)]
    if observation.kind is ObservationKind.REQUEST and observation.reader is not None:
        firing = [fault.alert for fault in after.faults if fault.alert.status is Status.FIRING]
        found += [
            one for alert in firing for one in _told(after, observation, alert) if one.reader == observation.reader
        ]
    told = {alert.alert_id for alert in alerts}
    moved = (fault.alert for fault in _moved(before, after) if fault.alert.alert_id not in told)
    found += [one for alert in (*alerts, *moved) for one in _told(after, observation, alert)]
    return (*found, *_harms(before, after, observation))


def _moved(before: PipelineState, after: PipelineState) -> Iterable[Fault]:
    """Return the firing faults of which another origin, or other findings there, are known now."""
    if before.faults is after.faults:
        return
    former = {fault.alert.alert_id: fault for fault in before.faults}
    for fault in after.faults:
        known = former.get(fault.alert.alert_id)
        if known is None or fault.alert.status is not Status.FIRING:
            continue
        same = (known.origin, known.members) == (fault.origin, fault.members)
        if not same and root_of(before, known) != root_of(after, fault):
            yield fault


def _harms(before: PipelineState, after: PipelineState, cause: Observation) -> Iterable[Observation]:
    """Tell what other pipelines' faults did here, where that is news."""
    if before.guests is after.guests:
        return
    former = {guest.alert_id: _harm(guest) for guest in before.guests}
    for guest in after.guests:
        harm = _harm(guest)
        if harm is not None and harm != former.get(guest.alert_id):
            yield Observation(
                kind=ObservationKind.REACHED,
                pipeline=guest.pipeline,
                at=cause.at,
                arrived_at=cause.arrived_at,
                reader=after.pipeline,
                harm=harm,
            )


def _requests(before: PipelineState, after: PipelineState, cause: Observation) -> Iterable[Observation]:
    if len(before.nodes) == len(after.nodes):  # nodes are never removed
        return
    for key, node in after.nodes.items():
        if key not in before.nodes and is_foreign(after, node):
            yield Observation(
                kind=ObservationKind.REQUEST,
                pipeline=node.pipeline,
                name=node.name,
                at=cause.at,
                arrived_at=cause.arrived_at,
                reader=after.pipeline,
            )


def _harm(guest: Guest) -> Harm | None:
    return guest.toll.told if guest.toll else None


def _interested(state: PipelineState, component: str) -> list[str]:
    """Return who reads what a change is about."""
    about = [node for node in state.nodes.values() if component in (node.name, node.stage)]
    return sorted({reader for node in about for reader in node.readers})


def _told(state: PipelineState, cause: Observation, alert: Alert) -> Iterable[Observation]:
    """Tell an alert to every pipeline that reads a dataset it touches, unless it pages nobody: theirs may have to."""
    if alert.status is Status.FIRING and alert.severity is Severity.INFO:
        return
    home = f"{state.pipeline}/"
    touched = {hop.dataset for hop in alert.path if hop.pipeline == state.pipeline}
    touched |= {one.subject.removeprefix(home) for one in alert.symptoms if one.subject.startswith(home)}
    nodes = [state.nodes[name] for name in sorted(touched) if name in state.nodes]
    root = next((root_of(state, fault) for fault in state.faults if fault.alert.alert_id == alert.alert_id), None)
    for reader in sorted({reader for node in nodes for reader in node.readers}):
        told = Told(
            alert_id=alert.alert_id,
            revision=alert.revision,
            datasets=tuple(node.name for node in nodes if reader in node.readers),
            columns=tuple(sorted({one.column for one in alert.symptoms if one.column is not None})),
            onset_earliest=alert.onset.earliest,
            onset_latest=max(alert.onset.latest, alert.detected_at),
            resolved_at=alert.resolved_at,
            superseded_by=alert.superseded_by,
            root=root,
        )
        yield Observation(
            kind=ObservationKind.FAULT,
            pipeline=state.pipeline,
            at=cause.at,
            arrived_at=cause.arrived_at,
            reader=reader,
            told=told,
        )


def is_foreign(state: PipelineState, node: Node) -> bool:
    """Tell whether a node is another pipeline's dataset."""
    return node.pipeline != state.pipeline


def note_reader(state: PipelineState, request: Observation, policy: Policy) -> PipelineState:
    """Remember who is to be sent the batches of a dataset, at most 16 pipelines."""
    state, node = with_node(state, request.name, NodeKind.DATASET, state.pipeline, request.name, policy)
    reader = request.reader
    if node is None or reader is None or reader in node.readers or len(node.readers) >= READERS_KEPT:
        return state
    return replace(state, nodes={**state.nodes, node.key: replace(node, readers=(*node.readers, reader))})


def is_known(state: PipelineState, imported: Observation) -> bool:
    """Tell whether an imported batch came before: a log that is folded anew is answered twice."""
    node = state.nodes.get(dataset_key(state.pipeline, imported.pipeline, imported.name))
    if node is None or not node.ring or imported.origin is None:
        return False
    place = (imported.origin.topic, imported.origin.partition, imported.origin.offset)
    return imported.arrived_at < node.ring[0].arrived_at or any(
        (batch.topic, batch.topic_partition, batch.offset) == place for batch in node.ring
    )


def take_told(state: PipelineState, observation: Observation, policy: Policy) -> PipelineState:
    """Note another pipeline's alert; the findings of one that was superseded go to the one that took its place."""
    told = observation.told
    if told is None:
        return state
    others = {guest.alert_id: guest for guest in state.guests}
    known = others.pop(told.alert_id, None)
    toll = toll_told(state, known.toll if known else None, told)
    if told.resolved_at is not None if known is None else not _is_newer(known, told, toll):
        return state
    members = known.members if known else ()
    if told.superseded_by is not None:
        if heir := others.get(told.superseded_by):
            others[heir.alert_id] = replace(heir, members=(*heir.members, *members))
        return replace(state, guests=tuple(others.values()))
    guest = Guest(
        alert_id=told.alert_id,
        pipeline=observation.pipeline,
        revision=told.revision,
        nodes=tuple(dataset_key(state.pipeline, observation.pipeline, name) for name in told.datasets),
        columns=told.columns,
        earliest=told.onset_earliest,
        latest=told.onset_latest,
        resolved_at=told.resolved_at,
        members=members,
        toll=toll,
    )
    return replace(state, guests=_bounded((*others.values(), guest), policy.max_faults))


def _is_newer(known: Guest, told: Told, toll: Toll | None) -> bool:
    """Tell whether a letter says more of an alert: a further revision, or further findings of the same one."""
    if known.revision != told.revision:
        return known.revision < told.revision
    before, after = (set(one.findings if one else ()) for one in (known.toll, toll))
    return before < after


def _bounded(guests: tuple[Guest, ...], most: int) -> tuple[Guest, ...]:
    """Forget the oldest beyond the bound, those that are resolved first."""
    excess = sorted(range(len(guests)), key=lambda place: (guests[place].resolved_at is None, place))
    gone = set(excess[: max(len(guests) - most, 0)])
    return tuple(guest for place, guest in enumerate(guests) if place not in gone)


def lasting(
    lineage: Lineage, guests: Iterable[Guest], followed: dict[str, Active], now: Micros, policy: Policy
) -> list[Guest]:
    """Return the guests with the findings they still explain: what outlasts a resolved fault for long is another."""
    return [
        replace(
            guest,
            members=tuple(
                key
                for key in guest.members
                if key in followed and not _is_past(lineage, guest, followed[key].node, now, policy)
            ),
        )
        for guest in guests
    ]


def _is_past(lineage: Lineage, guest: Guest, node: str, now: Micros, policy: Policy) -> bool:
    patience = policy.flap_batches * lineage.usual_gap(node)
    return guest.resolved_at is not None and now - guest.resolved_at > patience


def host_of(
    lineage: Lineage, guests: Sequence[Guest], walk: Sequence[tuple[str, Interval, str]], now: Micros, policy: Policy
) -> int | None:
    """Return the place of the guest that explains a walk of (node, onset, column) from cause to effect, None if none.

    The walk must pass a dataset that the guest's fault touches, at its time or about one of its columns; the fault
    nearest to where the walk begins is the one.
    """
    effect = walk[-1][0]
    for node, when, column in walk:
        for place, guest in enumerate(guests):
            if node not in guest.nodes or _is_past(lineage, guest, effect, now, policy):
                continue
            span = Interval(earliest=guest.earliest, latest=guest.latest)
            if when.meets(span, slack(lineage, node, policy)) or column in guest.columns:
                return place
    return None


def walk_of(trace: Trace) -> list[tuple[str, Interval, str]]:
    """Return the nodes that a walk passed, when each began to deviate, and in which column."""
    return [(step.node, step.when, step.focus.column if step.focus else "") for step in trace.steps]
