"""Pipelines drawn from a seed: 4 to 30 datasets with joins, aggregates, branches, a season or none, and a model."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from simulation.columns import number
from simulation.draft import Draft
from simulation.draws import Choice, Sometimes
from simulation.model import Model, Term
from simulation.pipeline import MINUTE, Pipeline, Population
from simulation.production import Line
from simulation.stages import Aggregate, Clean, Derive, Events, How, Join, Profiles
from simulation.themes import THEMES

LEAST, MOST = 4, 30
PASSED = ("prepared", "normalised", "enriched", "encoded", "ratios", "signals", "windowed", "ranked")
READ_BY_PEOPLE = (
    "ops_board",
    "finance_view",
    "audit_extract",
    "partner_feed",
    "weekly_report",
    "quality_sample",
    "planning_input",
    "billing_lines",
    "research_extract",
    "support_view",
)
SWAYED = 1.1  # standard deviation of the model's log-odds


def generate(seed: int, *, least: int = LEAST, most: int = MOST) -> Pipeline:
    """The pipeline of a seed, of about ``least`` to ``most`` datasets; the same one every time."""
    rng = np.random.default_rng([seed, 11])
    draft = Draft(rng=rng, theme=THEMES[int(rng.integers(len(THEMES)))])
    size, seasonal = int(rng.integers(least, most + 1)), bool(rng.random() < 0.4)
    _ingest(draft, seasonal)
    sides = max((size - 3) // 4, int(size >= 6))
    passed = int(rng.integers(2 * max(size - 4 * sides - 3, 0) // 3 + 1))
    sides_in_turn = rng.permutation([*draft.theme.profiles, *draft.theme.others])[:sides].tolist()
    for name in rng.permutation([*sides_in_turn, *rng.permutation(PASSED)[:passed].tolist()]).tolist():
        _lengthen(draft, name)
    if size - draft.size > 3:
        _leave_aside(draft)
    for name in rng.permutation(READ_BY_PEOPLE)[: max(size - draft.size - 1, 0)]:
        _branch(draft, str(name))
    features = _features(draft)
    healthy = Pipeline(
        name=draft.theme.name,
        owner=draft.theme.owner,
        population=Population(key=draft.theme.key, size=20_000, columns=draft.population),
        sources=tuple(draft.sources),
        stages=tuple(draft.stages),
        model=Model(name=draft.theme.scored, reads=draft.main, bias=0.0, terms={}),
        tick=(60 if seasonal else 10) * MINUTE,
        events_per_tick=float(rng.integers(600, 1100)),
        daily_swing=float(rng.uniform(0.1, 0.3)) if seasonal else 0.0,
    )
    return replace(healthy, model=_fitted(healthy, features, rng))


def _ingest(draft: Draft, seasonal: bool) -> None:
    """The main stream of events, and its cleaning: one number is required, another filled where it is missing."""
    name, columns = draft.theme.events
    numbers = [column for column, draw in columns.items() if not isinstance(draw, Choice)]
    optional = draft.pick(numbers[1:])
    missing = {column: float(draft.rng.choice([0.0, 0.005, 0.02])) for column in columns}
    missing[optional] = float(draft.rng.uniform(0.02, 0.06))
    draft.sources.append(
        Events(
            dataset=f"raw_{name}",
            system=draft.system(),
            key=draft.theme.key,
            columns={column: Sometimes(draw, missing[column]) for column, draw in columns.items()},
            swings={draft.pick(numbers): float(draft.rng.uniform(0.03, 0.12))} if seasonal else {},
            headers=draft.headers(schema=True),
        )
    )
    draft.stages.append(
        Clean(
            dataset=name,
            parent=f"raw_{name}",
            columns=(draft.theme.key, *columns),
            required=(numbers[0],),
            fill={optional: 0.0},
            headers=draft.headers(config=True),
        )
    )
    draft.main = name
    draft.learn(columns)


def _lengthen(draft: Draft, name: str) -> None:
    """One more step on the main line: a table is joined to it, or columns are computed."""
    if name in draft.theme.profiles:
        _join_profiles(draft, name)
    elif name in draft.theme.others:
        _join_aggregate(draft, name)
    else:
        _pass_on(draft, name)


def _join_profiles(draft: Draft, name: str) -> None:
    """A table of those who act, cleaned and joined to the main line."""
    columns = draft.theme.profiles[name]
    draft.population |= columns
    draft.sources.append(
        Profiles(
            dataset=f"raw_{name}",
            system=draft.system(),
            columns=(draft.theme.key, *columns),
            late=float(draft.rng.choice([0.0, 0.004, 0.01])),
            headers=draft.headers(schema=True),
        )
    )
    draft.stages.append(_cleaned(draft, name, columns))
    _join(draft, name)
    draft.learn(columns)


def _cleaned(draft: Draft, name: str, columns: Iterable[str]) -> Clean:
    return Clean(
        dataset=name,
        parent=f"raw_{name}",
        columns=(draft.theme.key, *columns),
        headers=draft.headers(config=True),
    )


def _join_aggregate(draft: Draft, name: str) -> None:
    """Another stream of events of the same people, cleaned, aggregated and joined to the main line."""
    columns = draft.theme.others[name]
    first, second = columns
    draft.sources.append(
        Events(
            dataset=f"raw_{name}",
            system=draft.system(),
            key=draft.theme.key,
            columns={column: Sometimes(draw, 0.005) for column, draw in columns.items()},
            headers=draft.headers(schema=True),
        )
    )
    draft.stages.append(_cleaned(draft, name, columns))
    grouped = {
        f"{name}_count": (first, How.COUNT),
        f"{first}_mean": (first, How.MEAN),
        f"{second}_max": (second, How.LARGEST),
    }
    summed = f"{name}_by_{draft.theme.key.removesuffix('_id')}"
    draft.stages.append(
        Aggregate(dataset=summed, parent=name, key=draft.theme.key, columns=grouped, headers=draft.headers())
    )
    _join(draft, summed)
    draft.numbers += grouped


def _join(draft: Draft, right: str) -> None:
    main = f"{draft.theme.events[0]}_with_{right}"
    draft.stages.append(
        Join(dataset=main, left=draft.main, right=right, key=draft.theme.key, headers=draft.headers(config=True))
    )
    draft.main = main


def _pass_on(draft: Draft, name: str) -> None:
    """One more stage on the main line: some columns more."""
    derived = draft.formulas(int(draft.rng.integers(1, 4)))
    dataset = f"{draft.theme.events[0]}_{name}"
    carried = (draft.theme.key, *draft.kept(), *draft.categories)
    draft.numbers = [*draft.kept(), *derived]
    draft.stages.append(
        Derive(
            dataset=dataset,
            parent=draft.main,
            columns=derived,
            carried=carried,
            stage="transform",
            headers=draft.headers(config=True),
        )
    )
    draft.main = dataset


def _branch(draft: Draft, name: str) -> None:
    """What somebody reads who is not the model."""
    columns = draft.formulas(int(draft.rng.integers(1, 3)))
    draft.stages.append(
        Derive(
            dataset=name,
            parent=draft.main,
            columns=columns,
            carried=tuple(draft.rng.permutation(draft.numbers)[:3].tolist()),
            stage="report",
            headers=draft.headers(config=True),
        )
    )


def _leave_aside(draft: Draft) -> None:
    """A table that is ingested and cleaned, and from which nothing else is made."""
    used = {source.dataset for source in draft.sources}
    spare = [name for name in draft.theme.profiles if f"raw_{name}" not in used]
    if not spare:
        return
    main = draft.main, list(draft.numbers), dict(draft.categories)
    _join_profiles(draft, draft.pick(spare))
    draft.stages.pop()
    draft.main, draft.numbers, draft.categories = main


def _features(draft: Draft) -> tuple[str, ...]:
    """The stage that the model reads; names of its numeric columns."""
    derived = draft.formulas(int(draft.rng.integers(3, 6)))
    carried = draft.rng.permutation(draft.numbers)[:3].tolist()
    dataset = f"{draft.theme.scored}_features"
    draft.stages.append(
        Derive(
            dataset=dataset,
            parent=draft.main,
            columns=derived,
            carried=(*carried, *draft.categories),
            headers=replace(draft.headers(config=True), feature_version=str(draft.rng.integers(2, 30))),
        )
    )
    draft.main = dataset
    return (*derived, *carried)


def _fitted(pipeline: Pipeline, features: tuple[str, ...], rng: np.random.Generator) -> Model:
    """A model of these features, each standardised as a healthy batch has it."""
    line = Line(pipeline, 0, 0, pipeline.population.draw(np.random.default_rng(0)))
    table = line.produce(0, (), {})[pipeline.model.reads].table
    weights = rng.uniform(0.4, 1.0, len(features)) * rng.choice([-1.0, 1.0], len(features))
    weights *= SWAYED / np.sqrt(np.sum(weights**2))
    terms = {}
    for name, weight in zip(features, weights.tolist(), strict=True):
        values = number(table, name)
        low, centre, high = np.nanquantile(values, [0.16, 0.5, 0.84])
        scale = float(high - low) / 2 or float(np.nanstd(values)) or 1.0
        terms[name] = Term(round(weight, 3), float(centre), scale)
    return replace(
        pipeline.model,
        bias=round(float(rng.uniform(-1.8, -0.6)), 3),
        terms=terms,
        version=f"2026-{rng.integers(1, 9):02d}",
        code_version=f"0.{rng.integers(2, 9)}.{rng.integers(9)}",
    )
