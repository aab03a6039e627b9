import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.metrics import DEFINITIONS
from tests.deploy.debian import DEPLOY, run
from tests.deploy.promql import complaints, labels_left, metrics_in

GRAFANA = DEPLOY / "grafana"
BOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards/headwater.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
VARIABLES: list[dict[str, Any]] = BOARD["templating"]["list"]


def targets() -> Iterator[tuple[str, str, str]]:
    """Panel, expression and legend of every query."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]


def settled(expression: str) -> str:
    """The expression as Grafana sends it."""
    variables = {"$__rate_interval": "1m", "$__interval": "1m"} | {f"${one['name']}": ".*" for one in VARIABLES}
    for name, value in variables.items():
        expression = expression.replace(name, value)
    return expression


@pytest.mark.parametrize(("title", "expression", "legend"), [pytest.param(*one, id=one[0]) for one in targets()])
def test_a_query_names_only_metrics_and_labels_that_there_are(title: str, expression: str, legend: str) -> None:
    assert list(complaints(settled(expression))) == [], title
    assert set(re.findall(r"{{(\w+)}}", legend)) <= labels_left(settled(expression)), title


def test_the_variables_and_marks_name_only_metrics_and_labels_that_there_are() -> None:
    for one in VARIABLES:
        if asked := re.fullmatch(r"label_values\((.+), (\w+)\)", str(one.get("definition", ""))):
            assert list(complaints(settled(asked[1]))) == []
            assert asked[2] in labels_left(settled(asked[1]))
        else:
            assert one["type"] == "datasource"
    marks = [mark["expr"] for mark in BOARD["annotations"]["list"] if "expr" in mark]
    assert [list(complaints(settled(expression))) for expression in marks] == [[] for _ in marks]


def test_every_metric_of_ours_is_on_the_board() -> None:
    shown = set().union(*(metrics_in(settled(expression)) for _, expression, _ in targets()))
    assert {one.name for one in DEFINITIONS} - shown == set()


def test_the_rows_go_from_the_whole_to_headwater_itself() -> None:
    rows = [panel["title"] for panel in BOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Overview", "Datasets", "Models", "Features", "Health of Headwater"]


def test_panels_fit_the_grid_and_do_not_overlap() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        here = set(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))
        assert not here & cells, panel["title"]
        cells |= here


def test_every_panel_says_what_it_shows_and_has_an_id_of_its_own() -> None:
    assert all(panel["description"].strip() for panel in PANELS)
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)


def test_every_query_asks_the_chosen_data_source() -> None:
    for panel in PANELS:
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


def test_what_is_provisioned_is_where_the_container_finds_it() -> None:
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/headwater.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/headwater.yml").read_text())["providers"]
    volumes = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]

    assert {source["type"] for source in sources} == {"prometheus", "alertmanager"}
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in volumes
    assert "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro" in volumes


def test_promtool_can_read_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"board:{number}", "expr": settled(one[1])} for number, one in enumerate(targets())]
    (tmp_path / "board.yml").write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    run("promtool", "check", "rules", tmp_path / "board.yml")
